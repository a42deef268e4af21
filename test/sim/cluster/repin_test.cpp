// What the peers do about a dead one, step by step.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"
#include "support/sim_kinds.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;

/// Runs until the pinset of peer 0 is as `rule` wants it.
bool every_pin(SimCluster& cluster, int at, const std::function<bool(const Pin&)>& rule) {
    auto pins = cluster.collect<state::StoredPin>(at, cluster.peer(at).life().state.list());
    if (!pins) return false;
    return std::all_of(pins.value().begin(), pins.value().end(),
                       [&](const auto& row) { return rule(row.pin); });
}

struct RepinTest : ::testing::Test {
    explicit RepinTest(SimPeerOptions of_peers = options(), int peers = 4)
        : cluster(1, peers, std::move(of_peers)) {}
    static SimPeerOptions options() {
        SimPeerOptions out;
        out.cluster.repin_grace = 10s;
        return out;
    }
    void pin_items(int count, int replicas) {
        for (int i = 0; i < count; ++i)
            cluster.submit_pin(i % cluster.size(), cid(i), replicas, replicas);
        ASSERT_EQ(cluster.settle(), "");
        ASSERT_EQ(cluster.count(SimCluster::Outcome::acknowledged),
                  static_cast<std::size_t>(count));
    }
    SimCluster cluster;
};

/// A walk over the pinset that takes long enough for others to change what it has not reached.
struct SlowRepinTest : RepinTest {
    static SimPeerOptions slow_options() {
        auto out = options();
        out.cluster.repin_rate = 1;
        return out;
    }
    explicit SlowRepinTest(int peers = 4) : RepinTest(slow_options(), peers) {}
    /// What `run_into_walk` leaves: a peer that is dead, one that watches, and the dead one's items
    /// in the order in which the walk meets them, of which it has moved the first.
    int dead = 0, witness = 0;
    PeerId dead_id;
    std::vector<Cid> to_move;
    void run_into_walk(int items, std::size_t at_least) {
        cluster.start_all();
        ASSERT_EQ(cluster.settle(), "");
        ASSERT_NO_FATAL_FAILURE(pin_items(items, 2));
        dead = (cluster.leader() + 1) % cluster.size();
        witness = (dead + 1) % cluster.size();
        dead_id = cluster.peer(dead).id;
        auto rows =
            cluster.collect<state::StoredPin>(witness, cluster.peer(witness).life().state.list());
        ASSERT_TRUE(rows);
        for (const auto& row : rows.value())
            if (row.pin.allocated_to(dead_id)) to_move.push_back(row.pin.cid);
        ASSERT_GE(to_move.size(), at_least);
        cluster.peer(dead).crash();
        ASSERT_TRUE(cluster.world.run_until(
            [&] {
                const auto first = pin_of(witness, to_move.front());
                return first && !first->allocated_to(dead_id);
            },
            60s));
    }
    std::optional<Pin> pin_of(int at, const Cid& item) {
        auto row = cluster.peer(at).life().state.get(item);
        if (!row || !row.value()) return std::nullopt;
        return row.value()->pin;
    }
};

/// Enough peers to choose from that a lucky choice is unlikely.
struct WideRepinTest : SlowRepinTest {
    WideRepinTest() : SlowRepinTest(6) {}
};

TEST_F(RepinTest,
       a_dead_peers_pins_move_after_the_grace_time_and_its_surplus_goes_when_it_returns) {
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    pin_items(24, 2);
    const int dead = (cluster.leader() + 1) % 4;
    const int witness = (dead + 1) % 4;
    const auto dead_id = cluster.peer(dead).id;
    const auto held_before = cluster.peer(dead).ipfs.held.size();
    ASSERT_GT(held_before, 0u) << "the balance should give everybody something";
    cluster.peer(dead).crash();
    const auto died = cluster.world.steady_now();

    auto& monitor = cluster.peer(witness).life().monitor;
    ASSERT_TRUE(cluster.world.run_until([&] { return !monitor.alerts().empty(); }, 5s));
    EXPECT_EQ(monitor.alerts().front().metric.peer, dead_id);
    cluster.world.run_for(8s - (cluster.world.steady_now() - died));
    EXPECT_FALSE(every_pin(cluster, witness, [&](const Pin& pin) {
        return !pin.allocated_to(dead_id);
    })) << "nothing moves before the grace time is over";

    const auto moved = [&](const Pin& pin) {
        return !pin.allocated_to(dead_id) && pin.allocations.size() == 2;
    };
    for (int waited = 0; waited < 60 && !every_pin(cluster, witness, moved); ++waited)
        cluster.world.run_for(500ms);
    EXPECT_TRUE(every_pin(cluster, witness, moved));
    EXPECT_GE(cluster.world.steady_now() - died, 10s);
    EXPECT_EQ(cluster.peer(dead).ipfs.held.size(), held_before)
        << "its daemon lives on and holds what it held";

    // The others have it, but none of them can say so while its daemon is away.
    for (int number = 0; number < cluster.size(); ++number)
        if (number != dead)
            cluster.peer(number).ipfs.down = Error{Kind::unavailable, "the daemon is down"};
    cluster.start(dead);
    cluster.world.run_for(20s);
    EXPECT_EQ(cluster.peer(dead).ipfs.held.size(), held_before)
        << "it keeps what the new holders may not have";

    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.peer(dead).ipfs.held.size(), 0u);
}

