// Members that are emptied on purpose: everything moves, nothing is released early, whatever
// happens meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;
using component::Cordon;
using component::Removal;

struct DrainTest : ::testing::Test {
    static SimPeerOptions options(std::size_t rate = 20) {
        SimPeerOptions out;
        out.cluster.repin_grace = 10s;
        out.cluster.repin_rate = rate;
        return out;
    }
    /// A cluster with `count` items on `replicas` peers each.
    void begin(std::uint64_t seed, int peers, int count, int replicas,
               SimPeerOptions of_peers = options()) {
        cluster = std::make_unique<SimCluster>(seed, peers, std::move(of_peers));
        cluster->start_all();
        ASSERT_EQ(cluster->settle(), "");
        for (int i = 0; i < count; ++i) cluster->submit_pin(i % peers, cid(i), replicas, replicas);
        ASSERT_EQ(cluster->settle(), "");
        for (int i = 0; i < count; ++i) items.push_back(cid(i));
    }
    cluster::Cluster& api(int number) { return cluster->peer(number).life().cluster; }
    PeerId id(int number) { return cluster->peer(number).id; }
    Result<DrainReport> tell(int asked, int number, Cordon::Kind kind, bool dry_run = false,
                             bool everything = false) {
        return cluster->await<DrainReport>(
            asked,
            api(asked).peer_cordon(id(number), {.kind = kind, .everything = everything}, dry_run));
    }
    /// So many items that every peer holds, from this number on; all peers have them.
    void pin_everywhere(int from, int count) {
        for (int i = from; i < from + count; ++i) {
            cluster->submit_pin(i % cluster->size(), cid(i), -1, -1);
            items.push_back(cid(i));
        }
    }
    /// How many of these a peer's daemon holds.
    int held_of(int number, int from, int count) {
        int out = 0;
        for (int i = from; i < from + count; ++i)
            out += cluster->peer(number).ipfs.held.contains(cid(i)) ? 1 : 0;
        return out;
    }
    Result<DrainReport> ask(int asked, int number) {
        return cluster->await<DrainReport>(asked, api(asked).peer_drain(id(number)));
    }
    std::optional<Pin> pin_of(int at, const Cid& item) {
        auto row = cluster->peer(at).life().state.get(item);
        if (!row || !row.value()) return std::nullopt;
        return row.value()->pin;
    }
    std::size_t allocated(int at, int number) {
        std::size_t out = 0;
        for (const auto& item : items)
            if (const auto pin = pin_of(at, item); pin && pin->allocated_to(id(number))) ++out;
        return out;
    }
    bool is_member(int at, int number) {
        const auto listed = cluster->peer(at).life().consensus.peers();
        return std::find(listed.begin(), listed.end(), id(number)) != listed.end();
    }
    /// Some peer that is up and none of these.
    int other_than(std::vector<int> these) {
        int number = 0;
        while (std::find(these.begin(), these.end(), number) != these.end() ||
               !cluster->peer(number).up())
            ++number;
        return number;
    }
    /// Copies of an item at members that are up, `but` not there.
    int copies(const Cid& item, int but = -1) {
        int out = 0;
        for (int number = 0; number < cluster->size(); ++number)
            if (number != but && cluster->peer(number).up() &&
                cluster->peer(number).ipfs.held.contains(item))
                ++out;
        return out;
    }
    /// Runs in small steps until `done`. What the daemon of `drained` lets go of must then be
    /// whole at `least` other members that live.
    bool run_until(int drained, int least, const std::function<bool()>& done, Duration limit) {
        auto& daemon = cluster->peer(drained).ipfs;
        std::vector<Cid> had;
        for (const auto& [item, pin] : daemon.held) had.push_back(item);
        const auto end = cluster->world.steady_now() + limit;
        // To ask whether it is over costs a look at all pins.
        const auto stride = items.size() / 400 + 1;
        for (std::size_t step = 0; cluster->world.steady_now() < end; ++step) {
            if (step % stride == 0 && done()) return true;
            cluster->world.run_for(20ms);
            std::erase_if(had, [&](const Cid& item) {
                if (daemon.held.contains(item)) return false;
                if (!pin_of(other_than({drained}), item)) return true;
                ++released;
                EXPECT_GE(copies(item, drained), least_of ? least_of(item) : least)
                    << item.to_string() << " went too early";
                return true;
            });
        }
        return false;
    }
    std::size_t alerts_of_drains(int at) {
        const auto all = cluster->peer(at).life().monitor.alerts();
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [](const Alert& a) { return a.metric.name == "drain"; }));
    }

    std::unique_ptr<SimCluster> cluster;
    std::vector<Cid> items;
    int released = 0;
    std::function<int(const Cid&)> least_of;  ///< in place of one number for all
};

