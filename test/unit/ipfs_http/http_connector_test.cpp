#include "stub_daemon.hpp"

namespace ipfscluster::ipfshttp {
namespace {

using namespace test;
using component::PinProgress;

class HttpConnectorTest : public StubTest {
 protected:
    Result<> pin(Pin p) {
        component::ProgressHandler handler = [this](PinProgress now) { progress.push_back(now); };
        return run(connector->pin(std::move(p), std::move(handler)));
    }
    std::vector<PinProgress> progress;
};

TEST_F(HttpConnectorTest, a_pin_is_looked_up_then_added_and_shows_its_progress) {
    begin();
    nothing_is_pinned();
    answer("pin/add",
           {{.pieces = {"{}", R"({"Progress":1,"Bytes":10})", R"({"Progress":1,"Bytes":10})",
                        R"({"Progress":4,"Bytes":90})", pinned}}});
    const auto done = pin(wanted());
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(last("pin/ls"), "pin/ls?stream=true&arg=" + cid.to_string() + "&type=recursive");
    EXPECT_EQ(last("pin/add"), "pin/add?arg=" + cid.to_string() +
                                   "&recursive=true&progress=true&stream-channels=true");
    ASSERT_EQ(progress.size(), 3u);
    EXPECT_EQ(progress[0].blocks, 0u) << "it has begun";
    EXPECT_EQ(progress[2].blocks, 4u);
    EXPECT_EQ(progress[2].bytes, 90u);
}

TEST_F(HttpConnectorTest, what_the_daemon_holds_is_not_pinned_again) {
    begin();
    answer("pin/ls recursive", {{.pieces = {row(cid, "recursive")}}});
    answer("pin/ls direct", {fault("path 'x' is not pinned")});
    EXPECT_TRUE(pin(wanted()));
    EXPECT_TRUE(pin(wanted(kDepthDirect)));  // a recursive pin covers it
    EXPECT_EQ(count("pin/add"), 0u);
    EXPECT_EQ(run(connector->pin_status(wanted())).value(), IpfsPinStatus::recursive);
}

TEST_F(HttpConnectorTest, pins_that_are_told_together_cost_one_call) {
    begin();
    answer(
        "pin/add",
        {{.pieces = {"{\"Pins\":[\"" + cid.to_string() + "\",\"" + other.to_string() + "\"]}"}}});
    EXPECT_GE(connector->together_max(), 2u);
    const auto done = run(connector->pin_together({cid, other}, 5s));
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(last("pin/add"),
              "pin/add?arg=" + cid.to_string() + "&arg=" + other.to_string() + "&recursive=true");
    EXPECT_EQ(count("pin/ls"), 0u);
}

TEST_F(HttpConnectorTest, pins_told_together_are_held_only_when_the_daemon_names_all) {
    begin();
    answer("pin/add",
           {{.pieces = {pinned}},
            {.pieces = {"{\"Pins\":[\"" + other.to_string() + "\",\"" + cid.to_string() + "\"]}"}},
            fault("no space left on device"),
            {.pieces = {}, .end = Answer::End::hang}});
    for (const auto kind : {Kind::corrupt, Kind::corrupt, Kind::disk_full}) {
        const auto done = run(connector->pin_together({cid, other}, 5s));
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().kind, kind) << done.error().text;
    }
    const auto late = run(connector->pin_together({cid, other}, 100ms));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, Kind::timeout) << late.error().text;
    ASSERT_TRUE(run(until([this] { return cut_by_client["pin/add"] == 1; })));
    // It may still be written: an unpin that follows looks twice.
    answer("pin/rm", {{.pieces = {pinned}}});
    ASSERT_TRUE(run(connector->unpin(cid)));
    EXPECT_EQ(count("pin/rm"), 2u);
}

TEST_F(HttpConnectorTest, how_deep) {
    begin();
    nothing_is_pinned();
    answer("pin/add", {{.pieces = {pinned}}});
    EXPECT_TRUE(pin(wanted(kDepthDirect)));
    EXPECT_NE(last("pin/add").find("recursive=false"), std::string::npos);
    EXPECT_TRUE(pin(wanted(2)));
    EXPECT_NE(last("pin/add").find("recursive=true&progress=true&stream-channels=true&max-depth=2"),
              std::string::npos);
    EXPECT_EQ(run(connector->pin_status(wanted())).value(), IpfsPinStatus::unpinned);
}

