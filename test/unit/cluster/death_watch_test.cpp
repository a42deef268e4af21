#include "cluster/death_watch.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;
using test::peer;

constexpr Duration kGrace = 5min;

/// Members are 0 to n-1; what happens is told as the minute it happens at and who is silent then.
class DeathWatchTest : public ::testing::Test {
 protected:
    using Ids = std::set<int>;
    void members(int count) {
        count_ = count;
        at(0min, {});
    }
    void at(Duration when, Ids silent) {
        now_ = SteadyTime(1h) + when;
        silent_ = std::move(silent);
        look();
    }
    void look() {
        DeathWatch::View view;
        for (int i = 0; i < count_; ++i) {
            view.members.insert(peer(i));
            if (!silent_.contains(i)) view.heard.insert(peer(i));
        }
        view.strangers = strangers;
        watch.look(view, now_);
    }
    Ids numbers(const std::vector<PeerId>& peers) const {
        Ids out;
        for (int i = 0; i < count_; ++i)
            if (std::find(peers.begin(), peers.end(), peer(i)) != peers.end()) out.insert(i);
        return out;
    }
    Ids suspects() { return numbers(watch.suspects(now_)); }
    /// Who is dead when none of the suspects answers.
    Ids dead() { return numbers(watch.dead(watch.suspects(now_), now_)); }

    std::set<PeerId> strangers;
    DeathWatch watch{kGrace};
    SteadyTime now_{};

 private:
    int count_ = 0;
    Ids silent_;
};

TEST_F(DeathWatchTest, who_is_silent_for_the_grace_time_is_asked_and_dead_without_an_answer) {
    members(5);
    at(1min, {4});
    EXPECT_EQ(suspects(), Ids{});
    at(6min - 1s, {4});
    EXPECT_EQ(suspects(), Ids{});
    at(6min, {4});
    EXPECT_EQ(suspects(), Ids{4});
    EXPECT_EQ(dead(), Ids{4});
    EXPECT_EQ(dead(), Ids{4}) << "and stays dead";
    at(7min, {});
    EXPECT_EQ(suspects(), Ids{}) << "it is back";
    at(8min, {4});
    at(12min, {4});
    EXPECT_EQ(suspects(), Ids{}) << "each silence counts from its own begin";
    EXPECT_FALSE(watch.take_news());
}

TEST_F(DeathWatchTest, an_answer_is_a_sign_of_life_for_another_grace_time) {
    members(3);
    at(0min, {1});
    at(5min, {1});
    ASSERT_EQ(suspects(), Ids{1});
    watch.answered(peer(1), now_);
    EXPECT_EQ(suspects(), Ids{});
    at(10min - 1s, {1});
    EXPECT_EQ(suspects(), Ids{});
    at(10min, {1});
    EXPECT_EQ(dead(), Ids{1});
    watch.answered(peer(7), now_);
    EXPECT_EQ(dead(), Ids{1}) << "strangers change nothing";
}

TEST_F(DeathWatchTest, who_is_only_named_as_a_holder_is_dead_after_the_grace_time_and_no_member) {
    members(3);
    strangers = {peer(7)};
    at(1min, {});
    at(6min - 1s, {});
    EXPECT_TRUE(watch.suspects(now_).empty());
    at(6min, {1, 2});
    EXPECT_EQ(watch.suspects(now_), std::vector<PeerId>{peer(7)});
    EXPECT_EQ(watch.dead(watch.suspects(now_), now_), std::vector<PeerId>{peer(7)});
    at(11min, {1, 2});
    EXPECT_EQ(dead(), Ids{}) << "two of three members vanished together, whoever is named beside";
    strangers.clear();
    look();
    EXPECT_EQ(watch.silent().size(), 2u) << "named no longer";
}

TEST_F(DeathWatchTest, a_peer_that_is_deaf_declares_nobody_dead_that_answers) {
    members(3);
    at(1min, {1, 2});
    at(6min, {1, 2});
    EXPECT_EQ(suspects(), (Ids{1, 2}));
    watch.answered(peer(1), now_);
    watch.answered(peer(2), now_);
    EXPECT_EQ(dead(), Ids{});
    EXPECT_FALSE(watch.take_news()) << "nobody has vanished";
    at(11min, {1, 2});
    watch.answered(peer(1), now_);
    EXPECT_EQ(dead(), Ids{2}) << "one of three";
}

