// What else a peer's machine does keeps no operation waiting: each kind of work has its own
// threads.
#include <gtest/gtest.h>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> keep_busy(SimPeer* peer, Pool pool, Duration pause) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        std::function<void()> nothing = [] {};
        auto done = co_await peer->world.run_blocking(pool, std::move(nothing));
        if (!done && done.error().kind == Kind::cancelled) co_return;
        auto slept = co_await peer->world.sleep_for(pause);
        if (!slept) co_return;
    }
}

/// The peer that leads; everything it does but its log's syncs becomes slow and plenty.
struct ThreadsTest : ::testing::Test {
    ThreadsTest() : cluster(1, 3) {
        cluster.start_all();
        EXPECT_TRUE(cluster.world.run_until([&] { return cluster.leader() >= 0; }, 30s));
        at = cluster.leader();
    }
    void burden(Pool pool, Duration each) {
        auto& peer = cluster.peer(at);
        peer.world.pools().set_delay(pool, each, each);
        for (int i = 0; i < 40; ++i) peer.life().clients.spawn(keep_busy(&peer, pool, 100ms));
    }
    /// A pin a second through the leader, for two minutes.
    void expect_service() {
        for (int i = 0; i < 120; ++i) {
            cluster.submit_pin(at, cid(i), 1, 2);
            cluster.world.run_for(1s);
            ASSERT_EQ(cluster.leader(), at) << "lost its leadership after " << i << " s";
        }
        EXPECT_GE(cluster.count(SimCluster::Outcome::acknowledged), 119U);
    }
    SimCluster cluster;
    int at = -1;
};

TEST_F(ThreadsTest, a_leader_whose_look_ups_hang_leads_on) {
    burden(Pool::names, 30s);
    expect_service();
}

TEST_F(ThreadsTest, a_leader_whose_block_reads_are_slow_leads_on) {
    burden(Pool::bulk, 500ms);
    expect_service();
}

/// That the two above can fail: a leader's log must be on its disk before an election is due.
TEST_F(ThreadsTest, a_leader_whose_syncs_are_slow_is_noticed) {
    const auto another_leads = [&] {
        for (int i = 0; i < cluster.size(); ++i)
            if (i != at && cluster.peer(i).life().consensus.may_act()) return true;
        return false;
    };
    cluster.peer(at).world.pools().set_delay(Pool::log_sync, 30s, 30s);
    for (int i = 0; i < 60 && !another_leads(); ++i) {
        cluster.submit_pin(at, cid(i), 1, 2);
        cluster.world.run_for(1s);
    }
    EXPECT_TRUE(another_leads());
}

}  // namespace
}  // namespace ipfscluster::test
