// Content whose holders die, are replaced and return: it must be readable afterwards, whatever is
// collected in between.
#include <gtest/gtest.h>

#include <algorithm>

#include "state/kept.hpp"
#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;

struct KeepTest : ::testing::Test {
    static SimPeerOptions options() {
        SimPeerOptions out;
        out.embedded = true;
        return out;
    }
    Bytes content() {
        Bytes out;
        while (out.size() < 60'000) out += "line " + std::to_string(out.size()) + "\n";
        return out;
    }
    std::vector<int> holders(SimCluster& cluster, int witness, const Cid& item) {
        std::vector<int> out;
        const auto row = cluster.peer(witness).life().state.get(item);
        if (!row || !row.value()) return out;
        for (int number = 0; number < cluster.size(); ++number)
            if (row.value()->pin.allocated_to(cluster.peer(number).id)) out.push_back(number);
        return out;
    }
    bool collect(SimCluster& cluster, int number) {
        auto removed =
            cluster.collect<RepoGcKey>(number, cluster.peer(number).life().ipfs.repo_gc());
        return removed.has_value();
    }
    bool kept(SimCluster& cluster, int number, const Cid& item) {
        return state::read_kept(cluster.peer(number).life().store, item).value().has_value();
    }
    /// Some peer that is up and none of these.
    int other_than(SimCluster& cluster, std::vector<int> these) {
        int number = 0;
        while (std::find(these.begin(), these.end(), number) != these.end() ||
               !cluster.peer(number).up())
            ++number;
        return number;
    }
    void lead(SimCluster& cluster, int wanted) {
        for (int tries = 0; tries < 60 && cluster.leader() != wanted; ++tries) {
            if (cluster.leader() >= 0)
                cluster.peer(cluster.leader())
                    .life()
                    .raft->transfer_leadership(cluster.peer(wanted).id);
            cluster.world.run_for(1s);
        }
        ASSERT_EQ(cluster.leader(), wanted);
    }

    /// All holders die and are replaced by peers that cannot have the content. They return, and as
    /// soon as they see that they were replaced everybody collects.
    void holders_return(int peers, int replicas) {
        SimCluster cluster(1, peers, options());
        cluster.start_all();
        ASSERT_EQ(cluster.settle(), "");
        const auto bytes = content();
        const auto item = SimCluster::cid_of(bytes);
        cluster.submit_add(0, item, bytes, replicas, replicas);
        ASSERT_EQ(cluster.settle(), "");
        const auto old = holders(cluster, 0, item);
        ASSERT_EQ(old.size(), static_cast<std::size_t>(replicas));
        for (const int number : old) {
            ASSERT_TRUE(collect(cluster, number));
            ASSERT_TRUE(cluster.read(number, item)) << "a collection before keeps it";
        }
        for (const int number : old) cluster.peer(number).crash();
        int witness = other_than(cluster, old);
        ASSERT_TRUE(cluster.world.run_until(
            [&] {
                const auto now = holders(cluster, witness, item);
                return !now.empty() && std::none_of(now.begin(), now.end(), [&](int number) {
                    return std::find(old.begin(), old.end(), number) != old.end();
                });
            },
            60s));
        const auto now = holders(cluster, witness, item);
        auto all = old;
        all.insert(all.end(), now.begin(), now.end());
        witness = other_than(cluster, all);
        ASSERT_NO_FATAL_FAILURE(lead(cluster, witness));
        for (const int a : old)
            for (const int b : now) cluster.network.cut(cluster.peer(a).id, cluster.peer(b).id);
        for (const int number : old) cluster.start(number);
        for (const int number : old)
            ASSERT_TRUE(cluster.world.run_until(
                [&] { return holders(cluster, number, item) == now; }, 60s));
        // Long enough for the daemon to be told what the tracker makes of it.
        cluster.world.run_for(3s);
        for (const int number : old) {
            ASSERT_TRUE(collect(cluster, number));
            EXPECT_TRUE(kept(cluster, number, item));
            auto row =
                cluster.await<PinInfo>(number, cluster.peer(number).life().tracker.status(item));
            ASSERT_TRUE(row);
            EXPECT_EQ(row.value().info.status, TrackerStatus::remote);
            EXPECT_EQ(row.value().info.error, replicas == 1 ? "kept until 1 holder has it"
                                                            : "kept until 2 holders have it");
        }
        auto global = cluster.await<GlobalPinInfo>(
            witness, cluster.peer(witness).life().cluster.status(item));
        ASSERT_TRUE(global);
        for (const int number : old) {
            const auto& text = global.value().peer_map.at(cluster.peer(number).id).error;
            EXPECT_NE(text.find("waits for"), std::string::npos) << text;
            for (const int each : now)
                EXPECT_NE(text.find("peer " + std::to_string(each)), std::string::npos) << text;
        }

        EXPECT_EQ(cluster.settle(), "");
        for (const int number : now) {
            const auto read = cluster.read(number, item);
            ASSERT_TRUE(read) << read.error().text;
            EXPECT_EQ(read.value(), bytes);
        }
        for (const int number : old) EXPECT_FALSE(kept(cluster, number, item));
    }
};

TEST_F(KeepTest, the_only_holder_of_three_peers_returns) {
    holders_return(3, 1);
}

TEST_F(KeepTest, both_holders_of_five_peers_return) {
    holders_return(5, 2);
}

TEST_F(KeepTest, a_status_waits_only_briefly_for_a_peer_that_is_no_holder) {
    SimCluster cluster(4, 3, options());
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    const auto bytes = content();
    const auto item = SimCluster::cid_of(bytes);
    cluster.submit_add(0, item, bytes, 1, 1);
    ASSERT_EQ(cluster.settle(), "");
    const int holder = holders(cluster, 0, item).at(0);
    const int asked = (holder + 1) % 3;
    const int silent = (holder + 2) % 3;
    // Its pings arrive, our questions do not.
    cluster.network.cut_one_way(cluster.peer(asked).id, cluster.peer(silent).id);
    const auto began = cluster.world.steady_now();
    auto global =
        cluster.await<GlobalPinInfo>(asked, cluster.peer(asked).life().cluster.status(item));
    ASSERT_TRUE(global) << global.error().text;
    const auto took = cluster.world.steady_now() - began;
    EXPECT_GE(took, 3s) << "it is asked";
    EXPECT_LT(took, 4s);
    const auto& rows = global.value().peer_map;
    EXPECT_EQ(rows.at(cluster.peer(holder).id).status, TrackerStatus::pinned);
    EXPECT_EQ(rows.at(cluster.peer(silent).id).status, TrackerStatus::remote);
    EXPECT_EQ(rows.at(cluster.peer(silent).id).error, "");
}

TEST_F(KeepTest, a_holder_that_stays_away_throughout_leaves_the_pin_waiting_and_then_serves_it) {
    SimCluster cluster(2, 3, options());
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    const auto bytes = content();
    const auto item = SimCluster::cid_of(bytes);
    cluster.submit_add(0, item, bytes, 1, 1);
    ASSERT_EQ(cluster.settle(), "");
    const int old = holders(cluster, 0, item).at(0);
    cluster.peer(old).crash();
    const int witness = other_than(cluster, {old});
    // Long after the grace time; snapshots lead the pinset past what the holder has seen.
    for (int i = 0; i < 40; ++i) cluster.submit_pin(witness, cid(i), -1, -1);
    cluster.world.run_for(60s);
    for (int i = 0; i < 40; ++i) cluster.submit_unpin(witness, cid(i));
    cluster.world.run_for(60s);
    for (int number = 0; number < cluster.size(); ++number)
        ASSERT_TRUE(number == old || collect(cluster, number));
    cluster.start(old);
    ASSERT_TRUE(
        cluster.world.run_until([&] { return cluster.peer(old).life().cluster.ready(); }, 60s));
    ASSERT_TRUE(collect(cluster, old));
    EXPECT_EQ(cluster.settle(), "");
    const auto now = holders(cluster, old, item);
    ASSERT_EQ(now.size(), 1u);
    const auto read = cluster.read(now[0], item);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read.value(), bytes);
}

