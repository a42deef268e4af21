#include <gtest/gtest.h>

#include "consensus/raft/snapshots.hpp"
#include "runtime/sim_world.hpp"
#include "storage/memory_store.hpp"
#include "support/pins.hpp"

namespace ipfscluster::raft {
namespace {

using std::chrono::seconds;

class RaftSnapshotLeases : public testing::Test {
 protected:
    RaftSnapshotLeases() {
        EXPECT_TRUE(state.open());
        EXPECT_TRUE(log.open());
        storage::Batch batch;
        log.found(batch, {{1, {test::peer(1), 1, false}}});
        EXPECT_TRUE(store.write(std::move(batch)));
    }
    SimWorld world{1};
    storage::MemoryStore store{world};
    state::State state{store, test::peer(1)};
    LogStore log{store};
    SnapshotLeases leases{world, store, state, log};
};

TEST_F(RaftSnapshotLeases, nothing_is_frozen_while_applied_entries_are_not_written) {
    {
        const SnapshotLeases::Hold hold(leases);
        storage::Batch batch;
        log.set_applied(batch, {2, 1});
        auto made = leases.make(0, 2, 1);
        ASSERT_FALSE(made) << "it would claim entry 2 without its rows";
        EXPECT_EQ(made.error().kind, Kind::retryable);
        EXPECT_TRUE(store.write(std::move(batch)));
    }
    auto made = leases.make(0, 2, 1);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(made.value().at.index, 2u);
}

TEST_F(RaftSnapshotLeases, what_nobody_waits_for_is_released) {
    const auto index = leases.make(0, 2, 1).value().at.index;
    ASSERT_TRUE(leases.make(0, 3, 1));
    ASSERT_EQ(leases.size(), 1u) << "both share it";
    leases.keep_only({{2, index}, {3, index}});
    EXPECT_EQ(leases.size(), 1u);
    leases.keep_only({{2, index + 5}, {3, index}});
    EXPECT_EQ(leases.size(), 1u);
    world.run_for(kSnapshotIdleMax + seconds(1));
    EXPECT_EQ(leases.expire(world.steady_now()), (std::vector<PromisedSnapshot>{{3, index}}))
        << "2 waits for a later one: it has not lost this";
    EXPECT_EQ(leases.size(), 0u);
}

TEST_F(RaftSnapshotLeases, transfers_that_are_over_make_room_for_others) {
    for (std::size_t i = 0; i < 3 * kSnapshotLeasesMax; ++i) {
        storage::Batch batch;
        log.set_applied(batch, {10 + i, 1});
        ASSERT_TRUE(store.write(std::move(batch)));
        auto made = leases.make(10 + i, 2, 1);
        ASSERT_TRUE(made) << i << ": " << made.error().text;
        leases.keep_only({});
    }
}

}  // namespace
}  // namespace ipfscluster::raft
