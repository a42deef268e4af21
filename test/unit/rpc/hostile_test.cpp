#include <random>

#include "unit/rpc/fixture.hpp"

// Peers of the swarm that send anything at all.
namespace ipfscluster::rpc::test {
namespace {

using HostileTest = Fixture;

TEST_F(HostileTest, garbage_never_reaches_a_handler_and_ends_the_stream) {
    std::mt19937_64 random(11);
    for (int round = 0; round < 200; ++round) {
        Bytes request(random() % 200 + 1, '\0');
        for (auto& c : request) c = static_cast<char>(random());
        (void)raw(request, true);
    }
    world.run_for(1min);
    EXPECT_EQ(seen.calls, 0);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(HostileTest, a_head_that_never_ends_is_cut_off) {
    auto waiting = start(world, exchange(client_host.get(), hex("82 a44e616d65"), false));
    world.run_for(kRequestLimit + 5s);
    EXPECT_TRUE(waiting->has_value());
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(HostileTest, a_huge_head_or_argument_is_refused_at_its_length) {
    (void)raw(hex("db7fffffff"));
    const auto big =
        raw(codec::to_msgpack(ServiceId{"Cluster", "Open"}) + hex("db7fffffff")).value();
    EXPECT_NE(big.find("longer than"), Bytes::npos);
    world.run_for(1min);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(HostileTest, a_corrupt_argument_of_a_stream_is_the_servers_error_type) {
    const auto answer =
        raw(codec::to_msgpack(ServiceId{"Cluster", "Blocks"}) + hex("90"), true).value();
    BytesView rest = answer;
    codec::Scanner scanner;
    const auto size = *scanner.scan(rest).value();
    const auto response = codec::from_msgpack<Response>(rest.substr(0, size)).value();
    EXPECT_EQ(response.type, ErrorType::server);
    EXPECT_EQ(rest.substr(size), hex("c0"));
}

TEST_F(HostileTest, an_answer_beyond_the_limit_is_refused) {
    count = 1;
    auto source = client.stream<std::string, std::int64_t>(peer(1), {"Cluster", "Count"}, {},
                                                           {.reply_bytes_max = 500});
    const auto item = drive(world, source->next());
    ASSERT_FALSE(item);
    EXPECT_EQ(item.error().kind, Kind::unknown_outcome);
}

TEST_F(HostileTest, one_peer_cannot_take_all_places) {
    std::vector<std::shared_ptr<std::optional<Result<Bytes>>>> waiting;
    const auto request = codec::to_msgpack(ServiceId{"Cluster", "Long"}) + hex("80");
    for (std::size_t i = 0; i < kServerCalls.per_member; ++i)
        waiting.push_back(start(world, exchange(client_host.get(), request, false)));
    world.run_for(1s);
    EXPECT_EQ(server.running(), kServerCalls.per_member);
    const auto refused = raw(request).value();
    EXPECT_NE(refused.find("too many calls"), Bytes::npos);
    network.crash(peer(2));  // its connections end, and with them the calls
    world.run_for(1s);
    EXPECT_EQ(server.running(), 0U);
}

}  // namespace
}  // namespace ipfscluster::rpc::test