TEST_F(DeathWatchTest,
       when_more_than_half_vanish_together_those_that_stay_away_have_ten_times_as_long) {
    members(5);
    at(1min, {2});
    at(3min, {2, 3});
    at(4min, {2, 3, 4});
    at(6min, {2, 3, 4});
    EXPECT_EQ(suspects(), Ids{2});
    EXPECT_EQ(dead(), Ids{});
    const auto news = watch.take_news();
    ASSERT_TRUE(news);
    EXPECT_EQ(news->vanished, 3u);
    EXPECT_EQ(news->members, 5u);
    EXPECT_EQ(news->left, 48min) << "from the last that vanished";
    at(9min, {2, 3});
    EXPECT_EQ(suspects(), Ids{3}) << "the first need not be asked again";
    EXPECT_EQ(dead(), Ids{}) << "one is back, the others may follow";
    EXPECT_FALSE(watch.take_news()) << "said once";
    at(54min - 1s, {2, 3});
    EXPECT_EQ(dead(), Ids{});
    at(54min, {2, 3});
    EXPECT_EQ(dead(), (Ids{2, 3}));
}

TEST_F(DeathWatchTest, an_answer_of_one_that_came_back_does_not_end_a_mass_vanish) {
    members(5);
    at(1min, {2, 3, 4});
    at(3min, {2, 3, 4});
    watch.answered(peer(2), now_);  // it has just started, its pings are still to come
    at(6min, {3, 4});
    EXPECT_EQ(suspects(), (Ids{3, 4}));
    EXPECT_EQ(dead(), Ids{});
    ASSERT_TRUE(watch.take_news());
    at(51min, {3, 4});
    EXPECT_EQ(dead(), (Ids{3, 4}));
}

TEST_F(DeathWatchTest, what_is_no_mass_vanish) {
    struct Case {
        const char* name;
        std::vector<std::pair<Duration, Ids>> course;
        Ids dead;
    };
    for (const auto& c : std::vector<Case>{
             {"half of four", {{1min, {2, 3}}, {10min, {2, 3}}}, {2, 3}},
             {"one after the other",
              {{1min, {1}}, {7min, {1, 2}}, {13min, {1, 2, 3}}, {20min, {1, 2, 3}}},
              {1, 2, 3}},
             {"not heard since this peer began", {{0min, {1, 2, 3}}, {6min, {1, 2, 3}}}, {1, 2, 3}},
             {"all of a mass came back, later one dies",
              {{1min, {1, 2, 3}}, {3min, {}}, {4min, {1}}, {10min, {1}}},
              {1}},
         }) {
        watch = DeathWatch(kGrace);
        if (c.course.front().first != 0min) members(4);
        for (const auto& [when, silent] : c.course) {
            if (when == 0min) {
                members(4);
                watch = DeathWatch(kGrace);
            }
            at(when, silent);
        }
        EXPECT_EQ(dead(), c.dead) << c.name;
    }
}

TEST_F(DeathWatchTest, a_member_that_left_is_forgotten) {
    members(3);
    at(1min, {2});
    members(2);
    EXPECT_EQ(watch.silent().size(), 0u);
    members(3);
    at(3min, {2});
    at(7min, {2});
    EXPECT_EQ(suspects(), Ids{});
    at(8min, {2});
    EXPECT_EQ(suspects(), Ids{2});
}

TEST(MajoritySeen, counts_voters_only) {
    struct Case {
        std::size_t voters;
        std::set<int> seen;
        bool majority;
    };
    for (const auto& c : std::vector<Case>{{1, {0}, true},
                                           {2, {0}, false},
                                           {3, {0, 1}, true},
                                           {3, {0, 5, 6}, false},
                                           {4, {0, 1}, false},
                                           {5, {0, 1, 2}, true},
                                           {0, {0}, false}}) {
        std::vector<PeerId> voters;
        for (std::size_t i = 0; i < c.voters; ++i) voters.push_back(peer(static_cast<int>(i)));
        std::set<PeerId> seen;
        for (const int i : c.seen) seen.insert(peer(i));
        EXPECT_EQ(majority_seen(voters, seen), c.majority) << c.voters << " " << c.seen.size();
    }
}

}  // namespace
}  // namespace ipfscluster::cluster
