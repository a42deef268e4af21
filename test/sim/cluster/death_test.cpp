// Who counts as dead, and what happens to the pins of those that do not.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;

struct DeathTest : ::testing::Test {
    void start(int peers, bool outside = true) {
        SimPeerOptions options;
        options.cluster.repin_grace = 10s;
        options.cluster.fetches_outside = outside;
        cluster = std::make_unique<SimCluster>(1, peers, std::move(options));
        cluster->start_all();
        ASSERT_EQ(cluster->settle(), "");
    }
    void pin_items(int count, int replicas) {
        for (int i = 0; i < count; ++i)
            cluster->submit_pin(i % cluster->size(), cid(i), replicas, replicas);
        ASSERT_EQ(cluster->settle(), "");
    }
    /// Allocations of every pin as `at` sees them.
    std::map<Cid, std::vector<PeerId>> allocations(int at) {
        std::map<Cid, std::vector<PeerId>> out;
        auto rows = cluster->collect<state::StoredPin>(at, cluster->peer(at).life().state.list());
        EXPECT_TRUE(rows);
        if (!rows) return out;
        for (const auto& row : rows.value()) out[row.pin.cid] = row.pin.allocations;
        return out;
    }
    std::size_t held_by(int at, const PeerId& peer) {
        std::size_t count = 0;
        for (const auto& [cid, holders] : allocations(at))
            count += std::count(holders.begin(), holders.end(), peer) > 0;
        return count;
    }
    bool alive(int at, int other) {
        return cluster->peer(at).life().monitor.alive(cluster->peer(other).id);
    }
    /// Alerts about repair that say so.
    std::size_t alerts(int at, const std::string& text) {
        const auto all = cluster->peer(at).life().cluster.alerts();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [&](const Alert& alert) {
                return alert.metric.name == "repin" &&
                       alert.metric.value.find(text) != std::string::npos;
            }));
    }
    void run(Duration span) { cluster->world.run_for(span); }
    std::unique_ptr<SimCluster> cluster;
};

