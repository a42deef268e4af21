// What wrong clocks of some peers do to pins that expire: nothing.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;
constexpr auto kYear = 365 * 24h;

struct ClockTest : ::testing::Test {
    void start(int peers) {
        cluster = std::make_unique<SimCluster>(1, peers);
        cluster->start_all();
        ASSERT_EQ(cluster->settle(), "");
    }
    void run(Duration span) { cluster->world.run_for(span); }
    SimPeerWorld& clock(int number) { return cluster->peer(number).world; }
    /// Pins an item that expires `in` from now by the true time, through a peer whose clock is
    /// right.
    void pin_expiring(int item, Duration in) {
        int at = 0;
        while (clock(at).clock_ahead() != Duration::zero()) ++at;
        Pin wish;
        wish.cid = cid(item);
        wish.options.replication_min = wish.options.replication_max = -1;
        wish.options.expire_at = cluster->world.system_now() + in;
        auto pinned = cluster->await<Pin>(at, cluster->peer(at).life().cluster.pin(wish));
        ASSERT_TRUE(pinned) << pinned.error().text;
    }
    /// Starts who is down and waits until all are ready.
    bool all_up() {
        const auto up = [&](int number) {
            auto& peer = cluster->peer(number);
            if (!peer.up() && peer.stopped()) cluster->start(number);
            return peer.up() && peer.life().cluster.ready();
        };
        return cluster->world.run_until(
            [&] {
                int count = 0;
                for (int number = 0; number < cluster->size(); ++number) count += up(number);
                return count == cluster->size() && cluster->leader() >= 0;
            },
            1min);
    }
    bool stands(int item) {
        for (int number = 0; number < cluster->size(); ++number)
            if (cluster->peer(number).life().cluster.pin_get(cid(item))) return true;
        return false;
    }
    std::vector<Alert> clock_alerts(int at) {
        auto all = cluster->peer(at).life().cluster.alerts();
        std::erase_if(all, [](const Alert& a) { return a.metric.name != "clock"; });
        return all;
    }
    std::unique_ptr<SimCluster> cluster;
};

TEST_F(ClockTest, a_leader_whose_clock_is_ahead_expires_nothing_before_its_time) {
    for (const Duration ahead : {Duration(1h), Duration(kYear)}) {
        ASSERT_NO_FATAL_FAILURE(start(3));
        ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 30min));
        clock(cluster->leader()).set_clock_ahead(ahead);
        run(29min);
        EXPECT_TRUE(stands(1)) << format_go_duration(ahead);
        run(2min);
        EXPECT_FALSE(stands(1)) << "it was due";
    }
}

TEST_F(ClockTest, a_leader_whose_clock_is_behind_expires_what_is_due) {
    ASSERT_NO_FATAL_FAILURE(start(3));
    ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 10min));
    clock(cluster->leader()).set_clock_ahead(-1h);
    run(9min);
    EXPECT_TRUE(stands(1));
    run(2min);
    EXPECT_FALSE(stands(1));
}

TEST_F(ClockTest, a_peer_that_boots_with_a_wrong_clock_and_leads_next_expires_nothing) {
    ASSERT_NO_FATAL_FAILURE(start(3));
    ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 30min));
    // Each in turn is the one that is wrong and the only one that may come to lead.
    for (int wrong = 0; wrong < 3; ++wrong) {
        cluster->peer(wrong).crash();
        clock(wrong).set_clock_ahead(kYear);
        ASSERT_TRUE(all_up());
        for (int tries = 0; cluster->leader() != wrong && tries < 20; ++tries) {
            cluster->peer(cluster->leader()).crash();
            run(3s);
            ASSERT_TRUE(all_up());
        }
        ASSERT_EQ(cluster->leader(), wrong);
        run(1min);
        EXPECT_TRUE(stands(1)) << wrong;
        clock(wrong).set_clock_ahead(Duration::zero());
    }
}

TEST_F(ClockTest, a_minority_of_clocks_decides_nothing) {
    ASSERT_NO_FATAL_FAILURE(start(5));
    ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 30min));
    ASSERT_NO_FATAL_FAILURE(pin_expiring(2, 10min));
    const int leads = cluster->leader();
    clock(leads).set_clock_ahead(kYear);
    clock((leads + 1) % 5).set_clock_ahead(2h);
    run(8min);
    EXPECT_TRUE(stands(2));
    run(3min);
    EXPECT_FALSE(stands(2)) << "the clocks of the three that are right moved on";
    EXPECT_TRUE(stands(1));
}

