#include "cluster/given_table.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;
using test::peer;

constexpr Time kNow = Time(std::chrono::seconds(1767225600));

std::vector<Metric> metrics(std::int64_t first, std::int64_t second, Time received) {
    return {{.name = "m", .peer = peer(1), .weight = first, .received_at = received},
            {.name = "m", .peer = peer(2), .weight = second, .received_at = received}};
}

std::vector<std::int64_t> weights(GivenTable& table, const std::string& name,
                                  std::vector<Metric> list) {
    table.subtract(name, list);
    std::vector<std::int64_t> out;
    for (const auto& metric : list) out.push_back(metric.weight);
    return out;
}

using Weights = std::vector<std::int64_t>;

TEST(given_table, what_was_given_lowers_free_space_until_the_next_metric) {
    GivenTable table;
    EXPECT_EQ(weights(table, "freespace", metrics(100, 200, kNow)), (Weights{100, 200}));
    table.give({peer(1)}, 30);
    table.give({peer(1)}, 5);
    EXPECT_EQ(weights(table, "freespace", metrics(100, 200, kNow)), (Weights{65, 200}));
    table.give({peer(1)}, 1);
    EXPECT_EQ(weights(table, "freespace", metrics(100, 200, kNow)), (Weights{64, 200}));
    EXPECT_EQ(weights(table, "freespace", metrics(50, 200, kNow + 15s)), (Weights{50, 200}));
    EXPECT_EQ(weights(table, "freespace", metrics(50, 200, kNow + 15s)), (Weights{50, 200}));
}

TEST(given_table, who_is_no_member_any_more_is_forgotten) {
    GivenTable table;
    table.give({peer(1), peer(2)}, 30);
    table.keep_only({peer(2)});
    EXPECT_EQ(table.size(), 1u);
    EXPECT_EQ(weights(table, "freespace", metrics(100, 200, kNow)), (Weights{100, 170}));
}

TEST(given_table, unknown_sizes_are_assumed) {
    GivenTable table;
    table.give({peer(2)}, 0);
    EXPECT_EQ(weights(table, "freespace", metrics(0, 0, kNow)), (Weights{0, -kAssumedPinBytes}));
}

TEST(given_table, queues_are_counted_in_pins_and_forgotten_by_their_own_metric) {
    GivenTable table;
    table.give({peer(1), peer(2)}, 1000);
    table.give({peer(1)}, 1000);
    EXPECT_EQ(weights(table, "pinqueue", metrics(-5, -5, kNow)), (Weights{-7, -6}));
    EXPECT_EQ(weights(table, "freespace", metrics(10000, 10000, kNow)), (Weights{8000, 9000}));
    // A newer queue length says nothing of the free space, and the other way round.
    EXPECT_EQ(weights(table, "pinqueue", metrics(-7, -6, kNow + 15s)), (Weights{-7, -6}));
    EXPECT_EQ(weights(table, "freespace", metrics(10000, 10000, kNow)), (Weights{8000, 9000}));
}

TEST(given_table, metrics_that_measure_neither_are_left_alone) {
    GivenTable table;
    table.give({peer(1)}, 1000);
    EXPECT_EQ(weights(table, "tag:group", metrics(0, 0, kNow)), (Weights{0, 0}));
}

}  // namespace
}  // namespace ipfscluster::cluster