TEST_F(DrainTest, everything_moves_while_clients_pin_and_another_peer_is_killed) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        items.clear();
        released = 0;
        ASSERT_NO_FATAL_FAILURE(begin(seed, 5, 60, 2));
        const int drained = static_cast<int>(seed) % 5;
        const int asked = (drained + 1) % 5;
        const auto before = allocated(asked, drained);
        ASSERT_GT(before, 10u);
        auto plan = tell(asked, drained, Cordon::Kind::draining, true);
        ASSERT_TRUE(plan) << plan.error().text;
        EXPECT_EQ(plan.value().pins, before);
        EXPECT_EQ(plan.value().kept, 0u);
        EXPECT_EQ(plan.value().blocked, 0u);
        EXPECT_EQ(ask(asked, drained).value().kind, "none") << "nothing was told";
        ASSERT_TRUE(tell(asked, drained, Cordon::Kind::draining));
        ASSERT_TRUE(run_until(
            drained, 2, [&] { return allocated(asked, drained) < before / 2; }, 60s));
        const int killed = other_than({drained, asked, cluster->leader()});
        cluster->peer(killed).crash();
        for (int i = 0; i < 30; ++i) {
            const int from = i % 2 == 0 ? asked : drained;
            cluster->submit_pin(from, cid(100 + i), 2, 2);
            items.push_back(cid(100 + i));
        }
        // Its copies died with the killed one: the least that was there is what counts.
        ASSERT_TRUE(run_until(
            drained, 1,
            [&] {
                const auto report = ask(asked, drained);
                return report && report.value().left() == 0 && report.value().kept;
            },
            300s));
        EXPECT_GT(released, 10);
        // Its grace time may not be over yet.
        ASSERT_TRUE(cluster->world.run_until(
            [&] {
                return std::all_of(items.begin(), items.end(), [&](const Cid& item) {
                    const auto pin = pin_of(asked, item);
                    return pin && !pin->allocated_to(id(killed)) && copies(item, drained) >= 2;
                });
            },
            120s));
        EXPECT_EQ(allocated(asked, drained), 0u);
        for (const auto& item : items) {
            const auto pin = pin_of(asked, item);
            ASSERT_TRUE(pin);
            EXPECT_FALSE(pin->allocated_to(id(killed))) << "what the kill took is back";
            EXPECT_GE(copies(item, drained), 2);
        }
        auto gone = cluster->await<Removal>(asked, api(asked).peer_remove(id(drained), false));
        ASSERT_TRUE(gone) << gone.error().text;
        EXPECT_EQ(gone.value(), Removal::removed) << "at once";
        cluster->peer(drained).member = false;
        EXPECT_EQ(cluster->settle(), "");
    }
}

