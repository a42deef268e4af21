// Wherever the process dies, the daemon ends up holding what the pinset says.
#include <gtest/gtest.h>

#include "tracker_fixture.hpp"

namespace ipfscluster::tracker {
namespace {

/// One random operation on one of a few items.
Result<> random_operation(Rig& rig) {
    const auto n = static_cast<int>(rig.world.random_between(0, 7));
    switch (rig.world.random_between(0, 4)) {
        case 0:
        case 1:
            return rig.unpin(n);
        case 2:
            return rig.pin(pin_on(cid(n), {peer(2)}));
        default: {
            auto pin = rig.fresh_pin(n);
            if (rig.world.random_between(0, 2) == 0) pin.timestamp -= 48h;
            return rig.pin(pin);
        }
    }
}

void expect_daemon_agrees(Rig& rig, std::uint64_t seed) {
    rig.world.run_for(1h);
    EXPECT_EQ(rig.tracker->queue_size(), 0U) << "seed " << seed;
    EXPECT_EQ(rig.work_rows(), 0U) << "seed " << seed;
    for (int i = 0; i < 8; ++i) {
        const auto pin = rig.pinset->get(cid(i)).value();
        const bool wanted = pin && pin->pin.allocated_to(peer(1));
        EXPECT_EQ(rig.ipfs.held.contains(cid(i)), wanted) << "item " << i << " seed " << seed;
        const auto status = rig.status(i).info.status;
        const auto expected = wanted ? TrackerStatus::pinned
                              : pin  ? TrackerStatus::remote
                                     : TrackerStatus::unpinned;
        EXPECT_EQ(to_string(status), to_string(expected)) << "item " << i << " seed " << seed;
    }
}

/// A rig with few workers and quick retries, so that rows meet in every way.
TrackerOptions tight() {
    return {.concurrent_pins = 2, .concurrent_unpins = 1, .retry_delay_first = 1s};
}

void random_faults(Rig& rig) {
    const auto item = [&rig] { return cid(static_cast<int>(rig.world.random_between(0, 7))); };
    if (rig.world.random_between(0, 5) == 0)
        rig.ipfs.pin_errors[item()].push_back({Kind::timeout, "no providers"});
    if (rig.world.random_between(0, 5) == 0)
        rig.ipfs.unpin_errors[item()].push_back({Kind::internal, "refused"});
}

void random_pause(Rig& rig) {
    for (auto steps = rig.world.random_between(0, 40); steps > 0; --steps) rig.world.step();
}

TEST(TrackerCrashTest, daemon_agrees_with_the_pinset_without_crashes) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Rig rig(seed, tight());
        rig.let_others_answer();
        rig.ipfs.pin_time = 30ms;
        rig.ipfs.unpin_time = 20ms;
        for (auto n = rig.world.random_between(1, 30); n > 0; --n) {
            random_faults(rig);
            ASSERT_TRUE(random_operation(rig));
            random_pause(rig);
        }
        expect_daemon_agrees(rig, seed);
    }
}

TEST(TrackerCrashTest, work_survives_a_crash_when_the_pinset_was_durable) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Rig rig(seed, tight());
        rig.let_others_answer();
        rig.ipfs.pin_time = 30ms;
        rig.ipfs.unpin_time = 20ms;
        for (int round = 0; round < 3; ++round) {
            for (auto n = rig.world.random_between(1, 10); n > 0; --n) {
                random_faults(rig);
                ASSERT_TRUE(random_operation(rig));
                // Durable as consensus makes it; what the tracker writes after that may be lost.
                ICL_EXPECT_OK(drive(rig.world, rig.store->sync()));
                random_pause(rig);
            }
            rig.crash();
            rig.boot();
        }
        expect_daemon_agrees(rig, seed);
    }
}

TEST(TrackerCrashTest, work_survives_a_crash_at_each_step_of_one_item) {
    for (int crash_at = 0; crash_at < 120; ++crash_at) {
        Rig rig(static_cast<std::uint64_t>(crash_at));
        rig.ipfs.pin_errors[cid(1)] = {{Kind::timeout, "no providers"}};
        int step = 0;
        const auto go = [&](int steps) {
            for (; steps > 0; --steps) {
                if (step++ == crash_at) {
                    rig.crash();
                    rig.boot();
                }
                rig.world.step();
            }
        };
        ASSERT_TRUE(rig.pin(1));
        ICL_EXPECT_OK(drive(rig.world, rig.store->sync()));
        go(40);
        ASSERT_TRUE(rig.unpin(1));
        ICL_EXPECT_OK(drive(rig.world, rig.store->sync()));
        go(40);
        ASSERT_TRUE(rig.pin(1));
        ICL_EXPECT_OK(drive(rig.world, rig.store->sync()));
        go(40);
        expect_daemon_agrees(rig, static_cast<std::uint64_t>(crash_at));
    }
}

}  // namespace
}  // namespace ipfscluster::tracker
