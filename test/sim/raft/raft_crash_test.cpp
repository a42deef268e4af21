// Crashes, cuts, hand-overs and snapshots at moments that a seed draws. Each run prints its seed
// and how much was acknowledged. ICL_SIM_SEEDS=N runs N seeds, ICL_SIM_SEED=S only that one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "sim/raft/sim_cluster.hpp"

namespace ipfscluster::sim {
namespace {

using std::chrono::milliseconds;

struct Run {
    std::string wrong;  ///< empty: every rule held
    std::size_t acknowledged = 0;
    std::size_t operations = 0;
    int crashes = 0;
    Bytes trace;
    std::uint64_t events = 0;
};

raft::RaftOptions small_log() {
    raft::RaftOptions options;
    options.snapshot_threshold = 16;
    options.trailing_logs = 8;
    return options;
}

class Chaos {
 public:
    Chaos(std::uint64_t seed, int peers, bool lie) : cluster_(seed, small_log()) {
        cluster_.add_founders(peers);
        if (lie) cluster_.lie_about_syncs();
        // A slow disk leaves more to lose.
        cluster_.world.set_blocking_delay(milliseconds(1), milliseconds(15));
    }

    /// From now on peers come and go too, `joiners` of them beside the founders.
    void change_members(int joiners) {
        changes_ = true;
        for (int i = 0; i < joiners; ++i) cluster_.add_joiner(cluster_.size());
    }

    Run run(int steps) {
        cluster_.start_all();
        for (int step = 0; step < steps; ++step) {
            cluster_.world.run_for(milliseconds(draw(1, 120)));
            if (changes_ && draw(0, 99) < 12)
                change_membership();
            else
                act();
        }
        Run out;
        out.wrong = cluster_.settle();
        if (out.wrong.empty()) out.wrong = cluster_.check_agreement();
        out.acknowledged = cluster_.acknowledged();
        out.operations = cluster_.records().size();
        out.crashes = crashes_;
        out.trace = cluster_.trace();
        out.events = cluster_.world.events();
        return out;
    }

 private:
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return cluster_.world.random_between(low, high);
    }

    void act() {
        const int number =
            static_cast<int>(draw(0, static_cast<std::uint64_t>(cluster_.size() - 1)));
        auto& peer = cluster_.peer(number);
        const auto what = draw(0, 99);
        if (!peer.up) {
            if (cluster_.is_down(number) && what < 40) cluster_.start(number);
            return;
        }
        if (what < 60) {
            for (auto count = draw(1, 12); count > 0; --count) cluster_.submit_pin(number);
        } else if (what < 68) {
            unpin_something(number);
        } else if (what < 78) {
            cluster_.crash(number);
            ++crashes_;
        } else if (what < 80) {
            // The whole room loses power.
            for (int each = 0; each < cluster_.size(); ++each) {
                if (!cluster_.peer(each).up) continue;
                cluster_.crash(each);
                ++crashes_;
            }
        } else if (what < 88) {
            const int other =
                static_cast<int>(draw(0, static_cast<std::uint64_t>(cluster_.size() - 1)));
            if (other != number) cluster_.network.break_link(peer.id, cluster_.peer(other).id);
        } else if (what < 96) {
            cluster_.network.heal_all();
        } else {
            const int other =
                static_cast<int>(draw(0, static_cast<std::uint64_t>(cluster_.size() - 1)));
            peer.raft->transfer_leadership(cluster_.peer(other).id);
        }
    }

    int any() { return static_cast<int>(draw(0, static_cast<std::uint64_t>(cluster_.size() - 1))); }

    /// Three voters, all up and told so by the leader, and no change on its way that would make
    /// them two: what one lost disk cannot harm.
    bool three_healthy_voters() {
        const int leader = cluster_.leader();
        if (leader < 0) return false;
        for (int number = 0; number < cluster_.size(); ++number)
            if (cluster_.peer(number).busy > 0) return false;
        const auto engine = cluster_.peer(leader).raft->status().engine;
        if (engine.pending_change || engine.applied != engine.last_index) return false;
        const auto& log = cluster_.peer(leader).raft->log();
        int up = 0;
        for (const auto& member : log.members()) {
            if (member.learner) return false;
            for (int number = 0; number < cluster_.size(); ++number) {
                const auto& peer = cluster_.peer(number);
                up += peer.up && peer.raft->status().engine.id == member.id ? 1 : 0;
            }
        }
        return log.members().size() == 3 && up == 3;
    }