/// As many items as the environment says; few by default.
TEST_F(DrainTest, a_peer_with_many_items_is_drained_while_clients_pin_and_another_is_killed) {
    const char* asked_for = std::getenv("ICL_DRAIN_ITEMS");
    const int count = asked_for != nullptr ? std::atoi(asked_for) : 400;
    ASSERT_NO_FATAL_FAILURE(begin(17, 5, count, 2, options(500)));
    const int drained = (cluster->leader() + 1) % 5;
    const int asked = (drained + 1) % 5;
    const auto before = allocated(asked, drained);
    const auto began = cluster->world.steady_now();
    ASSERT_TRUE(tell(asked, drained, Cordon::Kind::draining));
    ASSERT_TRUE(run_until(
        drained, 2, [&] { return allocated(asked, drained) < before / 2; }, 600s));
    const int killed = other_than({drained, asked, cluster->leader()});
    // What only the drained one and the killed one have counts less from here on.
    std::set<Cid> halved;
    for (const auto& item : items)
        if (cluster->peer(killed).ipfs.held.contains(item)) halved.insert(item);
    cluster->peer(killed).crash();
    least_of = [halved](const Cid& item) { return halved.contains(item) ? 1 : 2; };
    for (int i = 0; i < count / 20; ++i) {
        cluster->submit_pin(i % 2 == 0 ? asked : drained, cid(count + i), 2, 2);
        items.push_back(cid(count + i));
    }
    const auto empty = [&] {
        const auto report = ask(asked, drained);
        return report && report.value().left() == 0 && report.value().kept;
    };
    ASSERT_TRUE(run_until(drained, 2, empty, 3600s));
    // Its daemon lets go of the last a moment after nothing is kept any more.
    EXPECT_TRUE(run_until(
        drained, 2, [&] { return cluster->peer(drained).ipfs.held.empty(); }, 60s))
        << cluster->peer(drained).ipfs.held.size();
    EXPECT_EQ(cluster->peer(drained).life().state.holding().moved(), before);
    EXPECT_GE(released + 8, static_cast<int>(before)) << "nearly all under the eyes of the test";
    const auto drained_after = cluster->world.steady_now() - began;
    ASSERT_TRUE(cluster->world.run_until(
        [&] {
            cluster->world.run_for(1s);
            return std::all_of(items.begin(), items.end(), [&](const Cid& item) {
                const auto pin = pin_of(asked, item);
                return pin && !pin->allocated_to(id(killed)) && copies(item, drained) >= 2;
            });
        },
        3600s));
    const auto whole_after = cluster->world.steady_now() - began;
    auto gone = cluster->await<Removal>(asked, api(asked).peer_remove(id(drained), false));
    ASSERT_TRUE(gone) << gone.error().text;
    EXPECT_EQ(gone.value(), Removal::removed) << "at once";
    cluster->peer(drained).member = false;
    std::printf("%d items, %zu drained in %.0f s, whole after %.0f s, %d released\n", count, before,
                std::chrono::duration<double>(drained_after).count(),
                std::chrono::duration<double>(whole_after).count(), released);
    EXPECT_EQ(cluster->settle(600s), "");
}

TEST_F(DrainTest, goes_on_under_another_coordinator_and_after_all_were_down) {
    ASSERT_NO_FATAL_FAILURE(begin(5, 4, 60, 2));
    const int drained = (cluster->leader() + 1) % 4;
    const int asked = (drained + 1) % 4;
    const auto before = allocated(asked, drained);
    ASSERT_TRUE(tell(asked, drained, Cordon::Kind::draining));
    const auto since = ask(asked, drained).value().since;
    ASSERT_TRUE(run_until(
        drained, 2, [&] { return allocated(asked, drained) < before - 3; }, 60s));
    const int old = cluster->leader();
    const int next = other_than({drained, old});
    cluster->peer(old).life().raft->transfer_leadership(id(next));
    const auto then = allocated(asked, drained);
    ASSERT_TRUE(run_until(
        drained, 2, [&] { return cluster->leader() == next && allocated(asked, drained) < then; },
        60s));
    ASSERT_GT(allocated(asked, drained), 0u);
    for (int number = 0; number < 4; ++number) cluster->peer(number).crash();
    cluster->world.run_for(1s);
    cluster->start_all();
    ASSERT_TRUE(cluster->world.run_until(
        [&] { return cluster->leader() >= 0 && api(asked).ready() && api(drained).ready(); }, 60s));
    ASSERT_TRUE(run_until(
        drained, 2,
        [&] {
            const auto report = ask(asked, drained);
            return report && report.value().left() == 0 && report.value().kept;
        },
        120s));
    const auto report = ask(asked, drained).value();
    EXPECT_EQ(report.kind, "draining");
    EXPECT_EQ(report.since, since);
    EXPECT_EQ(cluster->settle(), "");
    EXPECT_TRUE(is_member(asked, drained)) << "drained is not removed";
}

