// The calls the cluster answers, in Kubo's form.
#include "http/multipart_writer.hpp"
#include "unit/api_ipfsproxy/proxy_fixture.hpp"

namespace ipfscluster::ipfsproxy {
namespace {

using http::Exchange;
using http::Method;

class Intercept : public ProxyFixture {
 protected:
    bool called(const std::string& what) const {
        return std::find(cluster.calls.begin(), cluster.calls.end(), what) != cluster.calls.end();
    }
    const std::string a = test_cid("a").to_string();
    const std::string b = test_cid("b").to_string();
};

TEST_F(Intercept, pin_add_answers_when_the_pin_is_held) {
    start();
    auto answer = post("/api/v0/pin/add?arg=" + a);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{\"Pins\":[\"" + a + "\"]}\n");
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/json");
    EXPECT_EQ(answer.headers.get("Server"), "ipfs-cluster/ipfsproxy/1.1.6");
    EXPECT_TRUE(called("pin " + a));
    EXPECT_EQ(cluster.last_pin.max_depth, kDepthRecursive);

    auto both = post("/api/v0/pin/add?arg=/ipfs/" + b + "&arg=" + a + "&recursive=false&name=n");
    EXPECT_EQ(both.body, "{\"Pins\":[\"" + b + "\",\"" + a + "\"]}\n");
    EXPECT_EQ(cluster.pinset[test_cid("b")].max_depth, kDepthDirect);
    EXPECT_EQ(cluster.pinset[test_cid("b")].options.name, "n");
    // The first is recursive already, which is more than was asked for.
    EXPECT_EQ(cluster.pinset[test_cid("a")].max_depth, kDepthRecursive);

    EXPECT_EQ(post("/api/v0/pin/add/" + a + "?type=direct").status, 200);
    EXPECT_TRUE(std::none_of(daemon_saw.begin(), daemon_saw.end(), [](const std::string& call) {
        return call.find("pin") != std::string::npos;
    }));
}

TEST_F(Intercept, pin_add_leaves_a_pin_that_is_there_as_it_is) {
    start();
    hold("a");
    cluster.pinset[test_cid("a")].options.replication_min = 1;
    cluster.pinset[test_cid("a")].allocations = {cluster.us};
    EXPECT_EQ(post("/api/v0/pin/add?arg=" + a).status, 200);
    EXPECT_FALSE(called("pin " + a));
    EXPECT_EQ(post("/api/v0/pin/add?arg=" + a + "&name=new").status, 200);
    EXPECT_EQ(cluster.pinset[test_cid("a")].options.name, "new");
    EXPECT_EQ(cluster.pinset[test_cid("a")].options.replication_min, 1);
}

TEST_F(Intercept, pin_add_shows_progress_until_the_peers_hold_it) {
    start();
    cluster.states.assign(10, TrackerStatus::pinning);
    cluster.states.push_back(TrackerStatus::pinned);
    cluster.fetched = 7;
    auto answer = post("/api/v0/pin/add?progress=true&arg=" + a);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body.starts_with("{\"Progress\":7,\"Bytes\":700}\n")) << answer.body;
    EXPECT_TRUE(answer.body.ends_with("}\n{\"Pins\":[\"" + a + "\"]}\n")) << answer.body;
    EXPECT_EQ(answer.headers.get("X-Chunked-Output"), "1");
    EXPECT_FALSE(answer.trailers.has("X-Stream-Error"));
}

TEST_F(Intercept, a_queued_pin_counts_up_so_that_nobody_gives_it_up) {
    start();
    cluster.states.assign(9, TrackerStatus::pin_queued);
    cluster.states.push_back(TrackerStatus::pinned);
    auto answer = post("/api/v0/pin/add?progress=true&arg=" + a);
    EXPECT_TRUE(answer.body.starts_with("{\"Progress\":1}\n{\"Progress\":2}\n")) << answer.body;
}

TEST_F(Intercept, a_pin_that_runs_counts_up_too_as_each_peer_has_its_own_limit) {
    start();
    cluster.states.assign(9, TrackerStatus::pinning);
    cluster.states.push_back(TrackerStatus::pin_error);
    cluster.state_error = "nobody has it";
    auto answer = post("/api/v0/pin/add?progress=true&arg=" + a);
    EXPECT_TRUE(answer.body.starts_with("{\"Progress\":1}\n{\"Progress\":2}\n")) << answer.body;
    EXPECT_NE(answer.trailers.get("X-Stream-Error").find("nobody has it"), std::string::npos);
}

TEST_F(Intercept, a_pin_that_fails_says_so) {
    start();
    cluster.states = {TrackerStatus::pinning, TrackerStatus::pin_error};
    cluster.state_error = "the disk is full";
    auto answer = post("/api/v0/pin/add?arg=" + a);
    EXPECT_EQ(answer.status, 500);
    EXPECT_NE(message_of(answer).find("the disk is full"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("\"Code\":0,\"Type\":\"error\""), std::string::npos);
    EXPECT_TRUE(cluster.pinset.contains(test_cid("a")));  // it was acknowledged as wanted

    // Late: the answer has begun, so the cause stands in the trailer, and nothing says "Pins".
    cluster.states.assign(10, TrackerStatus::pinning);
    cluster.states.push_back(TrackerStatus::pin_error);
    auto late = post("/api/v0/pin/add?progress=true&arg=" + b);
    EXPECT_EQ(late.status, 200);
    EXPECT_NE(late.trailers.get("X-Stream-Error").find("the disk is full"), std::string::npos);
    EXPECT_EQ(late.body.find("Pins"), std::string::npos);
}

TEST_F(Intercept, a_pin_that_had_failed_is_tried_again) {
    start();
    hold("a");
    cluster.states = {TrackerStatus::pin_error, TrackerStatus::pinning, TrackerStatus::pinned};
    EXPECT_EQ(post("/api/v0/pin/add?arg=" + a).status, 200);
    EXPECT_TRUE(called("recover " + a));
}

TEST_F(Intercept, arguments_are_required_and_checked) {
    start();
    for (const char* call : {"pin/add", "pin/rm"}) {
        auto none = post("/api/v0/" + std::string(call));
        EXPECT_EQ(none.status, 400);
        EXPECT_EQ(none.body,
                  "{\"Message\":\"argument \\\"ipfs-path\\\" is "
                  "required\",\"Code\":1,\"Type\":\"error\"}\n");
        EXPECT_EQ(post("/api/v0/" + std::string(call) + "?arg=nonsense").status, 500);
    }
    EXPECT_EQ(post("/api/v0/pin/add?arg=%zz").status, 400);
    EXPECT_EQ(post("/api/v0/pin/add?progress=perhaps&arg=" + a).status, 400);
    EXPECT_EQ(post("/api/v0/pin/add?recursive=perhaps&arg=" + a).status, 500);
    EXPECT_TRUE(cluster.pinset.empty());
}

TEST_F(Intercept, arguments_may_come_in_the_body) {
    start();
    http::MultipartWriter writer(1, 2);
    Bytes body = writer.begin_file("stdin", "application/octet-stream") + a + "\n" + b + "\r\n";
    body += writer.close();
    auto answer = post("/api/v0/pin/add", {{"Content-Type", writer.content_type()}}, body);
    EXPECT_EQ(answer.body, "{\"Pins\":[\"" + a + "\",\"" + b + "\"]}\n");
    // Kubo's command line sends the first in the query, the others here.
    auto mixed = post("/api/v0/pin/rm?arg=" + b, {{"Content-Type", writer.content_type()}},
                      body.substr(0, body.find(b)) + body.substr(body.find("\r\n", body.find(b))));
    EXPECT_EQ(mixed.body, "{\"Pins\":[\"" + b + "\",\"" + a + "\"]}\n");
}

TEST_F(Intercept, pin_rm_uses_kubos_words) {
    start();
    hold("a");
    EXPECT_EQ(post("/api/v0/pin/rm?arg=" + a).body, "{\"Pins\":[\"" + a + "\"]}\n");
    auto again = post("/api/v0/pin/rm/" + a);
    EXPECT_EQ(again.status, 500);
    EXPECT_EQ(message_of(again), "not pinned or pinned indirectly");
}

TEST_F(Intercept, pin_update_moves_a_pin_and_lets_go_of_the_old_one) {
    start();
    hold("a");
    auto answer = post("/api/v0/pin/update?arg=" + a + "&arg=" + b);
    EXPECT_EQ(answer.body, "{\"Pins\":[\"" + a + "\",\"" + b + "\"]}\n");
    EXPECT_EQ(cluster.last_options.pin_update, test_cid("a"));
    EXPECT_FALSE(cluster.pinset.contains(test_cid("a")));
    // Kept when asked for, and when both are the same.
    hold("a");
    EXPECT_EQ(post("/api/v0/pin/update?unpin=false&arg=" + a + "&arg=" + b).status, 200);
    EXPECT_TRUE(cluster.pinset.contains(test_cid("a")));
    EXPECT_EQ(post("/api/v0/pin/update?arg=" + a + "&arg=" + a).status, 200);
    EXPECT_TRUE(cluster.pinset.contains(test_cid("a")));
    // Not let go of when the new one cannot be held.
    cluster.states = {TrackerStatus::pinning, TrackerStatus::pin_error};
    EXPECT_EQ(post("/api/v0/pin/update?arg=" + a + "&arg=" + b).status, 500);
    EXPECT_TRUE(cluster.pinset.contains(test_cid("a")));
    cluster.states.clear();

    EXPECT_EQ(message_of(post("/api/v0/pin/update")), "argument \\\"from-path\\\" is required");
    auto one = post("/api/v0/pin/update?arg=" + a);
    EXPECT_EQ(one.status, 400);
    EXPECT_EQ(message_of(one), "argument \\\"to-path\\\" is required");
    auto absent = post("/api/v0/pin/update?arg=" + test_cid("absent").to_string() + "&arg=" + b);
    EXPECT_EQ(message_of(absent), "'from' cid was not recursively pinned already");
}

TEST_F(Intercept, pin_ls_lists_the_pinset) {
    start();
    EXPECT_EQ(post("/api/v0/pin/ls").body, "{\"Keys\":{}}\n");
    EXPECT_EQ(post("/api/v0/pin/ls?stream=true").body, "");
    hold("a");
    EXPECT_EQ(post("/api/v0/pin/ls").body,
              "{\"Keys\":{\"" + a + "\":{\"Type\":\"recursive\",\"Name\":\"\"}}}\n");
    EXPECT_EQ(post("/api/v0/pin/ls?names=true&stream=true").body,
              "{\"Cid\":\"" + a + "\",\"Name\":\"a\",\"Type\":\"recursive\"}\n");
    hold("b", PinType::data, kDepthDirect);
    EXPECT_EQ(post("/api/v0/pin/ls?type=direct&s=true").body,
              "{\"Cid\":\"" + b + "\",\"Type\":\"direct\"}\n");
    EXPECT_EQ(post("/api/v0/pin/ls?type=recursive&stream=true").body,
              "{\"Cid\":\"" + a + "\",\"Type\":\"recursive\"}\n");
    EXPECT_EQ(post("/api/v0/pin/ls?type=indirect").body, "{\"Keys\":{}}\n");
    EXPECT_EQ(post("/api/v0/pin/ls?name=b").body,
              "{\"Keys\":{\"" + b + "\":{\"Type\":\"direct\",\"Name\":\"b\"}}}\n");
    EXPECT_EQ(message_of(post("/api/v0/pin/ls?type=x")),
              "invalid type 'x', must be one of {direct, indirect, recursive, all}");
}

TEST_F(Intercept, a_list_that_fails_never_passes_for_a_whole_one) {
    start();
    cluster.list_error = Error{Kind::corrupt, "a broken row"};
    EXPECT_EQ(post("/api/v0/pin/ls").status, 500);
    EXPECT_EQ(post("/api/v0/pin/ls?stream=true").status, 500);
    hold("a");
    auto stream = post("/api/v0/pin/ls?stream=true");
    EXPECT_EQ(stream.status, 200);
    EXPECT_EQ(stream.trailers.get("X-Stream-Error"), "a broken row");
    auto plain = run(client->fetch({.method = Method::post, .target = "/api/v0/pin/ls"}));
    EXPECT_FALSE(plain) << plain.value().body;
}

TEST_F(Intercept, pin_ls_of_a_cid_says_what_the_peers_hold) {
    start();
    hold("a");
    EXPECT_EQ(post("/api/v0/pin/ls?arg=" + a).body,
              "{\"Keys\":{\"" + a + "\":{\"Type\":\"recursive\",\"Name\":\"\"}}}\n");
    EXPECT_EQ(post("/api/v0/pin/ls?stream=true&arg=/ipfs/" + a).body,
              "{\"Cid\":\"" + a + "\",\"Type\":\"recursive\"}\n");
    auto absent = post("/api/v0/pin/ls/" + b);
    EXPECT_EQ(absent.status, 500);
    EXPECT_EQ(message_of(absent), "path '" + b + "' is not pinned");
    EXPECT_EQ(post("/api/v0/pin/ls?type=direct&arg=" + a).status, 500);
    // In the pinset, and yet nobody holds it.
    cluster.states = {TrackerStatus::pin_error};
    EXPECT_TRUE(message_of(post("/api/v0/pin/ls?arg=" + a)).ends_with("not pinned"));
    // A peer that does not answer may hold it.
    cluster.states = {TrackerStatus::cluster_error};
    EXPECT_EQ(post("/api/v0/pin/ls?arg=" + a).status, 200);
}

TEST_F(Intercept, add_goes_through_the_cluster) {
    start();
    http::MultipartWriter writer(1, 2);
    Bytes body = writer.begin_file("docs/a.txt", "application/octet-stream") + "hello";
    body += writer.close();
    const http::Headers type{{"Content-Type", writer.content_type()}};
    const auto root = test_cid("root").to_string();
    auto answer = post("/api/v0/add?pin=true&trickle=true&stream-channels=true", type, body);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{\"Name\":\"docs/a.txt\",\"Hash\":\"" + root + "\",\"Size\":\"13\"}\n");
    EXPECT_EQ(cluster.add_state.params.layout, "trickle");
    EXPECT_FALSE(cluster.add_state.params.no_pin);
    auto progress = post("/api/v0/add?progress=true&pin=false", type, body);
    EXPECT_TRUE(progress.body.starts_with("{\"Name\":\"docs/a.txt\",\"Bytes\":5}\n"))
        << progress.body;
    EXPECT_TRUE(cluster.add_state.params.no_pin);
    // Errors: at once, late, and in one piece.
    EXPECT_EQ(post("/api/v0/add?inline=true", type, body).status, 500);
    EXPECT_EQ(post("/api/v0/add", {}, "no form").status, 500);
    cluster.add_state.begin_error = Error{Kind::invalid, "chunker: bad one"};
    EXPECT_EQ(post("/api/v0/add", type, body).status, 500);
    cluster.add_state.begin_error.reset();
    cluster.add_state.finish_error = Error{Kind::unavailable, "no quorum"};
    EXPECT_EQ(post("/api/v0/add", type, body).trailers.get("X-Stream-Error"), "no quorum");
    auto whole = post("/api/v0/add?stream-channels=false", type, body);
    EXPECT_EQ(whole.status, 500);
    EXPECT_EQ(message_of(whole), "no quorum");
    // What stores nothing is the daemon's.
    EXPECT_EQ(post("/api/v0/add?only-hash=true", type, body).body, "daemon");
}

TEST_F(Intercept, repo_calls_speak_for_all_members) {
    start();
    cluster.repo_total = {7, 100};
    EXPECT_EQ(post("/api/v0/repo/stat").body, "{\"RepoSize\":7,\"StorageMax\":100}\n");
    cluster.gc_keys = {{test_cid("a"), ""}, {Cid(), "peer2: is away"}, {test_cid("b"), ""}};
    const std::string row_a = "{\"Key\":{\"/\":\"" + a + "\"}}\n";
    const std::string row_b = "{\"Key\":{\"/\":\"" + b + "\"}}\n";
    auto joined = post("/api/v0/repo/gc");
    EXPECT_EQ(joined.body, row_a + row_b);
    EXPECT_EQ(joined.trailers.get("X-Stream-Error"), "peer2: is away");
    auto rows = post("/api/v0/repo/gc?stream-errors=true");
    EXPECT_EQ(rows.body, row_a + "{\"Key\":null,\"Error\":\"peer2: is away\"}\n" + row_b);
    EXPECT_EQ(rows.trailers.get("X-Stream-Error"), "encountered errors during gc run");
    EXPECT_EQ(post("/api/v0/repo/gc?silent=true").body, "");
    cluster.gc_keys.clear();
    EXPECT_FALSE(post("/api/v0/repo/gc").trailers.has("X-Stream-Error"));
}

class Puts : public Intercept {
 protected:
    /// A daemon that stores, and says what it was told.
    void start_daemon(std::string rows, std::string trailer = {}, int status = 200) {
        start([this, rows, trailer, status](Exchange& e) -> Async<> {
            daemon_saw.push_back(e.request.target);
            keep = e.request.headers.has(component::kKeepForPinField);
            ICL_CO_TRY(auto body, co_await e.read_whole_body(1 << 20));
            stored = body;
            if (status != 200)
                co_return co_await e.respond(status, "application/json", "{\"Message\":\"no\"}");
            e.headers.add("Trailer", "X-Stream-Error");
            e.start(200, "application/json");
            ICL_CO_TRY(co_await e.write(rows));
            if (!trailer.empty()) e.add_trailer("X-Stream-Error", trailer);
            co_return co_await e.finish();
        });
    }
    std::string stored;
    bool keep = false;  ///< a node of ours is asked to keep it for the cluster's pin
};

TEST_F(Puts, blocks_are_stored_by_the_daemon_and_pinned_by_the_cluster) {
    const std::string rows =
        "{\"Key\":\"" + a + "\",\"Size\":1}\n{\"Key\":\"" + b + "\",\"Size\":2}\n";
    start_daemon(rows);
    auto answer = post("/api/v0/block/put?pin=true&format=raw", {}, "upload");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, rows);
    EXPECT_EQ(stored, "upload");
    EXPECT_EQ(daemon_saw.back(), "/api/v0/block/put?pin=false&format=raw");
    EXPECT_TRUE(keep);
    EXPECT_TRUE(called("pin " + a));
    EXPECT_TRUE(called("pin " + b));
    EXPECT_FALSE(answer.trailers.has("X-Stream-Error"));

    cluster.calls.clear();
    EXPECT_EQ(post("/api/v0/block/put?format=raw", {}, "upload").body, rows);
    EXPECT_EQ(daemon_saw.back(), "/api/v0/block/put?format=raw");
    EXPECT_FALSE(keep);
    EXPECT_TRUE(cluster.calls.empty());

    cluster.pinset.clear();
    cluster.call_error = Error{Kind::unavailable, "no quorum"};
    auto failed = post("/api/v0/block/put?pin=true", {}, "upload");
    EXPECT_EQ(failed.body, rows);
    EXPECT_EQ(failed.trailers.all("X-Stream-Error").size(), 2u);
}

TEST_F(Puts, a_pin_that_is_there_keeps_its_options) {
    start_daemon("{\"Key\":\"" + a + "\",\"Size\":1}\n");
    hold("a");
    auto& there = cluster.pinset[test_cid("a")];
    there.options.replication_min = there.options.replication_max = 1;
    there.options.metadata["k"] = "v";
    there.allocations = {cluster.us};
    EXPECT_EQ(post("/api/v0/block/put?pin=true", {}, "upload").status, 200);
    EXPECT_FALSE(called("pin " + a));
    // One that shall expire stays from now on, and one of the block alone goes deeper.
    there.options.expire_at = world.system_now() + std::chrono::hours(1);
    there.max_depth = kDepthDirect;
    EXPECT_EQ(post("/api/v0/block/put?pin=true", {}, "upload").status, 200);
    EXPECT_TRUE(called("pin " + a));
    EXPECT_EQ(there.options.name, "a");
    EXPECT_EQ(there.options.replication_max, 1);
    EXPECT_EQ(there.options.metadata["k"], "v");
    EXPECT_EQ(there.options.expire_at, kTimeUnset);
    EXPECT_EQ(there.max_depth, kDepthRecursive);
}

TEST_F(Puts, objects_too_and_the_daemons_late_errors_are_passed_on) {
    const std::string rows = "{\"Cid\":{\"/\":\"" + a + "\"}}\n";
    start_daemon(rows, "late");
    auto answer = post("/api/v0/dag/put?pin=true&store-codec=dag-cbor", {}, "{}");
    EXPECT_EQ(answer.body, rows);
    EXPECT_EQ(answer.trailers.get("X-Stream-Error"), "late");
    EXPECT_TRUE(called("pin " + a));
}

TEST_F(Puts, what_the_daemon_refuses_is_refused_in_its_words) {
    start_daemon("", "", 500);
    auto answer = post("/api/v0/block/put?pin=true", {}, "upload");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, "{\"Message\":\"no\"}");
}