/// Whatever keeps the members of the cluster apart.
struct DeadPeerTest : ::testing::TestWithParam<SimKind> {
    static SimPeerOptions options() {
        auto out = options_with(GetParam());
        out.cluster.repin_grace = 10s;
        return out;
    }
    void start_with_pins(int count) {
        cluster.start_all();
        ASSERT_EQ(cluster.settle(), "");
        for (int i = 0; i < count; ++i) cluster.submit_pin(i % cluster.size(), cid(i), 2, 2);
        ASSERT_EQ(cluster.settle(), "");
        ASSERT_EQ(cluster.count(SimCluster::Outcome::acknowledged),
                  static_cast<std::size_t>(count));
    }
    std::map<Cid, std::vector<PeerId>> holders(int at) {
        std::map<Cid, std::vector<PeerId>> out;
        auto rows = cluster.collect<state::StoredPin>(at, cluster.peer(at).life().state.list());
        if (!rows) return out;
        for (const auto& row : rows.value()) out[row.pin.cid] = row.pin.allocations;
        return out;
    }
    bool all_hear_each_other() {
        for (int at = 0; at < cluster.size(); ++at)
            for (int of = 0; of < cluster.size(); ++of)
                if (!cluster.peer(at).life().monitor.alive(cluster.peer(of).id)) return false;
        return true;
    }
    SimCluster cluster{1, 4, options()};
};
SIM_WITH_EACH_KIND(DeadPeerTest);

TEST_P(DeadPeerTest, with_flapping_peers_no_pin_moves_within_the_grace_time) {
    ASSERT_NO_FATAL_FAILURE(start_with_pins(16));
    const auto before = holders(0);
    ASSERT_EQ(before.size(), 16u);
    for (int round = 0; round < 30; ++round) {
        const int flaps = static_cast<int>(cluster.draw(0, 3));
        std::vector<PeerId> others;
        for (int number = 0; number < 4; ++number)
            if (number != flaps) others.push_back(cluster.peer(number).id);
        if (cluster.draw(0, 1) == 0)
            cluster.network.partition({cluster.peer(flaps).id}, others);
        else
            cluster.peer(flaps).crash();
        cluster.world.run_for(std::chrono::milliseconds(cluster.draw(500, 3000)));
        cluster.network.heal_all();
        if (!cluster.peer(flaps).up()) {
            ASSERT_TRUE(
                cluster.world.run_until([&] { return cluster.peer(flaps).stopped(); }, 1min));
            cluster.start(flaps);
        }
        // Who is not heard in between has been silent all the time.
        ASSERT_TRUE(cluster.world.run_until([&] { return all_hear_each_other(); }, 6500ms));
        cluster.world.run_for(std::chrono::milliseconds(cluster.draw(1000, 4000)));
        for (int number = 0; number < 4; ++number)
            ASSERT_EQ(holders(number), before) << "round " << round << " at " << number;
    }
    EXPECT_EQ(cluster.settle(), "");
}

TEST_P(DeadPeerTest, a_dead_peers_pins_move_once_after_the_grace_time) {
    ASSERT_NO_FATAL_FAILURE(start_with_pins(16));
    const int dead = 3;
    const auto dead_id = cluster.peer(dead).id;
    const auto before = holders(0);
    cluster.peer(dead).crash();
    cluster.world.run_for(8s);
    EXPECT_EQ(holders(0), before) << "nothing moves before the grace time is over";
    cluster.world.run_for(40s);
    const auto moved = holders(0);
    for (const auto& [item, peers] : before) {
        const auto& now = moved.at(item);
        if (std::find(peers.begin(), peers.end(), dead_id) == peers.end()) {
            EXPECT_EQ(now, peers) << "it was none of the dead one's";
            continue;
        }
        EXPECT_EQ(now.size(), 2u);
        EXPECT_EQ(std::count(now.begin(), now.end(), dead_id), 0);
    }
    cluster.world.run_for(2min);
    EXPECT_EQ(holders(0), moved) << "those who rank behind find nothing left to do";
    for (int number = 1; number < 3; ++number) EXPECT_EQ(holders(number), moved);
    EXPECT_EQ(cluster.settle(), "");
}