TEST_F(DrainTest, ends_when_it_is_taken_back) {
    ASSERT_NO_FATAL_FAILURE(begin(6, 4, 60, 2, options(5)));
    const int drained = (cluster->leader() + 1) % 4;
    const int asked = (drained + 1) % 4;
    const auto before = allocated(asked, drained);
    ASSERT_TRUE(tell(asked, drained, Cordon::Kind::leaving));
    ASSERT_TRUE(run_until(
        drained, 2, [&] { return allocated(asked, drained) < before - 2; }, 60s));
    ASSERT_TRUE(tell(drained, drained, Cordon::Kind::none));
    const auto then = allocated(asked, drained);
    ASSERT_GT(then, 0u);
    cluster->world.run_for(120s);
    EXPECT_EQ(allocated(asked, drained), then);
    EXPECT_TRUE(is_member(asked, drained));
    for (int i = 100; i < 140; ++i) {
        cluster->submit_pin(asked, cid(i), 2, 2);
        items.push_back(cid(i));
    }
    EXPECT_EQ(cluster->settle(), "");
    EXPECT_GT(allocated(asked, drained), then) << "it takes pins again";
}

TEST_F(DrainTest, a_cordoned_peer_keeps_what_it_has_and_gets_what_every_peer_holds) {
    ASSERT_NO_FATAL_FAILURE(begin(7, 4, 24, 2));
    const int apart = (cluster->leader() + 1) % 4;
    const int asked = (apart + 1) % 4;
    const auto before = allocated(asked, apart);
    ASSERT_TRUE(tell(asked, apart, Cordon::Kind::cordoned));
    // Whoever has not heard of it yet plans without it.
    ASSERT_TRUE(cluster->world.run_until(
        [&] {
            for (int number = 0; number < 4; ++number)
                if (!cluster->peer(number).life().consensus.cordon(id(apart)).takes_no_pins())
                    return false;
            return true;
        },
        10s));
    for (int i = 100; i < 120; ++i) {
        cluster->submit_pin(i % 4, cid(i), 2, 2);
        items.push_back(cid(i));
    }
    cluster->submit_pin(apart, cid(200), -1, -1);
    cluster->world.run_for(60s);
    EXPECT_EQ(cluster->settle(), "");
    EXPECT_EQ(allocated(asked, apart), before);
    EXPECT_TRUE(cluster->peer(apart).ipfs.held.contains(cid(200)));
    Pin wish;
    wish.cid = cid(300);
    wish.options.user_allocations = {id(apart)};
    const auto refused = cluster->await<Pin>(apart, api(apart).pin(wish));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("takes no new pins"), std::string::npos)
        << refused.error().text;
}

