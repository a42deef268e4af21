#include "net/memory_host.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"
#include "runtime/task_group.hpp"
#include "support/drive.hpp"

namespace ipfscluster::net {
namespace {

using namespace std::chrono_literals;
using test::drive;
using test::start;

constexpr auto kEcho = "/test/echo/1";

PeerId peer(char number) {
    return ed25519_from_seed(Bytes(32, number)).id;
}

asio::awaitable<void> echo(StreamPtr stream) {
    while (true) {
        auto data = co_await stream->read();
        if (!data || data.value().empty()) break;
        auto written = co_await stream->write(std::move(data).value());
        if (!written) co_return;
    }
    auto closed = co_await stream->close_write();
    (void)closed;
}

Async<Bytes> read_all(Stream* stream) {
    Bytes all;
    while (true) {
        auto data = co_await stream->read();
        if (!data) co_return fail(data.error());
        if (data.value().empty()) co_return std::move(all);
        all += data.value();
    }
}

Async<Bytes> ask(Host* host, PeerId to, Bytes question) {
    std::vector<std::string> names{"/test/other/1", kEcho};
    auto stream = co_await host->open(to, std::move(names), 10s);
    if (!stream) co_return fail(stream.error());
    auto written = co_await stream.value()->write(std::move(question));
    if (!written) co_return fail(written.error());
    auto closed = co_await stream.value()->close_write();
    if (!closed) co_return fail(closed.error());
    auto answer = co_await read_all(stream.value().get());
    co_return answer;
}

struct Fixture : ::testing::Test {
    explicit Fixture(std::uint64_t seed = 1) : world(seed), tasks(world, "test"), network(world) {}
    ~Fixture() override {
        a.reset();
        b.reset();
        c.reset();
        world.run_for(1s);
        EXPECT_TRUE(drive<void>(world, tasks.stop()));
    }
    void serve(MemoryHost& host) {
        host.handle(kEcho, [this](StreamPtr stream) { tasks.spawn(echo(std::move(stream))); });
    }
    Result<> connect(MemoryHost& from, MemoryHost& to, Duration limit = 10s) {
        return drive<void>(world, from.connect(to.id(), to.addresses(), limit));
    }
    /// A stream from `a` to `b`, both ends.
    std::pair<StreamPtr, StreamPtr> stream() {
        StreamPtr far;
        b->handle("/test/pair/1", [&far](StreamPtr stream) { far = std::move(stream); });
        auto near = drive<StreamPtr>(world, a->open(b->id(), {"/test/pair/1"}, 10s));
        EXPECT_TRUE(near) << near.error().text;
        world.run_until([&far] { return far != nullptr; }, 10s);
        b->handle("/test/pair/1", {});
        return {std::move(near).value(), std::move(far)};
    }

