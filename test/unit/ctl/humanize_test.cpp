#include "cli/ctl/humanize.hpp"

#include <gtest/gtest.h>

#include "cli/ctl/progress.hpp"

namespace ipfscluster::ctl {
namespace {

using namespace std::chrono_literals;

TEST(Humanize, bytes) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(9), "9 B");
    EXPECT_EQ(human_bytes(364), "364 B");
    EXPECT_EQ(human_bytes(1600), "1.6 kB");
    EXPECT_EQ(human_bytes(10'000'000'000), "10 GB");
    EXPECT_EQ(human_bytes(UINT64_MAX), "18 EB");
}

TEST(Humanize, relative_times) {
    const Time now{1000h};
    EXPECT_EQ(relative_time(now, now), "now");
    EXPECT_EQ(relative_time(now + 18s, now), "18 seconds from now");
    EXPECT_EQ(relative_time(now - 1500ms, now), "1 second ago");
    EXPECT_EQ(relative_time(now - 119s, now), "1 minute ago");
    EXPECT_EQ(relative_time(now - 3h, now), "3 hours ago");
    EXPECT_EQ(relative_time(now + 24h * 9, now), "1 week from now");
    EXPECT_EQ(relative_time(now + 24h * 400, now), "1 year from now");
    EXPECT_EQ(relative_time(now + 24h * 600, now), "2 years from now");
    EXPECT_EQ(relative_time(now + 24h * 360 * 40, now), "a long while from now");
}

TEST(Humanize, padding_counts_characters) {
    EXPECT_EQ(padded("alpha", 8), "alpha   ");
    EXPECT_EQ(padded("äöü", 5), "äöü  ");
    EXPECT_EQ(padded("longer", 3), "longer");
}

TEST(ProgressLine, shows_share_rate_and_time_left) {
    const std::string half = progress_line(500'000'000, 1'000'000'000, 5s);
    EXPECT_NE(half.find("500 MB / 1.0 GB"), std::string::npos) << half;
    EXPECT_NE(half.find(" 50%"), std::string::npos);
    EXPECT_NE(half.find("100 MB/s"), std::string::npos);
    EXPECT_NE(half.find("5s left"), std::string::npos);
    EXPECT_EQ(progress_line(10'000, 0, 1s), "10 kB  10 kB/s");
    EXPECT_EQ(progress_line(10, 10, 0s).find("left"), std::string::npos);
}

}  // namespace
}  // namespace ipfscluster::ctl