TEST_F(DrainTest, with_everything_a_peer_leaves_also_what_every_peer_holds_until_it_is_taken_back) {
    ASSERT_NO_FATAL_FAILURE(begin(16, 4, 12, 2));
    pin_everywhere(200, 10);
    ASSERT_EQ(cluster->settle(), "");
    const int apart = (cluster->leader() + 1) % 4;
    const int asked = (apart + 1) % 4;
    ASSERT_EQ(held_of(apart, 200, 10), 10);
    const auto before = allocated(asked, apart) - 10;
    const auto plan = tell(asked, apart, Cordon::Kind::cordoned, true, true);
    ASSERT_TRUE(plan) << plan.error().text;
    EXPECT_EQ(plan.value().pins, before + 10) << "what it has and would have to give";
    EXPECT_EQ(held_of(apart, 200, 10), 10) << "a dry run tells nothing";
    ASSERT_TRUE(tell(asked, apart, Cordon::Kind::cordoned, false, true));
    ASSERT_TRUE(run_until(
        apart, 3, [&] { return held_of(apart, 200, 10) == 0; }, 120s));
    EXPECT_EQ(released, 10);
    pin_everywhere(210, 5);
    ASSERT_EQ(cluster->settle(), "");
    EXPECT_EQ(held_of(apart, 210, 5), 0);
    EXPECT_EQ(held_of(asked, 210, 5), 5);
    const auto row = cluster->await<GlobalPinInfo>(asked, api(asked).status(cid(210)));
    ASSERT_TRUE(row) << row.error().text;
    EXPECT_EQ(row.value().peer_map.at(id(apart)).status, TrackerStatus::remote);
    EXPECT_EQ(row.value().peer_map.at(id(asked)).status, TrackerStatus::pinned);
    const auto report = ask(asked, apart).value();
    EXPECT_TRUE(report.everything);
    EXPECT_EQ(report.pins, before) << "what it holds by name stays with a cordon";
    EXPECT_EQ(report.kept, 0u);
    EXPECT_EQ(report.moved, 10u);
    ASSERT_TRUE(tell(apart, apart, Cordon::Kind::none));
    EXPECT_EQ(cluster->settle(), "") << "all of it comes back";
    EXPECT_EQ(held_of(apart, 200, 15), 15);
}

TEST_F(DrainTest, what_every_peer_holds_is_let_go_only_once_all_live_others_have_it) {
    ASSERT_NO_FATAL_FAILURE(begin(17, 4, 0, 1));
    pin_everywhere(200, 8);
    ASSERT_EQ(cluster->settle(), "");
    const int apart = (cluster->leader() + 1) % 4;
    const int lacking = (apart + 1) % 4;
    const int asked = (apart + 2) % 4;
    for (int i = 200; i < 208; ++i) cluster->peer(lacking).ipfs.held.erase(cid(i));
    cluster->peer(lacking).ipfs.fault_drawn = [] {
        return std::optional<Error>(Error{Kind::internal, "it does not fit"});
    };
    ASSERT_TRUE(tell(asked, apart, Cordon::Kind::draining, false, true));
    cluster->world.run_for(3min);
    EXPECT_EQ(held_of(apart, 200, 8), 8) << "one that is to hold them has them not";
    const auto report = ask(asked, apart).value();
    EXPECT_EQ(report.left(), 8u);
    EXPECT_EQ(report.waiting, 8u);
    EXPECT_EQ(report.moved, 0u);
    ASSERT_FALSE(report.stuck.empty());
    EXPECT_NE(report.stuck.front().reason.find("all live holders"), std::string::npos)
        << report.stuck.front().reason;
    cluster->peer(lacking).ipfs.fault_drawn = nullptr;
    ASSERT_TRUE(run_until(
        apart, 3, [&] { return held_of(apart, 200, 8) == 0; }, 30min));
    EXPECT_EQ(ask(asked, apart).value().moved, 8u);
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DrainTest, everything_is_left_also_by_a_peer_that_learns_of_it_late_and_after_restarts) {
    ASSERT_NO_FATAL_FAILURE(begin(18, 4, 4, 2));
    pin_everywhere(200, 20);
    ASSERT_EQ(cluster->settle(), "");
    const int apart = (cluster->leader() + 1) % 4;
    const int asked = (apart + 1) % 4;
    cluster->peer(apart).crash();
    ASSERT_TRUE(tell(asked, apart, Cordon::Kind::cordoned, false, true));
    for (int i = 400; i < 460; ++i) cluster->submit_pin(asked, cid(i), -1, -1);
    cluster->world.run_for(5s);
    cluster->start(apart);
    ASSERT_TRUE(cluster->world.run_until(
        [&] { return cluster->peer(apart).life().state.holding().told().leaves_everywhere; }, 60s));
    // In the middle of what follows.
    cluster->peer(apart).crash();
    cluster->world.run_for(1s);
    cluster->start(apart);
    ASSERT_TRUE(run_until(
        apart, 3, [&] { return held_of(apart, 200, 20) == 0; }, 5min));
    ASSERT_EQ(cluster->settle(), "");
    EXPECT_EQ(held_of(apart, 400, 60), 0) << "a snapshot brought them, the word came with it";
    for (int number = 0; number < 4; ++number) cluster->peer(number).crash();
    cluster->world.run_for(1s);
    cluster->start_all();
    ASSERT_EQ(cluster->settle(), "");
    EXPECT_EQ(held_of(apart, 200, 20), 0);
    EXPECT_EQ(ask(asked, apart).value().moved, 20u);
    ASSERT_TRUE(tell(asked, apart, Cordon::Kind::none));
    ASSERT_EQ(cluster->settle(), "");
    EXPECT_EQ(held_of(apart, 400, 60), 60);
}

