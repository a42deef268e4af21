#include "rpc/refusal_log.hpp"
#include "unit/rpc/fixture.hpp"

// Places, time and room of those who are no members, and who is one.
namespace ipfscluster::rpc::test {
namespace {

struct DoorTest : Fixture {
    using Pending = std::shared_ptr<std::optional<Result<Bytes>>>;
    std::unique_ptr<net::MemoryHost> stranger(char number) {
        auto host = network.add_host(peer(number));
        host->add_addresses(peer(1), {network.address_of(peer(1))});
        return host;
    }
    static Bytes head(const char* method) {
        return codec::to_msgpack(ServiceId{"Cluster", method});
    }
};

TEST_F(DoorTest, silent_streams_of_strangers_take_no_place_of_a_member) {
    std::vector<std::unique_ptr<net::MemoryHost>> strangers;
    std::vector<Pending> silent;
    for (char number = 10; number < 50; ++number) {
        strangers.push_back(stranger(number));
        // The beginning of a head: an empty stream is not even seen.
        for (int i = 0; i < 20; ++i)
            silent.push_back(start(world, exchange(strangers.back().get(), hex("82"), false)));
        world.run_for(10ms);
        EXPECT_LE(server.running(), kServerCalls.strangers);
        EXPECT_LE(server.running(), (strangers.size()) * kServerCalls.per_stranger);
    }
    EXPECT_EQ(server.running(), kServerCalls.strangers);
    EXPECT_EQ((call<std::int64_t>("Trusted", std::int64_t{2}).value()), 4);
    EXPECT_GE(server.refused(), silent.size() - kServerCalls.strangers);
    world.run_for(kStrangerRequestLimit + 1s);
    EXPECT_EQ(server.running(), 0U);
    EXPECT_EQ(server.callers(), 0U);
}

/// A byte a second, of a head that never ends.
Async<> dribble(World* world, net::Host* host) {
    std::vector<std::string> protocols(1, std::string(kRpcProtocol));
    ICL_CO_TRY(const auto stream, co_await host->open(peer(1), std::move(protocols), 10s));
    ICL_CO_TRY(co_await stream->write(hex("82a44e616d65da7fff")));
    while (true) {
        ICL_CO_TRY(co_await stream->write(Bytes(1, 'x')));
        ICL_CO_TRY(co_await world->sleep_for(1s));
    }
}

TEST_F(DoorTest, a_head_that_comes_byte_by_byte_is_not_waited_for) {
    const auto other = stranger(10);
    const auto slow = start(world, dribble(&world, other.get()));
    const auto slow_member = start(world, dribble(&world, client_host.get()));
    world.run_for(2s);
    EXPECT_EQ(server.running(), 2U);
    world.run_for(kStrangerRequestLimit);
    EXPECT_TRUE(slow->has_value());
    EXPECT_EQ(server.running(), 1U);
    world.run_for(kRequestLimit);
    EXPECT_TRUE(slow_member->has_value());
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(DoorTest, the_argument_of_a_stranger_is_small) {
    const auto other = stranger(10);
    const auto big = head("Open") + hex("db00020000");  // 128 KiB follow
    const auto refused = drive(world, exchange(other.get(), big, false));
    ASSERT_TRUE(refused) << refused.error().text;
    EXPECT_NE(refused.value().find("longer than"), Bytes::npos);
    const auto small = drive(world, exchange(other.get(), head("Open") + hex("07"), false));
    ASSERT_TRUE(small);
    EXPECT_EQ(seen.caller, peer(10));
    // A member's is waited for.
    const auto member = start(world, exchange(client_host.get(), big, false));
    world.run_for(10s);
    EXPECT_FALSE(member->has_value());
}

TEST_F(DoorTest, one_of_which_this_peer_has_not_heard_is_asked_about) {
    trusted = false;
    distrust.kind = Kind::retryable;
    EXPECT_EQ((call<std::int64_t>("Trusted", std::int64_t{2}).value()), 4);
    EXPECT_EQ(questions, 1);
    EXPECT_EQ((call<std::int64_t>("Open", std::int64_t{2}).value()), 4);
    EXPECT_FALSE(call<Empty>("Pin", Empty{}));
    EXPECT_EQ(questions, 1) << "what all or none may call needs no question";
    found_out = fail(Kind::denied, "");
    EXPECT_EQ(call<std::int64_t>("Trusted", std::int64_t{2}).error(),
              (Error{Kind::denied,
                     "client does not have permissions to call Cluster.Trusted: not a member"}));
    found_out = fail(Kind::retryable, "");
    EXPECT_EQ(call<std::int64_t>("Trusted", std::int64_t{2}).error(),
              (Error{Kind::retryable, "rpc: not a member"}));
    EXPECT_EQ(server.refused(), 2U);
    distrust.kind = Kind::denied;
    EXPECT_FALSE(call<std::int64_t>("Trusted", std::int64_t{2}));
    EXPECT_EQ(questions, 3) << "where it is certain nobody is asked";
}

TEST_F(DoorTest, a_member_that_had_to_be_asked_about_sends_blocks_as_others_do) {
    trusted = false;
    distrust.kind = Kind::retryable;
    NodeWithMeta block;
    block.data = Bytes(200 * 1024, 'x');
    const auto answer = raw(head("Store") + codec::to_msgpack(block), true);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(seen.received, 1);
}

TEST(RefusalLog, speaks_of_a_peer_once_a_minute_and_of_few_in_all) {
    RefusalLog log;
    SteadyTime now{};
    EXPECT_TRUE(log.note(peer(1), now));
    EXPECT_FALSE(log.note(peer(1), now + 59s));
    EXPECT_TRUE(log.note(peer(1), now + 60s));
    std::size_t lines = 0;
    for (int i = 0; i < 100; ++i) lines += log.note(peer(static_cast<char>(2 + i)), now + 61s);
    EXPECT_EQ(lines, kToldPeersMax - 1);
    EXPECT_EQ(log.count(), 103U);
}

}  // namespace
}  // namespace ipfscluster::rpc::test
