#include "tracker/arrival_clock.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::tracker {
namespace {

using namespace std::chrono_literals;

Time at(Duration since) {
    return Time(Duration(1000h) + since);
}

TEST(ArrivalClockTest, rows_came_when_they_were_first_seen) {
    ArrivalClock clock;
    clock.start(10);
    EXPECT_FALSE(clock.arrival(10)) << "before we looked";
    EXPECT_FALSE(clock.arrival(11)) << "not come yet";
    clock.came(at(0s), 12);
    clock.came(at(500ms), 20);
    clock.came(at(3s), 30);
    EXPECT_FALSE(clock.arrival(10));
    EXPECT_EQ(clock.arrival(11), at(0s));
    EXPECT_EQ(clock.arrival(20), at(0s)) << "to the second";
    EXPECT_EQ(clock.arrival(21), at(3s));
    EXPECT_EQ(clock.arrival(30), at(3s));
    EXPECT_FALSE(clock.arrival(31));
}

TEST(ArrivalClockTest, what_came_long_ago_is_forgotten) {
    ArrivalClock clock;
    for (std::uint64_t i = 1; i <= 3 * kArrivalsMax; ++i)
        clock.came(at(std::chrono::seconds(i)), 100 * i);
    EXPECT_FALSE(clock.arrival(100 * kArrivalsMax));
    EXPECT_FALSE(clock.arrival(200 * kArrivalsMax));
    EXPECT_EQ(clock.arrival(200 * kArrivalsMax + 1),
              at(std::chrono::seconds(2 * kArrivalsMax + 1)));
    EXPECT_EQ(clock.arrival(300 * kArrivalsMax), at(std::chrono::seconds(3 * kArrivalsMax)));
}

}  // namespace
}  // namespace ipfscluster::tracker