TEST_F(HttpConnectorTest, a_pin_that_went_wrong_is_never_a_success) {
    begin();
    nothing_is_pinned();
    const std::string some = R"({"Progress":3})";
    struct Row {
        const char* name;
        Answer answer;
        Kind kind;
        std::string words;
    };
    const Row rows[] = {
        {"late error",
         late({some}, "block was not found locally (offline): ipld: could not find Qm"),
         Kind::not_found, "block was not found locally"},
        {"late error after the last word", late({some, pinned}, "pin: write failed"),
         Kind::internal, "pin: write failed"},
        {"cut", {.pieces = {some}, .end = Answer::End::cut}, Kind::corrupt, "broke off"},
        {"cut after the last word",
         {.pieces = {some, pinned}, .end = Answer::End::cut},
         Kind::corrupt,
         "broke off"},
        {"no last word", {.pieces = {some}}, Kind::corrupt, "without saying"},
        {"nothing at all", {.pieces = {}}, Kind::corrupt, "without saying"},
        {"another item",
         {.pieces = {"{\"Pins\":[\"" + other.to_string() + "\"]}"}},
         Kind::corrupt,
         other.to_string()},
        {"not JSON", {.pieces = {some, "{\"Progress\":"}}, Kind::corrupt, "malformed JSON"},
        {"error at once", fault("merkledag: broken"), Kind::internal, "merkledag: broken"},
        {"disk full", fault("mkdir x: no space left on device"), Kind::disk_full,
         "disk full on alpha"},
        {"disk full late", late({some}, "write x: no space left on device"), Kind::disk_full,
         "disk full on alpha"},
        {"no such call", fault("404 page not found", 404), Kind::unsupported, "404"},
    };
    for (const auto& r : rows) {
        answer("pin/add", {r.answer});
        const auto done = pin(wanted());
        ASSERT_FALSE(done) << r.name;
        EXPECT_EQ(done.error().kind, r.kind) << r.name << ": " << done.error().text;
        EXPECT_NE(done.error().text.find(r.words), std::string::npos)
            << r.name << ": " << done.error().text;
    }
    EXPECT_TRUE(connector->client().breaker().closed());
}

TEST_F(HttpConnectorTest, a_pin_without_growth_times_out_and_says_how_far_it_came) {
    options.pin_timeout = 2s;
    begin();
    nothing_is_pinned();
    // The daemon goes on talking, as Kubo does.
    answer("pin/add", {{.pieces = std::vector<std::string>(1000, R"({"Progress":3,"Bytes":7})"),
                        .pause = 20ms}});
    const auto done = pin(wanted());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, Kind::timeout);
    EXPECT_NE(done.error().text.find("3 blocks, 7 bytes"), std::string::npos) << done.error().text;
    ASSERT_TRUE(run(until([this] { return running["pin/add"] == 0; })));  // it was told to stop
}

TEST_F(HttpConnectorTest, a_pin_that_grows_may_take_longer_than_its_time_out) {
    options.pin_timeout = 4s;
    begin();
    nothing_is_pinned();
    Answer slow{.pause = 700ms};
    for (int i = 1; i <= 7; ++i) slow.pieces.push_back("{\"Progress\":" + std::to_string(i) + "}");
    slow.pieces.push_back(pinned);
    answer("pin/add", {slow});
    const auto done = pin(wanted());
    EXPECT_TRUE(done) << done.error().text;
    EXPECT_EQ(progress.size(), 8u);
}

TEST_F(HttpConnectorTest, a_cancelled_pin_ends_at_the_daemon_and_its_unpin_looks_twice) {
    begin();
    nothing_is_pinned();
    answer("pin/add", {{.pieces = {R"({"Progress":3})"}, .end = Answer::End::hang}});
    component::ProgressHandler handler = [this](PinProgress now) { progress.push_back(now); };
    const auto cut =
        run(with_deadline<void>(world, 2s, "pin", connector->pin(wanted(), std::move(handler))));
    EXPECT_EQ(cut.error().kind, Kind::timeout);
    EXPECT_EQ(progress.size(), 2u);
    ASSERT_TRUE(run(until([this] { return cut_by_client["pin/add"] == 1; })));
    answer("pin/rm", {fault("not pinned or pinned indirectly")});
    EXPECT_TRUE(run(connector->unpin(cid)));
    EXPECT_EQ(count("pin/rm"), 2u);
    EXPECT_TRUE(run(connector->unpin(cid)));
    EXPECT_EQ(count("pin/rm"), 3u);
}