TEST_F(RepinTest, a_peer_that_returns_within_the_grace_time_keeps_its_pins) {
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    pin_items(12, 2);
    const int dead = (cluster.leader() + 1) % 4;
    const auto held_before = cluster.peer(dead).ipfs.held.size();
    cluster.peer(dead).crash();
    cluster.world.run_for(6s);
    ASSERT_EQ(cluster.settle(), "");
    cluster.world.run_for(30s);
    EXPECT_EQ(cluster.peer(dead).ipfs.held.size(), held_before);
}

TEST_F(SlowRepinTest, what_others_unpin_or_change_meanwhile_stays_as_they_were_told) {
    ASSERT_NO_FATAL_FAILURE(run_into_walk(24, 5));
    const auto unpinned = to_move[to_move.size() - 1];
    const auto changed = to_move[to_move.size() - 2];
    const auto other = to_move[to_move.size() - 3];
    cluster.submit_unpin(witness, unpinned);
    cluster.submit_pin(witness, changed, 1, 2);
    ASSERT_TRUE(cluster.world.run_until(
        [&] { return cluster.count(SimCluster::Outcome::acknowledged) == 26; }, 3s));
    const auto pin = pin_of(witness, changed);
    ASSERT_TRUE(pin);
    cluster.world.run_for(std::chrono::seconds(to_move.size() + 5));

    EXPECT_FALSE(pin_of(witness, unpinned)) << "the unpin was acknowledged";
    const auto after = pin_of(witness, changed);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->options, pin->options) << "the change was acknowledged";
    const auto moved = pin_of(witness, other);
    ASSERT_TRUE(moved);
    EXPECT_FALSE(moved->allocated_to(dead_id)) << "the walk went on";
    EXPECT_EQ(cluster.settle(), "");
}

TEST_F(WideRepinTest, what_copies_the_holders_of_a_pin_that_waits_for_repair_is_repaired_too) {
    ASSERT_NO_FATAL_FAILURE(run_into_walk(36, 6));
    auto& api = cluster.peer(witness).life().cluster;
    for (std::size_t i = 1; i <= 4; ++i) {
        const auto from = to_move[to_move.size() - i];
        auto source = pin_of(witness, from);
        ASSERT_TRUE(source);
        std::erase(source->allocations, dead_id);
        ASSERT_EQ(source->allocations.size(), 1u);
        Pin copy;
        copy.cid = cid(100 + static_cast<int>(i));
        copy.options.pin_update = from;
        auto updated = cluster.await<Pin>(witness, api.pin(std::move(copy)));
        ASSERT_TRUE(updated) << updated.error().text;
        EXPECT_FALSE(updated.value().allocated_to(dead_id));
        EXPECT_EQ(updated.value().allocations.size(), 2u);
        EXPECT_TRUE(updated.value().allocated_to(source->allocations[0]))
            << "who lives and holds what is nearly the same stays";
    }

    cluster.world.run_for(std::chrono::seconds(to_move.size() + 60));
    Pin chosen;
    chosen.cid = cid(110);
    chosen.options.replication_min = chosen.options.replication_max = 1;
    chosen.allocations = {dead_id};
    auto pinned = cluster.await<Pin>(witness, api.pin(std::move(chosen)));
    ASSERT_TRUE(pinned) << pinned.error().text;
    EXPECT_FALSE(pinned.value().allocated_to(dead_id));
    EXPECT_EQ(pinned.value().allocations.size(), 1u);
}

TEST_F(SlowRepinTest, a_copy_on_a_peer_that_was_just_removed_is_no_live_copy) {
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    pin_items(24, 2);
    witness = cluster.leader();
    auto rows =
        cluster.collect<state::StoredPin>(witness, cluster.peer(witness).life().state.list());
    ASSERT_TRUE(rows);
    const auto witness_id = cluster.peer(witness).id;
    const auto shared =
        std::find_if(rows.value().begin(), rows.value().end(),
                     [&](const auto& row) { return !row.pin.allocated_to(witness_id); });
    ASSERT_NE(shared, rows.value().end());
    auto& api = cluster.peer(witness).life().cluster;
    const auto holders = shared->pin.allocations;
    auto first = cluster.await<component::Removal>(witness, api.peer_remove(holders[0], false));
    ASSERT_TRUE(first) << first.error().text;
    auto second = cluster.await<component::Removal>(witness, api.peer_remove(holders[1], false));
    ASSERT_TRUE(second) << second.error().text;
    EXPECT_EQ(second.value(), component::Removal::leaving) << "nobody but the two may hold it yet";
    for (int number = 0; number < 4; ++number)
        if (cluster.peer(number).id == holders[0]) cluster.peer(number).member = false;
}

