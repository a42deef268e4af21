#include "blockstore/lease_table.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "storage/memory_store.hpp"
#include "support/drive.hpp"

namespace ipfscluster::blockstore {
namespace {

using namespace std::chrono_literals;

constexpr auto kNever = std::numeric_limits<std::uint64_t>::max();
constexpr Duration kSpan = 1h;

class LeaseTableTest : public ::testing::Test {
 protected:
    LeaseTableTest() { restart(); }
    void restart() {
        leases = std::make_unique<LeaseTable>(world, rows);
        ICL_EXPECT_OK(leases->open());
    }
    Result<LeaseId> take(std::uint64_t start) { return leases->take(start, kSpan); }
    /// An add that no pin follows.
    Result<> add(std::uint64_t start) {
        ICL_TRY(const auto id, take(start));
        return test::drive(world, leases->keep(id, kSpan, "root " + std::to_string(start)));
    }

    SimWorld world{1};
    storage::MemoryStore rows{world};
    std::unique_ptr<LeaseTable> leases;
};

TEST_F(LeaseTableTest, adds_that_wait_for_no_pin_refuse_nobody) {
    const std::uint64_t adds = kLeasesMax + 2000;
    const Duration apart = 500ms;
    std::map<std::uint64_t, Time> ends;
    for (std::uint64_t i = 1; i <= adds; ++i) {
        const auto added = add(i);
        ASSERT_TRUE(added) << i << ": " << added.error().text;
        EXPECT_LE(leases->size(), kLeasesMax);
        ends[i] = world.system_now() + kSpan;
        world.run_for(apart);
    }
    restart();  // what was put together is durable like the rest
    EXPECT_EQ(leases->protected_from(), 1u);
    // Each add is protected for its hour, and no more than moments longer.
    for (std::uint64_t i = 100; i <= adds; i += 100) {
        world.run_for(ends[i] - 10ms - world.system_now());
        EXPECT_LE(leases->protected_from(), i);
        world.run_for(20s);
        EXPECT_GT(leases->protected_from(), i);
    }
    world.run_for(1min);
    EXPECT_EQ(leases->protected_from(), kNever);
    EXPECT_EQ(leases->size(), 0u);
}

TEST_F(LeaseTableTest, running_sessions_keep_their_own_leases) {
    std::vector<LeaseId> running;
    for (std::uint64_t i = 1; i < kLeasesMax - 1; ++i) running.push_back(take(i).value());
    for (std::uint64_t i = 1; i <= 10; ++i) ICL_EXPECT_OK(add(10'000 + i));
    for (const auto id : running) ICL_EXPECT_OK(leases->renew(id, kSpan));
    ASSERT_TRUE(take(20'000));
    const auto refused = take(20'001);
    ASSERT_FALSE(refused) << "nothing is left to put together";
    EXPECT_EQ(refused.error().kind, Kind::retryable);
    ICL_EXPECT_OK(leases->release(running.front()));
    EXPECT_TRUE(take(20'002));
}

TEST_F(LeaseTableTest, a_pin_ends_the_lease_of_its_root_also_when_it_was_put_together) {
    for (std::uint64_t i = 1; i <= kLeasesMax + 10; ++i) {
        const auto id = take(i);
        ASSERT_TRUE(id);
        ICL_EXPECT_OK(test::drive(world, leases->keep(id.value(), kSpan, "the same root")));
    }
    ICL_EXPECT_OK(leases->release_kept("another root"));
    EXPECT_EQ(leases->protected_from(), 1u);
    ICL_EXPECT_OK(leases->release_kept("the same root"));
    EXPECT_EQ(leases->protected_from(), kNever);
}

}  // namespace
}  // namespace ipfscluster::blockstore