    void change_membership() {
        const int asker = any();
        const int other = any();
        if (!cluster_.peer(asker).up || !cluster_.is_member(asker)) return;
        auto& peer = cluster_.peer(other);
        if (!cluster_.is_member(other)) {
            const auto status = peer.up ? peer.raft->status() : raft::RaftStatus{};
            if (peer.up && status.engine.id != 0 && !status.running) {
                // Told that it was removed: it starts again without its data, waiting to be added.
                cluster_.crash_and_wipe(other);
                peer.options.staging = true;
            } else if (peer.up) {
                cluster_.ask_to_add(asker, other);
            }
        } else if (cluster_.peer(asker).raft->peers().size() > 3) {
            cluster_.ask_to_remove(asker, other);
        } else if (!wiped_ && other < 3 && three_healthy_voters()) {
            // One lost disk is what three peers bear.
            wiped_ = true;
            cluster_.crash_and_wipe(other);
            ++crashes_;
        }
    }

    void unpin_something(int number) {
        for (const auto& [id, record] : cluster_.records()) {
            if (record.outcome != SimCluster::Outcome::acknowledged || !record.pin ||
                draw(0, 9) != 0)
                continue;
            cluster_.submit_unpin(number, id);
            return;
        }
    }

    SimCluster cluster_;
    int crashes_ = 0;
    bool changes_ = false;
    bool wiped_ = false;
};

std::vector<std::uint64_t> seeds(const std::string& kind, std::uint64_t usual) {
    if (const char* one = std::getenv("ICL_SIM_SEED")) return {std::strtoull(one, nullptr, 10)};
    if (const char* many = std::getenv("ICL_SIM_SEEDS")) usual = std::strtoull(many, nullptr, 10);
    // Past failures always run: lines "<kind> <seed>".
    std::vector<std::uint64_t> out;
    std::ifstream past(std::string(ICL_TEST_DATA) + "/../sim/seeds.txt");
    std::string line;
    while (std::getline(past, line)) {
        if (line.rfind(kind + " ", 0) == 0)
            out.push_back(std::strtoull(line.c_str() + kind.size(), nullptr, 10));
    }
    for (std::uint64_t seed = 1; seed <= usual; ++seed) out.push_back(seed);
    return out;
}

void report(const char* name, std::uint64_t seed, const Run& run) {
    std::printf("%s seed=%llu acknowledged=%zu of=%zu crashes=%d events=%llu\n", name,
                static_cast<unsigned long long>(seed), run.acknowledged, run.operations,
                run.crashes, static_cast<unsigned long long>(run.events));
}

TEST(raft_crash, no_acknowledged_operation_is_lost_by_three_peers) {
    std::size_t acknowledged = 0;
    for (const auto seed : seeds("raft_three", 40)) {
        const auto run = Chaos(seed, 3, false).run(120);
        report("three", seed, run);
        ASSERT_EQ(run.wrong, "") << "ICL_SIM_SEED=" << seed;
        acknowledged += run.acknowledged;
    }
    EXPECT_GT(acknowledged, 0u);
}

TEST(raft_crash, no_acknowledged_operation_is_lost_by_five_peers) {
    std::size_t acknowledged = 0;
    for (const auto seed : seeds("raft_five", 20)) {
        const auto run = Chaos(seed, 5, false).run(120);
        report("five", seed, run);
        ASSERT_EQ(run.wrong, "") << "ICL_SIM_SEED=" << seed;
        acknowledged += run.acknowledged;
    }
    EXPECT_GT(acknowledged, 0u);
}

TEST(raft_crash, no_acknowledged_operation_is_lost_while_peers_come_and_go) {
    std::size_t acknowledged = 0;
    for (const auto seed : seeds("raft_members", 20)) {
        Chaos chaos(seed, 3, false);
        chaos.change_members(2);
        const auto run = chaos.run(200);
        report("members", seed, run);
        ASSERT_EQ(run.wrong, "") << "ICL_SIM_SEED=" << seed;
        acknowledged += run.acknowledged;
    }
    EXPECT_GT(acknowledged, 0u);
}

TEST(raft_crash, the_same_seed_gives_the_same_run) {
    for (const std::uint64_t seed : {3, 11}) {
        const auto first = Chaos(seed, 3, false).run(60);
        const auto second = Chaos(seed, 3, false).run(60);
        EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
        EXPECT_EQ(first.events, second.events) << "seed " << seed;
    }
    EXPECT_NE(Chaos(3, 3, false).run(60).trace, Chaos(4, 3, false).run(60).trace);
}

TEST(raft_crash, acknowledging_before_the_disk_has_it_is_noticed) {
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 40 && noticed == 0; ++seed) {
        const auto run = Chaos(seed, 3, true).run(120);
        if (run.wrong.empty()) continue;
        ++noticed;
        std::printf("without syncs: seed=%llu found: %s\n", static_cast<unsigned long long>(seed),
                    run.wrong.c_str());
    }
    EXPECT_GT(noticed, 0);
}

}  // namespace
}  // namespace ipfscluster::sim
