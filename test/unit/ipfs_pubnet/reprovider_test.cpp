#include "ipfs/pubnet/reprovider.hpp"

#include <gtest/gtest.h>

#include "fake_routing.hpp"
#include "support/drive.hpp"

namespace ipfscluster::pubnet {
namespace {

using namespace std::chrono_literals;

Cid some_cid(std::uint32_t number) {
    return Cid::v1(Codec::raw,
                   multihash_digest(HashCode::sha2_256, std::to_string(number)).value());
}
Bytes key(std::uint32_t number) {
    return Bytes(some_cid(number).multihash());
}

/// Counts how far it was read.
struct CountedKeys final : Source<Bytes> {
    CountedKeys(std::uint32_t n, std::uint32_t* r) : count(n), read(r) {}
    Async<std::optional<Bytes>> next() override {
        if (at == count) co_return std::optional<Bytes>{};
        *read = at + 1;
        co_return std::optional<Bytes>(key(at++));
    }
    std::uint32_t count, at = 0;
    std::uint32_t* read;
};

struct ReproviderTest : ::testing::Test {
    ~ReproviderTest() override { ICL_EXPECT_OK(test::drive<void>(world, reprovider.stop())); }

    SimWorld world{4};
    FakeRouting routing{world};
    std::uint32_t keys = 0, read = 0;
    Reprovider reprovider{world, routing,
                          [this] { return std::make_unique<CountedKeys>(keys, &read); }, 22h};
};

TEST_F(ReproviderTest, everything_is_told_once_an_interval) {
    keys = 100;
    reprovider.start();
    world.run_for(1h);
    EXPECT_EQ(routing.provided.size(), 100u);
    EXPECT_EQ(routing.most_running, static_cast<int>(kProvidesMax));
    world.run_for(20h);
    for (const auto& [k, times] : routing.provided) EXPECT_EQ(times, 1);
    world.run_for(2h);
    for (const auto& [k, times] : routing.provided) EXPECT_EQ(times, 2);
}

TEST_F(ReproviderTest, new_content_is_told_at_once_and_not_twice) {
    reprovider.start();
    world.run_for(1min);
    reprovider.add(some_cid(7));
    reprovider.add(some_cid(7));
    const Bytes inlined("\x00\x02hi", 4);
    reprovider.add(Cid::v1(Codec::raw, inlined));
    world.run_for(1s);
    EXPECT_EQ(routing.provided.size(), 1u);
    EXPECT_EQ(routing.provided[key(7)], 1);
}

TEST_F(ReproviderTest, nothing_is_lost_while_nobody_can_be_told) {
    routing.error = Error{Kind::unsupported, "no address"};
    keys = 50;
    reprovider.start();
    world.run_for(10min);
    reprovider.add(some_cid(60));
    EXPECT_TRUE(routing.provided.empty());
    routing.error.reset();
    world.run_for(3min);
    EXPECT_EQ(routing.provided.size(), 51u);
}

TEST_F(ReproviderTest, a_round_over_many_holds_a_bounded_queue) {
    routing.error = Error{Kind::unavailable, "nobody"};
    keys = 100'000;
    reprovider.start();
    world.run_for(1h);
    EXPECT_LE(reprovider.waiting(), kProvideQueueMax);
    EXPECT_LE(read, kProvideQueueMax + kProvidesMax + 1);
    routing.error.reset();
    EXPECT_TRUE(world.run_until([&] { return routing.provided.size() == 100'000; }, 20h));
}

}  // namespace
}  // namespace ipfscluster::pubnet