TEST_F(HttpConnectorTest, only_what_is_not_known_is_asked) {
    begin();
    nothing_is_pinned();
    answer("pin/add", {{.pieces = {pinned}}});
    ASSERT_TRUE(run(connector->pin({wanted(), component::Held::no}, {})));
    EXPECT_EQ(count("pin/ls"), 0u);
    EXPECT_EQ(count("pin/add"), 1u);
    ASSERT_TRUE(run(connector->pin({wanted(), component::Held::unknown}, {})));
    EXPECT_EQ(count("pin/ls"), 1u);
    // Kubo answers with an error where it holds the item recursively.
    answer("pin/ls recursive", {{.pieces = {row(cid, "recursive")}}});
    ASSERT_TRUE(run(connector->pin({wanted(kDepthDirect), component::Held::no}, {})));
    EXPECT_EQ(count("pin/add"), 2u);
}

TEST_F(HttpConnectorTest, it_says_how_many_pins_the_daemon_can_work_on) {
    options.concurrent_pins = 8;
    int changes = 0;
    begin();
    connector->on_daemon([&changes] { ++changes; });
    EXPECT_EQ(connector->daemon().pins_at_once, 8);
    answer("pin/ls", {fault("busy", 503), fault("path is not pinned")});
    answer("pin/add", {{.pieces = {pinned}}});
    EXPECT_EQ(pin(wanted()).error().kind, Kind::retryable);
    EXPECT_EQ(connector->daemon().pins_at_once, 4);
    EXPECT_EQ(changes, 0);
    // Answers that were under way, and a round of quick ones; asked or not.
    for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(run(connector->pin({wanted(), component::Held::no}, {})));
    EXPECT_EQ(connector->daemon().pins_at_once, 5);
    EXPECT_EQ(changes, 1);
    connector->on_daemon(nullptr);
}

TEST_F(HttpConnectorTest, unpin) {
    begin();
    answer("pin/rm", {{.pieces = {pinned}},
                      fault("not pinned or pinned indirectly"),
                      fault("it is stuck"),
                      {.pieces = {"{}"}},
                      {.pieces = {pinned}, .end = Answer::End::cut}});
    EXPECT_TRUE(run(connector->unpin(cid)));
    EXPECT_EQ(last("pin/rm"), "pin/rm?arg=" + cid.to_string());
    EXPECT_TRUE(run(connector->unpin(cid)));
    EXPECT_NE(run(connector->unpin(cid)).error().text.find("it is stuck"), std::string::npos);
    EXPECT_EQ(run(connector->unpin(cid)).error().kind, Kind::corrupt);
    EXPECT_EQ(run(connector->unpin(cid)).error().kind, Kind::corrupt);
}

TEST_F(HttpConnectorTest, unpinning_can_be_disabled) {
    options.unpin_disable = true;
    begin();
    const auto done = run(connector->unpin(cid));
    EXPECT_EQ(done.error().kind, Kind::denied);
    EXPECT_EQ(count("pin/rm"), 0u);
}

TEST_F(HttpConnectorTest, an_update_is_one_where_the_old_pin_is_held) {
    begin();
    const std::string old_held = row(other, "recursive");
    auto p = wanted();
    p.options.pin_update = other;
    answer("pin/ls", {fault("path is not pinned"), {.pieces = {old_held}}});
    answer(
        "pin/update",
        {{.pieces = {"{\"Pins\":[\"" + other.to_string() + "\",\"" + cid.to_string() + "\"]}"}}});
    EXPECT_TRUE(pin(p));
    EXPECT_EQ(last("pin/update"),
              "pin/update?arg=" + other.to_string() + "&arg=" + cid.to_string() + "&unpin=false");
    EXPECT_EQ(count("pin/add"), 0u);
    // An update that fails is a whole pin.
    answer("pin/ls", {fault("path is not pinned"), {.pieces = {old_held}}});
    answer("pin/update", {fault("cannot")});
    answer("pin/add", {{.pieces = {pinned}}});
    EXPECT_TRUE(pin(p));
    EXPECT_EQ(count("pin/update"), 2u);
    EXPECT_EQ(count("pin/add"), 1u);
    // So is one whose old pin is gone.
    nothing_is_pinned();
    EXPECT_TRUE(pin(p));
    EXPECT_EQ(count("pin/update"), 2u);
    EXPECT_EQ(count("pin/add"), 2u);
}