TEST_F(DrainTest, somebody_goes_on_holding_what_every_peer_holds) {
    ASSERT_NO_FATAL_FAILURE(begin(19, 2, 0, 1));
    pin_everywhere(200, 3);
    ASSERT_EQ(cluster->settle(), "");
    ASSERT_TRUE(tell(0, 1, Cordon::Kind::draining, false, true));
    const auto refused = tell(1, 0, Cordon::Kind::cordoned, false, true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    ASSERT_TRUE(run_until(
        1, 1, [&] { return held_of(1, 200, 3) == 0; }, 120s));
    const auto removed = cluster->await<Removal>(0, api(0).peer_remove(id(1), false));
    ASSERT_TRUE(removed) << removed.error().text;
    EXPECT_EQ(removed.value(), Removal::removed) << "it has nothing that others have not";
    EXPECT_EQ(held_of(0, 200, 3), 3);
}

TEST_F(DrainTest, the_only_holder_of_an_item_leaves_when_another_has_it) {
    ASSERT_NO_FATAL_FAILURE(begin(8, 4, 24, 1));
    const int leaves = (cluster->leader() + 1) % 4;
    const int asked = (leaves + 1) % 4;
    ASSERT_GT(allocated(asked, leaves), 0u);
    auto said = cluster->await<Removal>(asked, api(asked).peer_remove(id(leaves), false));
    ASSERT_TRUE(said) << said.error().text;
    EXPECT_EQ(said.value(), Removal::leaving);
    EXPECT_TRUE(is_member(asked, leaves));
    auto peers = cluster->collect<PeerInfo>(asked, api(asked).peers());
    ASSERT_TRUE(peers);
    for (const auto& peer : peers.value()) {
        EXPECT_EQ(peer.note.cordon, peer.id == id(leaves) ? "leaving" : "");
        EXPECT_EQ(peer.note.left.has_value(), peer.id == id(leaves));
    }
    ASSERT_TRUE(run_until(
        leaves, 1, [&] { return !is_member(asked, leaves); }, 120s));
    cluster->peer(leaves).member = false;
    for (const auto& item : items) EXPECT_GE(copies(item, leaves), 1) << item.to_string();
    const auto gone = ask(asked, leaves);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, Kind::not_found);
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DrainTest, the_coordinator_leaves_as_well) {
    ASSERT_NO_FATAL_FAILURE(begin(9, 4, 24, 1));
    const int leaves = cluster->leader();
    const int asked = (leaves + 1) % 4;
    auto said = cluster->await<Removal>(leaves, api(leaves).peer_remove(id(leaves), false));
    ASSERT_TRUE(said) << said.error().text;
    EXPECT_EQ(said.value(), Removal::leaving);
    ASSERT_TRUE(run_until(
        leaves, 1, [&] { return !is_member(asked, leaves); }, 120s));
    cluster->peer(leaves).member = false;
    for (const auto& item : items) EXPECT_GE(copies(item, leaves), 1) << item.to_string();
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DrainTest, a_peer_that_dies_while_it_leaves_is_removed_when_its_items_have_their_minimum) {
    ASSERT_NO_FATAL_FAILURE(begin(10, 5, 40, 2));
    const int leaves = (cluster->leader() + 1) % 5;
    const int asked = (leaves + 1) % 5;
    ASSERT_TRUE(tell(asked, leaves, Cordon::Kind::leaving));
    cluster->world.run_for(300ms);
    cluster->peer(leaves).crash();
    ASSERT_TRUE(cluster->world.run_until([&] { return !is_member(asked, leaves); }, 120s));
    cluster->peer(leaves).member = false;
    for (const auto& item : items) EXPECT_GE(copies(item, leaves), 2) << item.to_string();
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DrainTest, a_dead_peer_with_the_only_copy_stays_until_it_is_back) {
    auto inside = options();
    inside.cluster.fetches_outside = false;
    inside.cluster.repin_rate = 1;
    ASSERT_NO_FATAL_FAILURE(begin(11, 4, 60, 1, inside));
    const int leaves = (cluster->leader() + 1) % 4;
    const int asked = (leaves + 1) % 4;
    ASSERT_GT(allocated(asked, leaves), 4u);
    // Nobody can fetch from a peer that is gone.
    for (const auto& item : items)
        for (int number = 0; number < 4; ++number)
            if (number != leaves && pin_of(asked, item)->allocated_to(id(leaves)))
                cluster->peer(number).ipfs.dead[item] = 1s;
    ASSERT_TRUE(tell(asked, leaves, Cordon::Kind::leaving));
    cluster->world.run_for(1500ms);
    cluster->peer(leaves).crash();
    cluster->world.run_for(60s);
    EXPECT_TRUE(is_member(asked, leaves));
    const auto report = ask(asked, leaves);
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_GT(report.value().blocked, 0u);
    EXPECT_FALSE(report.value().kept) << "nobody knows";
    EXPECT_NE(report.value().stuck.at(0).reason.find("waits for this peer"), std::string::npos);
    // Asked for now, it would be refused.
    auto refused = cluster->await<Removal>(asked, api(asked).peer_remove(id(leaves), false));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    for (int number = 0; number < 4; ++number) cluster->peer(number).ipfs.dead.clear();
    cluster->start(leaves);
    ASSERT_TRUE(run_until(
        leaves, 1, [&] { return !is_member(asked, leaves); }, 300s));
    cluster->peer(leaves).member = false;
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DrainTest, a_removal_is_refused_where_nobody_could_take_the_copies) {
    ASSERT_NO_FATAL_FAILURE(begin(12, 3, 24, 1));
    const int leaves = (cluster->leader() + 1) % 3;
    const int asked = (leaves + 1) % 3;
    const int third = (leaves + 2) % 3;
    ASSERT_TRUE(tell(asked, asked, Cordon::Kind::cordoned));
    ASSERT_TRUE(tell(asked, third, Cordon::Kind::cordoned));
    const auto count = allocated(asked, leaves);
    const auto refused = cluster->await<Removal>(asked, api(asked).peer_remove(id(leaves), false));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_NE(refused.error().text.find(std::to_string(count) + " of its pins cannot be moved"),
              std::string::npos)
        << refused.error().text;
    EXPECT_NE(refused.error().text.find("take no new pins"), std::string::npos)
        << refused.error().text;
    EXPECT_EQ(ask(asked, leaves).value().kind, "none");
}

