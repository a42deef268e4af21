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
    /// `matched` of each member.
    void keep(std::vector<std::pair<NodeId, std::uint64_t>> members) {
        std::vector<Progress> progress;
        for (const auto& [id, matched] : members) {
            Progress each;
            each.id = id;
            each.matched = matched;
            progress.push_back(each);
        }
        leases.keep_needed(progress, world.steady_now());
    }
    void apply(std::uint64_t index) {
        storage::Batch batch;
        log.set_applied(batch, {index, 1});
        ASSERT_TRUE(store.write(std::move(batch)));
    }
    void apply_and_make(NodeId node) {
        apply(10 + node);
        ASSERT_TRUE(leases.make(10 + node, node, 1));
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

TEST_F(RaftSnapshotLeases, what_nobody_needs_is_released) {
    const auto index = leases.make(0, 2, 1).value().at.index;
    ASSERT_TRUE(leases.make(0, 3, 1));
    ASSERT_EQ(leases.size(), 1u) << "both share it";
    keep({{2, 0}, {3, 0}});
    EXPECT_EQ(leases.size(), 1u);
    keep({{2, index}, {3, 0}});
    EXPECT_FALSE(leases.holds({2, index})) << "it has it";
    EXPECT_TRUE(leases.holds({3, index}));
    EXPECT_FALSE(leases.holds({3, index + 1}));
    keep({{2, index}});
    EXPECT_EQ(leases.size(), 0u) << "3 is no member any more";
}

TEST_F(RaftSnapshotLeases, who_takes_nothing_is_offered_the_same_again_for_minutes) {
    const auto first = leases.make(0, 2, 1).value();
    ASSERT_TRUE(leases.make(0, 3, 1));
    for (SteadyTime until = world.steady_now() + kSnapshotKeepMax - seconds(20);
         world.steady_now() < until;) {
        world.run_for(kSnapshotIdleMax + seconds(1));
        EXPECT_EQ(leases.idle(world.steady_now()).size(), 2u);
        ASSERT_EQ(leases.make(0, 2, 1).value().token, first.token);
        ASSERT_EQ(leases.make(0, 3, 1).value().token, first.token);
        EXPECT_TRUE(leases.idle(world.steady_now()).empty());
        keep({{2, 0}, {3, 0}});
    }
    EXPECT_EQ(leases.size(), 1u);
    world.run_for(seconds(40));
    keep({{2, 0}, {3, 0}});
    EXPECT_EQ(leases.size(), 0u) << "offers alone do not keep it";
    EXPECT_NE(leases.make(0, 2, 1).value().token, first.token);
}

TEST_F(RaftSnapshotLeases, one_behind_the_end_of_the_log_is_of_no_use) {
    const auto first = leases.make(0, 2, 1).value();
    storage::Batch batch;
    log.append(batch, {{2, 1, EntryType::normal, "a"}, {3, 1, EntryType::normal, "b"}});
    log.set_applied(batch, {3, 1});
    ASSERT_TRUE(log.compact(batch, 3));
    ASSERT_TRUE(store.write(std::move(batch)));
    EXPECT_NE(leases.make(0, 2, 1).value().token, first.token);
}

TEST_F(RaftSnapshotLeases, those_kept_for_the_absent_make_room) {
    for (NodeId node = 2; node < 2 + kSnapshotLeasesMax; ++node) apply_and_make(node);
    ASSERT_EQ(leases.size(), kSnapshotLeasesMax);
    apply(100);
    EXPECT_FALSE(leases.make(100, 50, 1)) << "all are in use";
    world.run_for(kSnapshotIdleMax);
    EXPECT_TRUE(leases.make(100, 50, 1));
    EXPECT_EQ(leases.size(), kSnapshotLeasesMax);
}

TEST_F(RaftSnapshotLeases, one_that_does_not_lead_keeps_them_for_minutes) {
    ASSERT_TRUE(leases.make(0, 2, 1));
    world.run_for(kSnapshotKeepMax - seconds(1));
    keep({});
    EXPECT_EQ(leases.size(), 1u);
    world.run_for(seconds(1));
    keep({});
    EXPECT_EQ(leases.size(), 0u);
}

TEST_F(RaftSnapshotLeases, transfers_that_are_over_make_room_for_others) {
    for (std::size_t i = 0; i < 3 * kSnapshotLeasesMax; ++i) {
        storage::Batch batch;
        log.set_applied(batch, {10 + i, 1});
        ASSERT_TRUE(store.write(std::move(batch)));
        auto made = leases.make(10 + i, 2, 1);
        ASSERT_TRUE(made) << i << ": " << made.error().text;
        keep({{2, 10 + i}});
    }
}

}  // namespace
}  // namespace ipfscluster::raft