TEST_F(Puts, an_answer_nobody_can_read_is_cut) {
    start_daemon("nonsense\n");
    auto answer =
        run(client->fetch({.method = Method::post, .target = "/api/v0/block/put?pin=true"}));
    EXPECT_FALSE(answer && answer.value().status == 200);
}

class Browser : public Intercept {
 protected:
    void start_daemon(config::ProxyConfig config = config::ProxyConfig()) {
        start(
            [this](Exchange& e) -> Async<> {
                const auto origin = e.request.headers.get("Origin");
                if (e.request.method == Method::options && origin == "http://good") {
                    e.headers.add("Access-Control-Allow-Origin", origin);
                    e.headers.add("Vary", "Origin");
                    return e.respond(204, {}, {});
                }
                if (e.request.target == "/api/v0/version") {
                    ++versions;
                    e.headers.add("Access-Control-Expose-Headers", "X-Stream-Output");
                    e.headers.add("X-Extra", "yes");
                }
                return e.respond(200, "text/plain", "daemon");
            },
            std::move(config));
    }
    int versions = 0;
};

TEST_F(Browser, only_pages_the_daemon_allows_may_call) {
    start_daemon();
    hold("a");
    const std::string target = "/api/v0/pin/rm?arg=" + a;
    EXPECT_EQ(post(target, {{"Origin", "http://evil"}}).status, 403);
    EXPECT_EQ(ask(Method::get, target, {{"Referer", "http://evil/x"}}).status, 403);
    EXPECT_EQ(ask(Method::get, target, {{"User-Agent", "Mozilla/5.0"}}).status, 403);
    EXPECT_TRUE(cluster.pinset.contains(test_cid("a")));
    auto good = post(target, {{"Origin", "http://good"}});
    EXPECT_EQ(good.status, 200);
    EXPECT_EQ(good.headers.get("Access-Control-Allow-Origin"), "http://good");
    EXPECT_EQ(good.headers.get("Vary"), "Origin");
}

TEST_F(Browser, fields_of_the_daemon_are_copied_and_kept_for_a_while) {
    config::ProxyConfig config;
    config.extract_headers_extra = {"X-Extra"};
    start_daemon(config);
    for (int i = 0; i < 3; ++i) {
        auto answer = post("/api/v0/pin/ls");
        EXPECT_EQ(answer.headers.get("Access-Control-Expose-Headers"), "X-Stream-Output");
        EXPECT_EQ(answer.headers.get("X-Extra"), "yes");
    }
    EXPECT_EQ(versions, 1);
}

TEST_F(Browser, a_daemon_that_says_nothing_is_no_hindrance) {
    UpstreamNode node;
    node.address = Multiaddr::parse("/ip4/127.0.0.1/tcp/1").value();
    start_before(node);
    EXPECT_EQ(post("/api/v0/pin/ls").status, 200);
    EXPECT_EQ(post("/api/v0/pin/ls", {{"Origin", "http://good"}}).status, 403);
}

}  // namespace
}  // namespace ipfscluster::ipfsproxy