TEST_F(DrainTest, the_only_member_stays_and_goes_on_taking_pins) {
    ASSERT_NO_FATAL_FAILURE(begin(1, 1, 3, -1));
    auto removed = cluster->await<Removal>(0, api(0).peer_remove(id(0), false));
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, Kind::conflict) << removed.error().text;
    EXPECT_FALSE(cluster->peer(0).life().consensus.cordon(id(0)).takes_no_pins());
}

TEST_F(DrainTest, a_dead_peer_stays_while_those_that_got_its_pins_have_them_not) {
    ASSERT_NO_FATAL_FAILURE(begin(1, 3, 6, 1));
    const int dead = other_than({cluster->leader()});
    const int asked = other_than({dead});
    const auto at_first = allocated(asked, dead);
    ASSERT_GT(at_first, 0u);
    for (int number = 0; number < 3; ++number)
        if (number != dead)
            for (const auto& item : items)
                if (const auto pin = pin_of(asked, item); pin && pin->allocated_to(id(dead)))
                    cluster->peer(number).ipfs.dead[item] = 1s;
    cluster->peer(dead).crash();
    for (int i = 0; i < 120 && allocated(asked, dead) > 0; ++i) cluster->world.run_for(1s);
    ASSERT_EQ(allocated(asked, dead), 0u) << "a repair gives them to others";
    auto removed = cluster->await<Removal>(asked, api(asked).peer_remove(id(dead), false));
    EXPECT_FALSE(removed && removed.value() == Removal::removed);
    cluster->world.run_for(60s);
    EXPECT_TRUE(is_member(asked, dead)) << "it has the only copy";
}