TEST_F(HttpConnectorTest, an_update_that_was_given_up_is_looked_for_twice_as_well) {
    begin();
    auto p = wanted();
    p.options.pin_update = other;
    answer("pin/ls", {fault("path is not pinned"), {.pieces = {row(other, "recursive")}}});
    answer("pin/update", {{.pieces = {}, .end = Answer::End::hang}});
    TaskGroup tasks(world, "pins");
    struct One {
        static asio::awaitable<void> pin(HttpConnector* c, Pin wish) {
            auto cut = co_await c->pin(std::move(wish), {});
            EXPECT_FALSE(cut);
        }
    };
    tasks.spawn(One::pin(connector.get(), p));
    ASSERT_TRUE(run(until([this] { return running["pin/update"] == 1; })));
    ASSERT_TRUE(run(tasks.stop()));
    ASSERT_TRUE(run(until([this] { return cut_by_client["pin/update"] == 1; })));
    answer("pin/rm", {fault("not pinned or pinned indirectly")});
    EXPECT_TRUE(run(connector->unpin(cid)));
    EXPECT_EQ(count("pin/rm"), 2u);
    // One that was done is not.
    answer("pin/ls", {fault("path is not pinned"), {.pieces = {row(other, "recursive")}}});
    answer(
        "pin/update",
        {{.pieces = {"{\"Pins\":[\"" + other.to_string() + "\",\"" + cid.to_string() + "\"]}"}}});
    EXPECT_TRUE(pin(p));
    EXPECT_TRUE(run(connector->unpin(cid)));
    EXPECT_EQ(count("pin/rm"), 3u);
}

TEST_F(HttpConnectorTest, no_more_origins_at_once_than_allowed) {
    begin();
    nothing_is_pinned();
    answer("swarm/connect", {{.pieces = {"{}"}, .pause = 200ms}});
    answer("pin/add", {{.pieces = {pinned}}});
    auto p = wanted();
    for (std::size_t i = 0; i < kOriginsMax; ++i)
        p.options.origins.push_back(
            Multiaddr::parse("/ip4/10.0.0.1/tcp/4001/p2p/"
                             "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp")
                .value());
    TaskGroup tasks(world, "pins");
    int done = 0;
    struct One {
        static asio::awaitable<void> pin(HttpConnector* c, Pin wish, int* count) {
            auto r = co_await c->pin(std::move(wish), {});
            if (r) ++*count;
        }
    };
    for (int i = 0; i < 3; ++i) tasks.spawn(One::pin(connector.get(), p, &done));
    ASSERT_TRUE(run(tasks.drain()));
    EXPECT_EQ(done, 3);
    EXPECT_EQ(count("swarm/connect"), 3 * kOriginsMax);
    EXPECT_EQ(most_running["swarm/connect"], static_cast<int>(kOriginConnectsMax));
}

TEST_F(HttpConnectorTest, origins_are_connected_before_the_pin) {
    begin();
    nothing_is_pinned();
    answer("swarm/connect", {fault("cannot dial"), {.pieces = {"{}"}}});
    answer("pin/add", {{.pieces = {pinned}}});
    auto p = wanted();
    for (int i = 1; i <= 12; ++i)
        p.options.origins.push_back(
            Multiaddr::parse("/ip4/10.0.0." + std::to_string(i) +
                             "/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp")
                .value());
    EXPECT_TRUE(pin(p));
    EXPECT_EQ(count("swarm/connect"), kOriginsMax);
    EXPECT_EQ(calls.back().substr(0, 7), "pin/add");
    EXPECT_NE(last("swarm/connect").find("%2Fip4%2F10.0.0."), std::string::npos)
        << last("swarm/connect");
}