TEST_F(RepinTest, the_pins_of_a_removed_peer_move_at_once) {
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    pin_items(16, 2);
    const int gone = (cluster.leader() + 1) % 4;
    const int witness = (gone + 1) % 4;
    const auto gone_id = cluster.peer(gone).id;
    auto removed = cluster.await<component::Removal>(
        witness, cluster.peer(witness).life().cluster.peer_remove(gone_id, false));
    ASSERT_TRUE(removed) << removed.error().text;
    cluster.peer(gone).member = false;
    EXPECT_EQ(cluster.settle(30s), "");
    EXPECT_TRUE(every_pin(cluster, witness, [&](const Pin& pin) {
        return !pin.allocated_to(gone_id) && pin.allocations.size() == 2;
    }));
}

TEST_F(RepinTest, the_last_live_holder_goes_at_once_only_by_force) {
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    pin_items(16, 1);
    int holder = 0;
    while (cluster.peer(holder).ipfs.held.empty()) ++holder;
    const int witness = (holder + 1) % 4;
    auto& api = cluster.peer(witness).life().cluster;
    auto asked =
        cluster.await<component::Removal>(witness, api.peer_remove(cluster.peer(holder).id, false));
    ASSERT_TRUE(asked) << asked.error().text;
    EXPECT_EQ(asked.value(), component::Removal::leaving);
    auto forced =
        cluster.await<component::Removal>(witness, api.peer_remove(cluster.peer(holder).id, true));
    EXPECT_TRUE(forced) << forced.error().text;
    cluster.peer(holder).member = false;
    EXPECT_EQ(cluster.settle(30s), "");
}

TEST_F(RepinTest, a_holder_that_could_not_pin_is_no_live_copy) {
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    // One peer alone has room.
    const int good = 1;
    for (int number = 0; number < 4; ++number)
        if (number != good)
            cluster.peer(number).ipfs.fault_drawn = [] {
                return std::optional<Error>(Error{Kind::internal, "no space left on device"});
            };
    const auto good_id = cluster.peer(good).id;
    Pin wish;
    wish.cid = cid(1);
    wish.options.replication_min = 2;
    wish.options.replication_max = 2;
    wish.options.user_allocations = {good_id};
    auto pinned = cluster.await<Pin>(good, cluster.peer(good).life().cluster.pin(std::move(wish)));
    ASSERT_TRUE(pinned) << pinned.error().text;
    ASSERT_TRUE(pinned.value().allocated_to(good_id));
    ASSERT_TRUE(cluster.world.run_until(
        [&] { return cluster.peer(good).ipfs.held.contains(cid(1)); }, 10s));
    int witness = 0;
    while (pinned.value().allocated_to(cluster.peer(witness).id)) ++witness;
    cluster.world.run_for(2s);
    auto& api = cluster.peer(witness).life().cluster;
    auto refused = cluster.await<component::Removal>(witness, api.peer_remove(good_id, false));
    ASSERT_TRUE(refused) << refused.error().text;
    EXPECT_EQ(refused.value(), component::Removal::leaving) << "its only copy would be gone";
    cluster.world.run_for(30s);
    EXPECT_TRUE(cluster.peer(good).ipfs.held.contains(cid(1))) << "it has no other copy yet";
    const auto listed = cluster.peer(witness).life().consensus.peers();
    EXPECT_NE(std::find(listed.begin(), listed.end(), good_id), listed.end());

    for (int number = 0; number < 4; ++number) cluster.peer(number).ipfs.fault_drawn = nullptr;
    ASSERT_TRUE(cluster.world.run_until(
        [&] {
            for (int number = 0; number < 4; ++number)
                if (number != good && cluster.peer(number).ipfs.held.contains(cid(1))) return true;
            return false;
        },
        60s));
    cluster.world.run_for(2s);
    auto removed = cluster.await<component::Removal>(witness, api.peer_remove(good_id, false));
    EXPECT_TRUE(removed) << removed.error().text;
}

TEST_F(RepinTest, a_list_names_the_peer_that_is_away_and_shows_the_rest) {
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    pin_items(10, 2);
    const int dead = 3;
    cluster.peer(dead).crash();
    cluster.world.run_for(6s);
    auto rows = cluster.collect<GlobalPinInfo>(0, cluster.peer(0).life().cluster.status_all(0));
    ASSERT_TRUE(rows) << rows.error().text;
    ASSERT_EQ(rows.value().size(), 10u);
    for (const auto& row : rows.value()) {
        ASSERT_EQ(row.peer_map.size(), 4u);
        for (int number = 0; number < 4; ++number) {
            const auto status = row.peer_map.at(cluster.peer(number).id).status;
            if (number == dead) {
                EXPECT_EQ(status, TrackerStatus::cluster_error);
                continue;
            }
            const auto holds = cluster.peer(number).ipfs.held.contains(row.cid);
            EXPECT_EQ(status, holds ? TrackerStatus::pinned : TrackerStatus::remote);
        }
    }
}

}  // namespace
}  // namespace ipfscluster::test