TEST_F(DrainTest, a_leave_at_shutdown_moves_nothing) {
    ASSERT_NO_FATAL_FAILURE(begin(13, 3, 24, 2));
    const int leaves = (cluster->leader() + 1) % 3;
    const int asked = (leaves + 1) % 3;
    auto stays = cluster->await<void>(leaves, api(leaves).leave());
    ASSERT_FALSE(stays) << "one copy elsewhere is less than two";
    EXPECT_EQ(stays.error().kind, Kind::conflict);
    EXPECT_NE(stays.error().text.find("stays a member"), std::string::npos) << stays.error().text;
    const auto before = allocated(asked, leaves);
    cluster->world.run_for(30s);
    EXPECT_EQ(allocated(asked, leaves), before);
    for (const auto& item : items) cluster->submit_pin(asked, item, 1, 3);
    EXPECT_EQ(cluster->settle(), "");
    auto left = cluster->await<void>(leaves, api(leaves).leave());
    ASSERT_TRUE(left) << left.error().text;
    cluster->peer(leaves).member = false;
    EXPECT_EQ(cluster->settle(), "");
}

TEST_F(DrainTest, where_nothing_is_moved_a_removal_needs_the_minimum_elsewhere) {
    auto still = options();
    still.cluster.disable_repinning = true;
    ASSERT_NO_FATAL_FAILURE(begin(14, 4, 24, 2, still));
    const int leaves = (cluster->leader() + 1) % 4;
    const int asked = (leaves + 1) % 4;
    const auto refused = cluster->await<Removal>(asked, api(asked).peer_remove(id(leaves), false));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_NE(refused.error().text.find("disable_repinning"), std::string::npos)
        << refused.error().text;
    EXPECT_EQ(tell(asked, leaves, Cordon::Kind::draining).error().kind, Kind::conflict);
    EXPECT_TRUE(tell(asked, leaves, Cordon::Kind::cordoned));
}

TEST_F(DrainTest, a_move_that_does_not_end_is_an_alert_once) {
    ASSERT_NO_FATAL_FAILURE(begin(15, 4, 24, 2));
    const int drained = (cluster->leader() + 1) % 4;
    const int asked = cluster->leader();
    for (int number = 0; number < 4; ++number)
        if (number != drained)
            cluster->peer(number).ipfs.fault_drawn = [] {
                return std::optional<Error>(Error{Kind::internal, "it does not fit"});
            };
    ASSERT_TRUE(tell(asked, drained, Cordon::Kind::draining));
    const auto held = cluster->peer(drained).ipfs.held.size();
    cluster->world.run_for(10min);
    ASSERT_EQ(cluster->leader(), asked);
    EXPECT_EQ(alerts_of_drains(asked), 1u);
    EXPECT_EQ(cluster->peer(drained).ipfs.held.size(), held) << "nobody else has it";
    const auto report = ask(asked, drained).value();
    EXPECT_GT(report.kept.value_or(0), 0u);
    EXPECT_EQ(report.waiting, report.kept);
    ASSERT_FALSE(report.stuck.empty());
    EXPECT_NE(report.stuck.front().reason.find("kept until 2 holders have it"), std::string::npos)
        << report.stuck.front().reason;
    EXPECT_NE(report.stuck.front().reason.find("it does not fit"), std::string::npos)
        << report.stuck.front().reason;
    EXPECT_EQ(cluster->settle(), "");
}

}  // namespace
}  // namespace ipfscluster::test