TEST_F(HttpConnectorTest, a_listing_has_both_kinds_and_no_indirect_pins) {
    begin();
    answer("pin/ls recursive",
           {{.pieces = {row(cid, "recursive"), row(other, "indirect through x")}}});
    answer("pin/ls direct", {{.pieces = {row(other, "direct")}}});
    for (const std::vector<std::string>& types :
         {std::vector<std::string>{}, {"all"}, {"recursive", "direct"}}) {
        const auto rows = run(collect(connector->pin_ls(types)));
        ASSERT_TRUE(rows) << rows.error().text;
        ASSERT_EQ(rows.value().size(), 2u);
        EXPECT_EQ(rows.value()[0].status, IpfsPinStatus::recursive);
        EXPECT_EQ(rows.value()[1].status, IpfsPinStatus::direct);
    }
    EXPECT_EQ(last("pin/ls"), "pin/ls?stream=true&type=direct");
    EXPECT_EQ(run(collect(connector->pin_ls({"direct"}))).value().size(), 1u);
}

TEST_F(HttpConnectorTest, a_listing_that_came_short_is_an_error) {
    begin();
    const auto one = row(cid, "recursive");
    answer("pin/ls recursive", {{.pieces = {one}}});
    const std::pair<const char*, Answer> rows[] = {
        {"late error", late({row(other, "direct")}, "datastore closed")},
        {"cut", {.pieces = {row(other, "direct")}, .end = Answer::End::cut}},
        {"cut at once", {.pieces = {}, .end = Answer::End::cut}},
        {"half a row", {.pieces = {"{\"Cid\":\"Qm"}}},
        {"error at once", fault("lock")},
    };
    for (const auto& [name, bad] : rows) {
        answer("pin/ls direct", {bad});
        EXPECT_FALSE(run(collect(connector->pin_ls({})))) << name;
    }
    answer("pin/ls direct", {{.pieces = {}}});
    EXPECT_TRUE(run(collect(connector->pin_ls({}))));
}

TEST_F(HttpConnectorTest, repository_swarm_and_configuration) {
    begin();
    answer("repo/stat", {{.pieces = {R"({"RepoSize":12,"StorageMax":100})"}}});
    EXPECT_EQ(run(connector->repo_stat()).value().storage_max, 100u);
    EXPECT_EQ(last("repo/stat"), "repo/stat?size-only=true");
    answer("repo/gc",
           {{.pieces = {R"({"Key":{"/":")" + cid.to_string() + "\"}}", R"({"Error":"one key"})"}},
            late({}, "gc broke"),
            {.pieces = {}, .end = Answer::End::cut}});
    const auto keys = run(collect(connector->repo_gc()));
    ASSERT_TRUE(keys) << keys.error().text;
    ASSERT_EQ(keys.value().size(), 2u);
    EXPECT_EQ(keys.value()[1].error, "one key");
    EXPECT_FALSE(run(collect(connector->repo_gc())));
    EXPECT_FALSE(run(collect(connector->repo_gc())));
    answer(
        "swarm/peers",
        {{.pieces = {
              R"({"Peers":[{"Peer":"12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"}]})"}}});
    EXPECT_EQ(run(connector->swarm_peers()).value().size(), 1u);
    EXPECT_EQ(run(connector->id()).value().addresses.size(), 1u);
}

TEST_F(HttpConnectorTest, swarm_connect_needs_one_address_that_answers) {
    begin();
    const std::vector<Multiaddr> two(
        2, Multiaddr::parse(
               "/ip4/10.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp")
               .value());
    answer("swarm/connect", {fault("first"), {.pieces = {"{}"}}});
    EXPECT_TRUE(run(connector->swarm_connect(two)));
    answer("swarm/connect", {fault("first"), fault("second")});
    EXPECT_NE(run(connector->swarm_connect(two)).error().text.find("second"), std::string::npos);
    EXPECT_TRUE(run(connector->swarm_connect({})));
}

