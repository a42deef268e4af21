#include "base/log.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

TEST(LogLevels, one_facility_can_differ_from_the_rest) {
    ASSERT_TRUE(set_log_levels("error,raft:debug"));
    EXPECT_EQ(logger("raft")->level(), spdlog::level::debug);
    EXPECT_EQ(logger("made-later")->level(), spdlog::level::err);
    ASSERT_TRUE(set_log_levels("all:warn"));
    EXPECT_EQ(logger("made-later")->level(), spdlog::level::warn);
    ASSERT_TRUE(set_log_levels("INFO"));
    EXPECT_EQ(logger("made-later")->level(), spdlog::level::info);
    EXPECT_EQ(logger("raft")->level(), spdlog::level::debug);
}

TEST(LogLevels, a_bad_word_is_named_and_changes_nothing) {
    ASSERT_TRUE(set_log_levels("warn"));
    const auto set = set_log_levels("debug,raft:loud");
    ASSERT_FALSE(set);
    EXPECT_NE(set.error().text.find("raft:loud"), std::string::npos);
    EXPECT_EQ(logger("cluster")->level(), spdlog::level::warn);
}

}  // namespace
}  // namespace ipfscluster
