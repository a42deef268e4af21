#include "consensus/raft/life.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace ipfscluster::raft {
namespace {

const Error kDisk{Kind::internal, "the disk"};
const Error kLost{Kind::corrupt, "an entry is missing"};
const Error kRemoved{Kind::conflict, "removed"};

struct Case {
    const char* what;
    std::function<void(Life&)> steps;
    Life::Phase phase;
    bool over;
    bool removed;
    std::optional<Kind> check;  ///< how a call is answered; nothing: it goes on
    std::string loss;
    int told;  ///< ends that somebody heard of
};

using Phase = Life::Phase;
const std::vector<Case> kCases{
    {"nothing happened", [](Life&) {}, Phase::starting, false, false, {}, "", 0},
    {"it runs", [](Life& life) { life.run(); }, Phase::running, false, false, {}, "", 0},
    {"the first reason holds",
     [](Life& life) {
         life.run();
         life.end(kDisk);
         life.end_removed(kRemoved);
     },
     Phase::ended, true, false, Kind::internal, "", 1},
    {"it ends before it runs", [](Life& life) { life.end(kDisk); }, Phase::ended, true, false,
     Kind::internal, "", 1},
    {"corrupt data is a loss", [](Life& life) { life.end(kLost); }, Phase::ended, true, false,
     Kind::corrupt, "an entry is missing", 1},
    {"a member says that it was removed", [](Life& life) { life.end_removed(kRemoved); },
     Phase::ended, true, true, Kind::conflict, "", 1},
    {"the log says that it was removed",
     [](Life& life) {
         life.run();
         life.note_removal();
         life.end(kRemoved);
     },
     Phase::ended, true, true, Kind::conflict, "", 1},
    {"no failure is taken for a removal", [](Life& life) { life.end(kRemoved); }, Phase::ended,
     true, false, Kind::internal, "", 1},
    {"its owner stops it",
     [](Life& life) {
         life.run();
         EXPECT_TRUE(life.stop());
         EXPECT_FALSE(life.stop());
     },
     Phase::running, true, false, Kind::shutting_down, "", 0},
    {"what is stopped does not end for another reason",
     [](Life& life) {
         EXPECT_TRUE(life.stop());
         life.end(kLost);
         life.end_removed(kRemoved);
     },
     Phase::starting, true, false, Kind::shutting_down, "", 0},
    {"what has ended can be stopped",
     [](Life& life) {
         life.end(kDisk);
         EXPECT_TRUE(life.stop());
         EXPECT_EQ(life.ended(), kDisk);
     },
     Phase::ended, true, false, Kind::shutting_down, "", 1},
};
TEST(raft_life, goes_one_way) {
    for (const auto& want : kCases) {
        SCOPED_TRACE(want.what);
        int told = 0;
        Life life({[] { return std::string(); }, [&](const Error&) { ++told; }});
        want.steps(life);
        EXPECT_EQ(life.phase(), want.phase);
        EXPECT_EQ(life.over(), want.over);
        EXPECT_EQ(life.removed(), want.removed);
        EXPECT_EQ(life.loss(), want.loss);
        EXPECT_EQ(told, want.told);
        const auto check = life.check();
        EXPECT_EQ(check ? std::nullopt : std::optional(check.error().kind), want.check);
    }
}

TEST(raft_life, damage_of_the_log_is_the_better_reason_but_for_a_removal) {
    const auto ended = [](bool removed) {
        Life life({[] { return std::string("entry 7 is damaged"); }, [](const Error&) {}});
        removed ? life.end_removed(kRemoved) : life.end(kDisk);
        return *life.ended();
    };
    EXPECT_EQ(ended(false), (Error{Kind::corrupt, "entry 7 is damaged"}));
    EXPECT_EQ(ended(true), kRemoved);
}

TEST(raft_life, a_hindrance_is_news_when_it_begins_and_when_it_ends) {
    Life life({[] { return std::string(); }, [](const Error&) {}});
    EXPECT_FALSE(life.hinder(""));
    EXPECT_TRUE(life.hinder("nobody answers"));
    EXPECT_FALSE(life.hinder("another one does not answer"));
    EXPECT_EQ(life.hindrance(), "nobody answers");
    EXPECT_TRUE(life.hinder(""));
    EXPECT_EQ(life.hindrance(), "");
}

}  // namespace
}  // namespace ipfscluster::raft
