#include "cluster/repin_schedule.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;
using test::peer;

class RepinScheduleTest : public ::testing::Test {
 protected:
    RepinScheduleTest() {
        view.acting = true;
        view.members = view.alive = {peer(1), peer(2), peer(3)};
        EXPECT_TRUE(look()) << "who begins to act does not know what happened before";
        walked(nothing);
        EXPECT_EQ(wait(), 30) << "what was planned before may land behind the walk";
        walked(nothing);
        EXPECT_EQ(wait(), -1);
    }
    bool look() { return schedule.look(view, now); }
    void walked(RepinSchedule::Walk walk) { schedule.walked(view.overdue, walk, now); }
    void die(int number) {
        view.alive.erase(peer(number));
        view.overdue = {peer(number)};
    }
    /// Seconds until a walk is due.
    int wait() {
        for (int seconds = 0; seconds < 10000; ++seconds) {
            if (look()) return seconds;
            now += 1s;
        }
        return -1;
    }

    const RepinSchedule::Walk nothing{}, moved{.moved = true}, left{.left = true};
    RepinSchedule schedule;
    RepinSchedule::View view;
    SteadyTime now{1h};
};

TEST_F(RepinScheduleTest, a_dead_peer_is_walked_for_once) {
    die(3);
    EXPECT_TRUE(look());
    walked(moved);
    EXPECT_EQ(wait(), 30);
    walked(moved);
    EXPECT_EQ(wait(), 30) << "that something was found calls for one more";
    walked(nothing);
    EXPECT_EQ(wait(), -1);
    // It comes back and dies again.
    view.alive.insert(peer(3));
    view.overdue.clear();
    EXPECT_FALSE(look());
    die(3);
    EXPECT_TRUE(look());
}

TEST_F(RepinScheduleTest, a_walk_for_another_dead_peer_is_confirmed_too) {
    die(3);
    EXPECT_TRUE(look());
    walked(nothing);
    now += 20s;
    die(2);
    EXPECT_TRUE(look());
    walked(nothing);
    EXPECT_EQ(wait(), 30);
    walked(nothing);
    EXPECT_EQ(wait(), -1);
}

TEST_F(RepinScheduleTest, what_cannot_be_repaired_is_tried_less_and_less_often) {
    die(3);
    EXPECT_TRUE(look());
    std::vector<int> pauses;
    for (int i = 0; i < 9; ++i) {
        walked(left);
        pauses.push_back(wait());
    }
    EXPECT_EQ(pauses, (std::vector<int>{10, 20, 40, 80, 160, 320, 600, 600, 600}));
}

TEST_F(RepinScheduleTest, a_change_of_members_or_liveness_ends_the_wait) {
    die(3);
    for (int i = 0; i < 9; ++i) {
        ASSERT_GE(wait(), 0);
        walked(left);
    }
    now += 60s;
    ASSERT_FALSE(look());
    view.members.insert(peer(4));
    view.alive.insert(peer(4));
    EXPECT_TRUE(look()) << "there is room now";
    walked(left);
    now += 1s;
    view.alive.erase(peer(2));
    EXPECT_EQ(wait(), 9) << "a peer that comes and goes does not make it walk all the time";
    walked(nothing);
    EXPECT_EQ(wait(), 30);
    walked(nothing);
    EXPECT_EQ(wait(), -1);
}

TEST_F(RepinScheduleTest, a_peer_whose_pins_move_is_looked_after_until_it_is_told_otherwise) {
    view.moving = {peer(3)};
    EXPECT_TRUE(look());
    const std::vector<PeerId> moving(1, peer(3));
    schedule.walked(moving, moved, now);
    EXPECT_EQ(wait(), 30);
    schedule.walked(moving, nothing, now);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(wait(), 60) << "a long upload may still bring it something";
        schedule.walked(moving, nothing, now);
    }
    schedule.walked(moving, left, now);
    EXPECT_EQ(wait(), 10);
    schedule.walked(moving, nothing, now);
    EXPECT_EQ(wait(), 30);
    schedule.walked(moving, nothing, now);
    view.moving.clear();
    EXPECT_EQ(wait(), -1);
    view.moving = {peer(3)};
    EXPECT_TRUE(look()) << "told again";
}

TEST_F(RepinScheduleTest, a_drained_peer_that_was_silent_is_walked_for_when_it_is_back) {
    view.moving = {peer(3)};
    EXPECT_TRUE(look());
    schedule.walked({peer(3)}, left, now);
    view.alive.erase(peer(3));
    view.moving.clear();
    EXPECT_FALSE(look());
    view.alive.insert(peer(3));
    view.moving = {peer(3)};
    EXPECT_TRUE(look());
}

TEST_F(RepinScheduleTest, a_member_that_left_and_a_new_coordinator_are_news) {
    view.members.erase(peer(2));
    view.alive.erase(peer(2));
    EXPECT_TRUE(look());
    walked(moved);
    view.acting = false;
    EXPECT_FALSE(look());
    view.acting = true;
    EXPECT_TRUE(look());
}

}  // namespace
}  // namespace ipfscluster::cluster