TEST_F(DeathTest, a_peer_whose_disk_hangs_stops_pinging_until_it_answers) {
    ASSERT_NO_FATAL_FAILURE(start(4));
    ASSERT_NO_FATAL_FAILURE(pin_items(12, 2));
    const int hung = (cluster->leader() + 1) % 4;
    const int witness = (hung + 1) % 4;
    const auto hung_id = cluster->peer(hung).id;
    ASSERT_GT(held_by(witness, hung_id), 0u);
    run(1min);
    EXPECT_TRUE(alive(witness, hung)) << "nobody writes, and the disk is well";
    cluster->peer(hung).life().store.hang(true);
    run(20s);
    EXPECT_TRUE(alive(witness, hung)) << "disks are slow at times";
    run(25s);
    EXPECT_FALSE(alive(witness, hung));
    run(40s);
    EXPECT_EQ(held_by(witness, hung_id), 0u) << "others hold its pins now";
    cluster->peer(hung).life().store.hang(false);
    run(5s);
    EXPECT_TRUE(alive(witness, hung));
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DeathTest, a_leader_that_hears_no_gossip_moves_nothing_of_those_that_answer) {
    ASSERT_NO_FATAL_FAILURE(start(3));
    for (int i = 0; i < 24; ++i) cluster->submit_pin(i % 3, cid(i), 1, 1 + i % 3);
    ASSERT_EQ(cluster->settle(), "");
    const int leads = cluster->leader();
    const auto before = allocations(leads);
    for (int other = 0; other < 3; ++other)
        if (other != leads)
            cluster->network.set_faults(
                cluster->peer(leads).id, cluster->peer(other).id,
                {.delay_low = 100us, .delay_high = 1ms, .gossip_loss_one_in = 1});
    run(20s);
    EXPECT_FALSE(alive(leads, (leads + 1) % 3)) << "else the test shows nothing";
    EXPECT_FALSE(alive(leads, (leads + 2) % 3));
    run(2min);
    EXPECT_EQ(cluster->leader(), leads);
    EXPECT_EQ(allocations(leads), before);
    // One dies indeed: it does not answer, while the other does.
    const int dead = (leads + 1) % 3;
    const auto dead_id = cluster->peer(dead).id;
    ASSERT_GT(held_by(leads, dead_id), 0u);
    cluster->peer(dead).crash();
    run(30s);
    for (const auto& [item, holders] : allocations(leads)) {
        if (before.at(item) != std::vector<PeerId>{dead_id}) {
            EXPECT_EQ(holders, before.at(item)) << item.to_string();
            continue;
        }
        EXPECT_NE(holders, before.at(item)) << "nobody else was to hold it";
    }
    // Copies are kept for others until those are heard again.
    for (int other = 0; other < 3; ++other)
        if (other != leads)
            cluster->network.set_faults(cluster->peer(leads).id, cluster->peer(other).id, {});
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DeathTest, a_heartbeat_alone_is_no_sign_of_life) {
    ASSERT_NO_FATAL_FAILURE(start(3));
    ASSERT_NO_FATAL_FAILURE(pin_items(12, 1));
    run(1min);
    const int leads = cluster->leader();
    const auto before = allocations(leads);
    for (int other = 0; other < 3; ++other)
        if (other != leads) cluster->peer(other).life().store.hang(true);
    run(2min);
    EXPECT_EQ(cluster->leader(), leads) << "nobody writes: the others still answer its heartbeats";
    EXPECT_EQ(alerts(leads, "fewer than a majority"), 1u);
    EXPECT_EQ(allocations(leads), before);
    for (int other = 0; other < 3; ++other) cluster->peer(other).life().store.hang(false);
    run(30s);
    EXPECT_EQ(allocations(leads), before);
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DeathTest, after_a_mass_vanish_those_that_stay_away_keep_their_pins_ten_times_as_long) {
    ASSERT_NO_FATAL_FAILURE(start(5));
    ASSERT_NO_FATAL_FAILURE(pin_items(20, 1));
    const int stays = cluster->leader();
    std::vector<int> gone;
    for (int i = 1; i <= 3; ++i) gone.push_back((stays + i) % 5);
    const auto before = allocations(stays);
    for (const int number : gone) cluster->peer(number).crash();
    run(4s);
    cluster->start(gone[0]);
    // Who comes back does not know who else vanished: it must not lead for a grace time.
    const auto lead_again = [&] {
        const int now = cluster->leader();
        if (now >= 0 && now != stays)
            cluster->peer(now).life().raft->transfer_leadership(cluster->peer(stays).id);
        return now == stays;
    };
    ASSERT_TRUE(cluster->world.run_until(lead_again, 8s));
    run(75s);
    EXPECT_EQ(allocations(stays), before) << "they are likely to come back, too";
    EXPECT_EQ(alerts(stays, "peers rm"), 1u);
    run(50s);
    for (const auto& [item, holders] : allocations(stays))
        for (const int number : {gone[1], gone[2]})
            EXPECT_EQ(std::count(holders.begin(), holders.end(), cluster->peer(number).id), 0)
                << item.to_string();
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DeathTest, what_only_a_dead_peer_has_waits_for_it_where_nobody_could_fetch_it) {
    for (const bool outside : {false, true}) {
        ASSERT_NO_FATAL_FAILURE(start(4, outside));
        ASSERT_NO_FATAL_FAILURE(pin_items(16, 1));
        const int dead = (cluster->leader() + 1) % 4;
        const int witness = (dead + 1) % 4;
        const auto dead_id = cluster->peer(dead).id;
        // Two copies of these: one of them lives.
        for (int i = 100; i < 112; ++i) cluster->submit_pin(witness, cid(i), 2, 2);
        ASSERT_EQ(cluster->settle(), "");
        const auto before = allocations(witness);
        cluster->peer(dead).crash();
        run(1min);
        for (const auto& [item, holders] : allocations(witness)) {
            const bool had =
                std::count(before.at(item).begin(), before.at(item).end(), dead_id) > 0;
            const bool has = std::count(holders.begin(), holders.end(), dead_id) > 0;
            EXPECT_EQ(has, had && !outside && before.at(item).size() == 1) << item.to_string();
            if (!has) continue;
            const auto said = cluster->await<GlobalPinInfo>(
                witness, cluster->peer(witness).life().cluster.status(item));
            ASSERT_TRUE(said);
            const auto& text = said.value().peer_map.at(dead_id).error;
            EXPECT_NE(text.find("waits for this peer"), std::string::npos) << text;
        }
        EXPECT_EQ(held_by(witness, dead_id) > 0, !outside);
        EXPECT_EQ(cluster->settle(), "");
    }
}

}  // namespace
}  // namespace ipfscluster::test
