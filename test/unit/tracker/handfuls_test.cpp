// Pins that are told to the daemon in one call.
#include <gtest/gtest.h>

#include "tracker_fixture.hpp"

namespace ipfscluster::tracker {
namespace {

constexpr int kFirst = 100;  ///< of the items of these tests

/// A rig with a daemon that has shown that it is quick.
struct QuickRig : Rig {
    explicit QuickRig(TrackerOptions o = {}) : Rig(1, o) {
        ipfs.pin_time = 1ms;
        pin_all(1000, 400);
        EXPECT_TRUE(held(1000, 400, 10s));
        EXPECT_GT(ipfs.told_together_max, 4u);
        ipfs.told_together = ipfs.told_together_max = 0;
        ipfs.calls.clear();
    }
    void pin_all(int first, int count) {
        for (int i = first; i < first + count; ++i) {
            ipfs.names[cid(i)] = std::to_string(i);
            ASSERT_TRUE(pin(i));
        }
    }
    bool held(int first, int count, Duration limit) {
        return world.run_until(
            [&] {
                for (int i = first; i < first + count; ++i)
                    if (!ipfs.held.contains(cid(i))) return false;
                return true;
            },
            limit);
    }
    std::size_t calls_for(int n) const {
        return static_cast<std::size_t>(
            std::count(ipfs.calls.begin(), ipfs.calls.end(), "pin " + std::to_string(n)));
    }
};

TEST(HandfulsTest, a_daemon_that_has_pins_at_once_is_told_of_many_in_a_call) {
    QuickRig rig;
    rig.pin_all(kFirst, 200);
    EXPECT_TRUE(rig.held(kFirst, 200, 1s));
    rig.world.run_for(1s);
    EXPECT_GT(rig.ipfs.told_together, 150u);
    EXPECT_EQ(rig.ipfs.told_together_max, 16u);
    EXPECT_EQ(rig.work_rows(), 0u);
    EXPECT_EQ(rig.tracker->active(), 0u);
    for (int i = kFirst; i < kFirst + 200; ++i) {
        EXPECT_EQ(rig.status_name(i), "pinned");
        EXPECT_EQ(rig.calls_for(i), 1u);
    }
}

TEST(HandfulsTest, few_pins_go_side_by_side) {
    QuickRig rig;
    rig.pin_all(kFirst, 10);
    EXPECT_TRUE(rig.held(kFirst, 10, 1s));
    EXPECT_EQ(rig.ipfs.told_together, 0u);
}

TEST(HandfulsTest, a_pin_that_nobody_has_costs_the_others_of_its_call_a_moment) {
    QuickRig rig;
    rig.ipfs.dead[cid(kFirst + 60)] = 2min;
    rig.pin_all(kFirst, 60);
    rig.pin_all(kFirst + 61, 60);
    rig.pin_all(kFirst + 60, 1);
    rig.pin_all(kFirst + 121, 60);
    EXPECT_TRUE(rig.held(kFirst, 60, 1s));
    EXPECT_TRUE(rig.held(kFirst + 61, 120, 1s));
    EXPECT_GT(rig.ipfs.told_together, 0u);
    EXPECT_EQ(rig.status(kFirst + 60).info.attempt_count, 1);
    EXPECT_EQ(rig.status_name(kFirst + 60), "pinning");
    ASSERT_TRUE(rig.wait_for(kFirst + 60, TrackerStatus::pin_error, 3min));
    EXPECT_EQ(rig.status(kFirst + 60).info.attempt_count, 1) << "that was the first one";
}

TEST(HandfulsTest, each_pin_has_its_own_error) {
    QuickRig rig;
    rig.ipfs.pin_errors[cid(kFirst + 30)] = {{Kind::internal, "in the call with others"},
                                             {Kind::internal, "alone"}};
    rig.pin_all(kFirst, 100);
    ASSERT_TRUE(rig.wait_for(kFirst + 30, TrackerStatus::pin_error, 1s));
    EXPECT_NE(rig.status(kFirst + 30).info.error.find("alone"), std::string::npos);
    for (int i = kFirst; i < kFirst + 100; ++i) {
        if (i == kFirst + 30) continue;
        EXPECT_TRUE(rig.held(i, 1, 1s));
        EXPECT_EQ(rig.status(i).info.error, "");
    }
    ASSERT_TRUE(rig.wait_for(kFirst + 30, TrackerStatus::pinned, 1min));
}

TEST(HandfulsTest, what_was_unpinned_meanwhile_does_not_stay) {
    QuickRig rig;
    rig.ipfs.pin_time = 10ms;
    rig.pin_all(kFirst, 100);
    ASSERT_TRUE(rig.world.run_until([&] { return rig.ipfs.told_together > 30; }, 1s));
    for (int i = kFirst; i < kFirst + 100; i += 2) ASSERT_TRUE(rig.unpin(i));
    rig.world.run_for(10s);
    for (int i = kFirst; i < kFirst + 100; ++i)
        EXPECT_EQ(rig.ipfs.held.contains(cid(i)), i % 2 == 1) << i;
    EXPECT_EQ(rig.work_rows(), 0u);
}

TEST(HandfulsTest, what_was_given_to_others_meanwhile_is_kept_for_them) {
    QuickRig rig;
    rig.ipfs.pin_time = 10ms;
    rig.pin_all(kFirst, 100);
    ASSERT_TRUE(rig.world.run_until([&] { return rig.ipfs.told_together > 60; }, 1s));
    for (int i = kFirst; i < kFirst + 100; ++i) ASSERT_TRUE(rig.pin(pin_on(cid(i), {peer(2)})));
    rig.world.run_for(10s);
    std::size_t kept = 0;
    for (int i = kFirst; i < kFirst + 100; ++i) {
        EXPECT_EQ(rig.status_name(i), "remote");
        const bool waits = rig.status(i).info.error.starts_with("kept until");
        EXPECT_EQ(rig.ipfs.held.contains(cid(i)), waits) << i;
        kept += waits ? 1 : 0;
    }
    EXPECT_GT(kept, 0u) << "the daemon had some of them, and nobody answers for those";
}

TEST(HandfulsTest, only_whole_and_plain_pins_that_were_never_tried_go_together) {
    QuickRig rig;
    for (int i = kFirst; i < kFirst + 200; ++i) {
        auto pin = rig.fresh_pin(i);
        if (i % 4 == 0) pin.max_depth = kDepthDirect;
        if (i % 4 == 1) pin.options.pin_update = cid(i - 1);
        if (i % 4 == 2) pin.options.origins = {Multiaddr::parse("/ip4/10.0.0.1/tcp/4001").value()};
        if (i % 4 == 3) pin.timestamp -= 1min;  // made elsewhere: the daemon may hold it already
        ASSERT_TRUE(rig.pin(std::move(pin)));
    }
    ASSERT_TRUE(rig.held(kFirst, 200, 10s));
    EXPECT_EQ(rig.ipfs.told_together, 0u);
    rig.world.run_for(1s);
    // Told again with another name.
    for (int i = 1000; i < 1200; ++i) {
        auto pin = rig.fresh_pin(i);
        pin.options.name = "new";
        ASSERT_TRUE(rig.pin(std::move(pin)));
    }
    rig.world.run_for(10s);
    EXPECT_EQ(rig.work_rows(), 0u);
    EXPECT_EQ(rig.ipfs.told_together, 0u);
}

TEST(HandfulsTest, a_daemon_that_goes_away_is_waited_for) {
    QuickRig rig;
    rig.ipfs.pin_time = 5ms;
    rig.pin_all(kFirst, 200);
    ASSERT_TRUE(rig.world.run_until([&] { return rig.ipfs.told_together > 30; }, 1s));
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    rig.world.run_for(10s);
    const auto while_away = rig.ipfs.told_together;
    rig.world.run_for(1min);
    EXPECT_EQ(rig.ipfs.told_together, while_away);
    rig.ipfs.down.reset();
    EXPECT_TRUE(rig.held(kFirst, 200, 2min));
}

TEST(HandfulsTest, a_pin_that_waits_twice_is_told_once) {
    QuickRig rig;
    for (int i = kFirst; i < kFirst + 200; ++i) {
        rig.ipfs.names[cid(i)] = std::to_string(i);
        auto pin = rig.fresh_pin(i);
        ASSERT_TRUE(rig.pin(pin));
        pin.options.name = "renamed at once";
        ASSERT_TRUE(rig.pin(std::move(pin)));
    }
    ASSERT_TRUE(rig.held(kFirst, 200, 10s));
    rig.world.run_for(1s);
    EXPECT_GT(rig.ipfs.told_together, 0u);
    EXPECT_EQ(rig.work_rows(), 0u);
    // Nothing of the first tasks runs beside those that come later.
    rig.ipfs.unpin_time = 20ms;
    rig.ipfs.calls.clear();
    for (int i = kFirst; i < kFirst + 200; ++i) ASSERT_TRUE(rig.unpin(i));
    rig.world.run_for(30ms);
    rig.pin_all(kFirst, 200);
    rig.world.run_for(20s);
    for (int i = kFirst; i < kFirst + 200; ++i) {
        EXPECT_EQ(rig.status_name(i), "pinned");
        EXPECT_TRUE(rig.ipfs.held.contains(cid(i))) << i;
        EXPECT_LE(
            std::count(rig.ipfs.calls.begin(), rig.ipfs.calls.end(), "unpin " + std::to_string(i)),
            1);
    }
    // What waits is counted rightly afterwards.
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    rig.pin_all(5000, 50);
    rig.world.run_for(1s);
    EXPECT_EQ(rig.tracker->queue_size(), 50u);
}

TEST(HandfulsTest, it_stops_in_the_middle_of_a_call_and_goes_on_at_the_next_start) {
    QuickRig rig;
    rig.ipfs.pin_time = 10ms;
    rig.pin_all(kFirst, 200);
    ASSERT_TRUE(rig.world.run_until([&] { return rig.ipfs.told_together > 30; }, 1s));
    rig.restart();
    EXPECT_TRUE(rig.held(kFirst, 200, 10s));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.work_rows(), 0u);
}

TEST(HandfulsTest, a_daemon_that_takes_its_time_gets_pins_side_by_side) {
    QuickRig rig;
    rig.ipfs.pin_time = 200ms;
    rig.pin_all(kFirst, 400);
    ASSERT_TRUE(rig.held(kFirst, 400, 12s));  // ten at a time: eight seconds
    EXPECT_LT(rig.ipfs.told_together, 200u);
}

}  // namespace
}  // namespace ipfscluster::tracker