TEST_F(ClockTest, of_two_the_clock_that_is_behind_counts) {
    ASSERT_NO_FATAL_FAILURE(start(2));
    ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 30min));
    clock(cluster->leader()).set_clock_ahead(1h);
    run(29min);
    EXPECT_TRUE(stands(1));
    run(2min);
    EXPECT_FALSE(stands(1));
}

TEST_F(ClockTest, nothing_expires_while_the_pings_of_most_members_are_missing) {
    ASSERT_NO_FATAL_FAILURE(start(3));
    ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 5min));
    const int leads = cluster->leader();
    const auto deaf = [&](std::uint32_t loss) {
        for (int other = 0; other < 3; ++other)
            if (other != leads)
                cluster->network.set_faults(
                    cluster->peer(leads).id, cluster->peer(other).id,
                    {.delay_low = 100us, .delay_high = 1ms, .gossip_loss_one_in = loss});
    };
    deaf(1);
    run(6min);
    EXPECT_EQ(cluster->leader(), leads);
    EXPECT_TRUE(stands(1)) << "one clock of three is no majority";
    deaf(0);
    run(1min);
    EXPECT_FALSE(stands(1));
}

TEST_F(ClockTest, a_lone_peer_waits_after_a_jump_of_its_clock) {
    ASSERT_NO_FATAL_FAILURE(start(1));
    run(10min);
    ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 30min));
    clock(0).set_clock_ahead(1h);
    run(4min);
    EXPECT_TRUE(stands(1)) << "somebody may put the clock right";
    clock(0).set_clock_ahead(Duration::zero());
    run(20min);
    EXPECT_TRUE(stands(1));
    run(7min);
    EXPECT_FALSE(stands(1)) << "the clock has been right for long";

    ASSERT_NO_FATAL_FAILURE(pin_expiring(2, 30min));
    clock(0).set_clock_ahead(1h);
    run(4min);
    EXPECT_TRUE(stands(2));
    run(2min);
    EXPECT_FALSE(stands(2)) << "nobody contradicts a clock that stays as it is";
}

TEST_F(ClockTest, a_lone_peer_that_starts_with_a_wrong_clock_waits_too) {
    ASSERT_NO_FATAL_FAILURE(start(1));
    ASSERT_NO_FATAL_FAILURE(pin_expiring(1, 30min));
    cluster->peer(0).crash();
    clock(0).set_clock_ahead(kYear);
    run(1s);
    cluster->start(0);
    run(2min);
    clock(0).set_clock_ahead(Duration::zero());  // the time service has answered
    run(20min);
    EXPECT_TRUE(stands(1));
}

TEST_F(ClockTest, a_clock_that_is_off_is_an_alert_once_until_it_was_right_again) {
    ASSERT_NO_FATAL_FAILURE(start(3));
    run(1min);
    for (int at = 0; at < 3; ++at) EXPECT_TRUE(clock_alerts(at).empty()) << at;
    const int off = (cluster->leader() + 1) % 3;
    clock(off).set_clock_ahead(-90s);
    run(2min);
    for (int at = 0; at < 3; ++at) {
        ASSERT_EQ(clock_alerts(at).size(), 1u) << at;
        const auto alert = clock_alerts(at).front();
        EXPECT_EQ(alert.metric.peer, cluster->peer(off).id);
        EXPECT_NE(alert.metric.value.find("behind"), std::string::npos) << alert.metric.value;
    }
    run(10min);
    EXPECT_EQ(clock_alerts(0).size(), 1u);
    clock(off).set_clock_ahead(Duration::zero());
    run(1min);
    clock(off).set_clock_ahead(10min);
    run(2min);
    ASSERT_EQ(clock_alerts(0).size(), 2u);
    EXPECT_NE(clock_alerts(0).front().metric.value.find("10m"), std::string::npos)
        << clock_alerts(0).front().metric.value;
}

}  // namespace
}  // namespace ipfscluster::test