TEST_F(HttpConnectorTest, content_is_read_back) {
    begin();
    const auto path = "/ipfs/" + other.to_string() + "/a b";
    answer("files/stat",
           {{.pieces = {R"({"Hash":")" + cid.to_string() + R"(","Size":12,"Type":"file"})"}},
            fault("no link named \\\"a b\\\" under x")});
    EXPECT_EQ(run(connector->stat(path)).value().size, 12u);
    EXPECT_NE(last("files/stat").find("a%20b"), std::string::npos) << last("files/stat");
    EXPECT_EQ(run(connector->stat(path)).error().kind, Kind::not_found);
    answer("cat", {{.pieces = {"hello", "world"}},
                   late({"hello"}, "lost a block"),
                   {.pieces = {"hello"}, .end = Answer::End::cut}});
    auto source = std::move(run(connector->cat(cid, 3, 12))).value();
    Bytes all;
    const auto pieces = run(collect(std::move(source))).value();
    for (const auto& piece : pieces) all += piece;
    EXPECT_EQ(all, "hello\nworld\n");
    EXPECT_EQ(last("cat"), "cat?arg=%2Fipfs%2F" + cid.to_string() + "&offset=3&length=12");
    auto broken = std::move(run(connector->cat(cid, 0, UINT64_MAX))).value();
    EXPECT_NE(run(collect(std::move(broken))).error().text.find("lost a block"), std::string::npos);
    EXPECT_EQ(last("cat"), "cat?arg=%2Fipfs%2F" + cid.to_string());
    broken = std::move(run(connector->cat(cid, 0, 5))).value();
    EXPECT_FALSE(run(collect(std::move(broken))));
    EXPECT_TRUE(run(collect(std::move(run(connector->cat(cid, 0, 0))).value())).value().empty());
    answer("ls", {{.pieces = {R"({"Objects":[{"Links":[{"Name":"x","Hash":")" + cid.to_string() +
                              R"(","Size":1,"Type":2}]}]})"}},
                  late({}, "shard lost")});
    EXPECT_EQ(run(collect(std::move(run(connector->ls(other))).value())).value().at(0).name, "x");
    EXPECT_FALSE(run(collect(std::move(run(connector->ls(other))).value())));
    answer("resolve", {{.pieces = {R"({"Path":"/ipfs/)" + cid.to_string() + "\"}"}}});
    EXPECT_EQ(run(connector->resolve(path)).value(), cid);
    EXPECT_EQ(run(connector->resolve("/ipns/example.org")).value(), cid);
    EXPECT_EQ(run(connector->resolve(other.to_string())).value(), other);
    EXPECT_EQ(run(connector->resolve("/ipld/" + other.to_string())).value(), other);
    EXPECT_EQ(count("resolve"), 2u);  // a bare CID needs no daemon
    answer("resolve", {{.pieces = {R"({"Path":"/ipld/)" + cid.to_string() + "\"}"}}});
    EXPECT_EQ(run(connector->resolve("/ipld/" + other.to_string() + "/Links/0/Hash")).value(), cid);
    EXPECT_FALSE(run(connector->resolve("/ipfs/nonsense")));
}

TEST_F(HttpConnectorTest, a_symbolic_link_is_read_from_its_block) {
    begin();
    // dag-pb with UnixFS type 4 and the data "target"; the stub ends each piece with a line end,
    // which is its last byte.
    const std::string unixfs = std::string("\x08\x04\x12\x07", 4) + "target\n";
    const std::string node = std::string("\x0a", 1) + static_cast<char>(unixfs.size()) + unixfs;
    answer("block/get", {{.pieces = {node.substr(0, node.size() - 1)}}});
    EXPECT_EQ(run(connector->read_link(other)).value(), "target\n");
    answer("block/get", {{.pieces = {"just bytes"}}});
    EXPECT_EQ(run(connector->read_link(cid)).error().kind, Kind::invalid);
}

TEST_F(HttpConnectorTest, informers_are_triggered_by_work) {
    int triggered = 0;
    options.informer_trigger_interval = 2;
    options.trigger_informers = [&triggered] { ++triggered; };
    begin();
    answer("pin/rm", {{.pieces = {pinned}}});
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(run(connector->unpin(cid)));
    EXPECT_EQ(triggered, 2);
}

}  // namespace
}  // namespace ipfscluster::ipfshttp