TEST_F(KeepTest, a_holder_that_died_before_its_tracker_had_pinned_an_add_keeps_it_as_well) {
    auto slow = options();
    slow.tracker.concurrent_pins = 0;  // its turn never comes
    SimCluster cluster(3, 3, slow);
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    const auto bytes = content();
    const auto item = SimCluster::cid_of(bytes);
    const int number = cluster.submit_add(0, item, bytes, 1, 1);
    const auto& operation = cluster.operations()[static_cast<std::size_t>(number)];
    ASSERT_TRUE(cluster.world.run_until(
        [&] { return operation.outcome == SimCluster::Outcome::acknowledged; }, 30s));
    const int old = holders(cluster, 0, item).at(0);
    cluster.peer(old).crash();
    const int witness = other_than(cluster, {old});
    ASSERT_TRUE(cluster.world.run_until(
        [&] { return holders(cluster, witness, item) != std::vector<int>{old}; }, 60s));
    // Beyond the lease of the add.
    cluster.world.run_for(2h);
    cluster.start(old);
    ASSERT_TRUE(cluster.world.run_until(
        [&] { return cluster.peer(old).life().cluster.ready() && kept(cluster, old, item); }, 60s));
    cluster.world.run_for(5s);
    ASSERT_TRUE(collect(cluster, old));
    const auto read = cluster.read(old, item);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read.value(), bytes);
    EXPECT_TRUE(kept(cluster, old, item)) << "nobody else has it";
}

}  // namespace
}  // namespace ipfscluster::test