    SimWorld world;
    TaskGroup tasks;
    MemoryNetwork network;
    std::unique_ptr<MemoryHost> a = network.add_host(peer(1));
    std::unique_ptr<MemoryHost> b = network.add_host(peer(2));
    std::unique_ptr<MemoryHost> c = network.add_host(peer(3));
};

using MemoryHostTest = Fixture;

TEST_F(MemoryHostTest, a_stream_connects_first_and_carries_bytes_both_ways) {
    serve(*b);
    a->add_addresses(b->id(), b->addresses());
    network.set_faults({.delay_low = 1ms, .delay_high = 40ms, .loss_one_in = 10});
    // The echo reads on only while its answers are taken, so the question must fit both windows.
    const Bytes question(kMemoryWindowMax + kStreamChunkMax + 17, 'q');
    auto answer = drive<Bytes>(world, ask(a.get(), b->id(), question));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_TRUE(answer.value() == question);
    EXPECT_TRUE(a->connected(b->id()) && b->connected(a->id()));
    EXPECT_EQ(a->bandwidth()[kEcho].bytes_out, question.size());
    EXPECT_EQ(b->bandwidth()[kEcho].bytes_out, question.size());
}

TEST_F(MemoryHostTest, failures_to_connect_say_why) {
    auto unknown = drive<void>(world, a->connect(b->id(), {}, 1s));
    EXPECT_EQ(unknown.error().kind, Kind::unavailable);
    auto stranger = network.add_host(peer(9), "another secret");
    auto denied = connect(*a, *stranger);
    EXPECT_EQ(denied.error().kind, Kind::denied);
    const auto at = c->addresses();
    network.crash(c->id());
    auto refused = drive<void>(world, a->connect(c->id(), at, 1s));
    EXPECT_EQ(refused.error().kind, Kind::unavailable);
    EXPECT_NE(refused.error().text.find("refused"), std::string::npos) << refused.error().text;
    network.cut(a->id(), b->id());
    EXPECT_EQ(connect(*a, *b, 2s).error().kind, Kind::timeout);
}

TEST_F(MemoryHostTest, an_unspoken_protocol_is_named) {
    ASSERT_TRUE(connect(*a, *b));
    auto refused = drive<StreamPtr>(world, a->open(b->id(), {kEcho}, 1s));
    EXPECT_EQ(refused.error().kind, Kind::unsupported);
    EXPECT_NE(refused.error().text.find(kEcho), std::string::npos);
}

TEST_F(MemoryHostTest, crossing_dials_give_one_connection) {
    network.set_faults({.delay_low = 5ms, .delay_high = 5ms});
    auto first = start<void>(world, a->connect(b->id(), b->addresses(), 10s));
    auto second = start<void>(world, b->connect(a->id(), a->addresses(), 10s));
    world.run_for(1s);
    ASSERT_TRUE(first->has_value() && second->has_value());
    EXPECT_TRUE(**first);
    EXPECT_TRUE(**second);
    serve(*b);
    EXPECT_TRUE(drive<Bytes>(world, ask(a.get(), b->id(), "x")));
}

TEST_F(MemoryHostTest, a_writer_waits_for_the_reader) {
    a->add_addresses(b->id(), b->addresses());
    auto [near, far] = stream();
    auto writing = start<void>(world, near->write(Bytes(kMemoryWindowMax + 1, 'x')));
    world.run_for(10s);
    EXPECT_FALSE(writing->has_value());
    auto piece = drive<Bytes>(world, far->read(10));
    EXPECT_EQ(piece.value().size(), 10u);
    world.run_for(1s);
    EXPECT_TRUE(writing->has_value());
}

TEST_F(MemoryHostTest, a_reset_fails_what_waits_on_both_ends) {
    a->add_addresses(b->id(), b->addresses());
    auto [near, far] = stream();
    auto reading = start<Bytes>(world, near->read());
    auto there = start<Bytes>(world, far->read());
    world.run_for(1s);
    far->reset();
    world.run_for(1s);
    ASSERT_TRUE(reading->has_value() && there->has_value());
    EXPECT_EQ((*reading)->error().kind, Kind::unavailable);
    EXPECT_EQ((*there)->error().kind, Kind::unavailable);
}

TEST_F(MemoryHostTest, destroying_an_end_resets_unless_both_directions_ended) {
    a->add_addresses(b->id(), b->addresses());
    auto [near, far] = stream();
    EXPECT_TRUE(drive<void>(world, near->write("last")));
    EXPECT_TRUE(drive<void>(world, near->close_write()));
    EXPECT_TRUE(drive<void>(world, far->close_write()));
    EXPECT_EQ(drive<Bytes>(world, near->read()).value(), "");
    near.reset();
    EXPECT_EQ(drive<Bytes>(world, read_all(far.get())).value(), "last");

    auto [left, right] = stream();
    left.reset();
    EXPECT_EQ(drive<Bytes>(world, right->read()).error().kind, Kind::unavailable);
}

TEST_F(MemoryHostTest, a_cancelled_read_resets_the_stream) {
    a->add_addresses(b->id(), b->addresses());
    auto [near, far] = stream();
    auto timed = drive<Bytes>(world, with_deadline<Bytes>(world, 1s, "reading", near->read()));
    EXPECT_EQ(timed.error().kind, Kind::timeout);
    EXPECT_EQ(drive<Bytes>(world, far->read()).error().kind, Kind::unavailable);
}

TEST_F(MemoryHostTest, a_crash_ends_connections_and_streams_of_its_peers) {
    std::vector<std::pair<PeerId, bool>> events;
    auto listening =
        a->on_connection([&](ConnectionEvent e) { events.emplace_back(e.peer, e.connected); });
    a->add_addresses(b->id(), b->addresses());
    auto [near, far] = stream();
    auto reading = start<Bytes>(world, near->read());
    world.run_for(1s);
    network.crash(b->id());
    world.run_for(1s);
    ASSERT_TRUE(reading->has_value());
    EXPECT_EQ((*reading)->error().kind, Kind::unavailable);
    EXPECT_EQ(drive<Bytes>(world, far->read()).error().kind, Kind::unavailable);
    EXPECT_EQ(events, (std::vector<std::pair<PeerId, bool>>{{b->id(), true}, {b->id(), false}}));
    EXPECT_EQ(drive<void>(world, b->connect(a->id(), {}, 1s)).error().kind, Kind::shutting_down);

    b = nullptr;
    b = network.add_host(peer(2));
    serve(*b);
    EXPECT_TRUE(drive<Bytes>(world, ask(a.get(), b->id(), "again")));
}

TEST_F(MemoryHostTest, a_short_cut_only_delays_and_a_long_one_disconnects) {
    a->add_addresses(b->id(), b->addresses());
    auto [near, far] = stream();
    network.cut(a->id(), b->id());
    EXPECT_TRUE(drive<void>(world, near->write("held")));
    auto reading = start<Bytes>(world, far->read());
    world.run_for(5s);
    EXPECT_FALSE(reading->has_value());
    network.heal(a->id(), b->id());
    world.run_for(1s);
    ASSERT_TRUE(reading->has_value());
    EXPECT_EQ((*reading)->value(), "held");

    network.partition({a->id()}, {b->id(), c->id()});
    world.run_for(kMemorySilenceMax + 1s);
    EXPECT_FALSE(a->connected(b->id()) || b->connected(a->id()));
    EXPECT_EQ(drive<Bytes>(world, near->read()).error().kind, Kind::unavailable);
    network.heal_all();
    EXPECT_TRUE(connect(*a, *b));
}

TEST_F(MemoryHostTest, a_one_way_cut_stops_one_direction_and_ends_the_connection_in_time) {
    a->add_addresses(b->id(), b->addresses());
    auto [near, far] = stream();
    network.cut_one_way(a->id(), b->id());
    EXPECT_TRUE(drive<void>(world, near->write("unheard")));
    EXPECT_TRUE(drive<void>(world, far->write("heard")));
    auto at_b = start<Bytes>(world, far->read());
    EXPECT_EQ(drive<Bytes>(world, near->read()).value(), "heard");
    world.run_for(5s);
    EXPECT_FALSE(at_b->has_value());
    network.heal(a->id(), b->id());
    world.run_for(1s);
    ASSERT_TRUE(at_b->has_value());
    EXPECT_EQ((*at_b)->value(), "unheard");

    network.cut_one_way(a->id(), b->id());
    world.run_for(kMemorySilenceMax + 1s);
    EXPECT_FALSE(a->connected(b->id()) || b->connected(a->id()));
    EXPECT_FALSE(connect(*a, *b, 2s));
    EXPECT_FALSE(connect(*b, *a, 2s)) << "a dial needs its answer";
    network.heal_all();
    EXPECT_TRUE(connect(*b, *a));
}

TEST_F(MemoryHostTest, a_cut_of_gossip_leaves_streams_alone) {
    ASSERT_TRUE(connect(*a, *b));
    int heard_by_a = 0, heard_by_b = 0;
    a->subscribe("t", [&heard_by_a](TopicMessage) { ++heard_by_a; });
    b->subscribe("t", [&heard_by_b](TopicMessage) { ++heard_by_b; });
    network.cut_gossip(a->id(), b->id());
    EXPECT_TRUE(drive<void>(world, a->publish("t", "lost")));
    EXPECT_TRUE(drive<void>(world, b->publish("t", "comes")));
    world.run_for(1s);
    EXPECT_EQ(heard_by_b, 0);
    EXPECT_EQ(heard_by_a, 1);
    serve(*b);
    EXPECT_EQ(drive<Bytes>(world, ask(a.get(), b->id(), "hello")).value(), "hello");
    network.heal_all();
    EXPECT_TRUE(drive<void>(world, a->publish("t", "comes again")));
    world.run_for(1s);
    EXPECT_EQ(heard_by_b, 1);
}

TEST_F(MemoryHostTest, gossip_reaches_each_subscriber_once_over_hops) {
    ASSERT_TRUE(connect(*a, *b));
    ASSERT_TRUE(connect(*b, *c));
    std::vector<std::string> heard;
    for (auto* host : {a.get(), b.get(), c.get()})
        host->subscribe("t", [&heard, host](TopicMessage m) {
            heard.push_back(host->id().to_string() + m.from.to_string() + m.data);
        });
    EXPECT_TRUE(drive<void>(world, a->publish("t", "one")));
    world.run_for(1s);
    const auto from = a->id().to_string() + "one";
    EXPECT_EQ(heard, (std::vector{b->id().to_string() + from, c->id().to_string() + from}));
    b->set_topic_validator("t", [](const TopicMessage& m) { return m.data != "bad"; });
    EXPECT_TRUE(drive<void>(world, a->publish("t", "bad")));
    world.run_for(1s);
    EXPECT_EQ(heard.size(), 2u);
    c->unsubscribe("t");
    EXPECT_TRUE(drive<void>(world, a->publish("t", "two")));
    world.run_for(1s);
    EXPECT_EQ(heard.size(), 3u);
}

TEST_F(MemoryHostTest, gossip_of_a_peer_that_comes_back_is_new) {
    int heard = 0;
    b->subscribe("t", [&heard](TopicMessage) { ++heard; });
    for (int life = 1; life <= 3; ++life) {
        ASSERT_TRUE(connect(*a, *b));
        for (int i = 0; i < 5; ++i) EXPECT_TRUE(drive<void>(world, a->publish("t", "ping")));
        world.run_for(1s);
        EXPECT_EQ(heard, 5 * life);
        const auto id = a->id();
        network.crash(id);
        a.reset();
        world.run_for(1s);
        a = network.add_host(id);
    }
}

TEST_F(MemoryHostTest, a_peer_is_found_through_others) {
    ASSERT_TRUE(connect(*a, *b));
    ASSERT_TRUE(connect(*c, *b));
    EXPECT_EQ(drive<std::vector<Multiaddr>>(world, a->find_peer(c->id(), 1s)).value(),
              std::vector{network.address_of(c->id())});
    EXPECT_EQ(drive<std::vector<Multiaddr>>(world, a->find_peer(peer(77), 1s)).error().kind,
              Kind::not_found);
}

/// When each of twenty answers arrives under faults.
std::vector<SteadyTime::rep> trace(std::uint64_t seed) {
    struct Run : Fixture {
        using Fixture::Fixture;
        void TestBody() override {}
    } run(seed);
    run.network.set_faults({.delay_low = 1ms, .delay_high = 90ms, .loss_one_in = 5});
    run.serve(*run.b);
    run.a->add_addresses(run.b->id(), run.b->addresses());
    std::vector<SteadyTime::rep> times;
    for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(drive<Bytes>(run.world, ask(run.a.get(), run.b->id(), Bytes(100000, 'x'))));
        times.push_back(run.world.steady_now().time_since_epoch().count());
    }
    return times;
}

TEST(MemoryNetworkSeeds, the_same_seed_gives_the_same_run) {
    const auto first = trace(7);
    EXPECT_EQ(first, trace(7));
    EXPECT_NE(first, trace(8));
}

}  // namespace
}  // namespace ipfscluster::net
