#include "monitor/metric_window.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster::monitor {
namespace {

using namespace std::chrono_literals;
using test::peer;

constexpr Time kWall = Time(std::chrono::seconds(1767225600));
const SteadyTime kStart{1h};
constexpr Duration kUsual = 30s;

Metric metric(int from, std::string name = "ping", Duration expires_in = 30s) {
    return {.name = std::move(name),
            .peer = peer(from),
            .value = "v",
            .expire = kWall + expires_in,
            .valid = true};
}

TEST(learned_ttl, comes_from_the_sender_but_not_from_its_clock) {
    struct Case {
        const char* name;
        Duration expires_in;             ///< by our clock
        std::optional<Duration> before;  ///< of the metric before
        Duration ttl;
    };
    for (const auto& c : std::vector<Case>{
             {"clocks agree", 30s, std::nullopt, 30s},
             {"a longer period is believed", 120s, std::nullopt, 120s},
             {"a sender that is late never gets less than usual", 5s, std::nullopt, 30s},
             {"a sender an hour behind", -1h, std::nullopt, 30s},
             {"a sender an hour ahead", 1h, std::nullopt, 30s},
             {"an hour behind, period known", -1h, -1h - 60s, 120s},
             {"an hour ahead, period known", 1h, 1h - 60s, 120s},
             {"five minutes ahead, short period", 5min, 5min - 15s, 30s},
             {"the sender's clock was set back", 20s, 1h, 30s},
             {"a gap between two lives is no period", 30s, -1h, 30s},
             {"a step at the limit", 1s, 1s - 5min, 10min},
             {"one ping per life, five minutes apart", 29s, 29s - 5min, 30s},
             {"one ping per life, of a longer period", 120s, 120s - 4min, 120s},
             {"a longer period, and the way took a second", 119s, 119s - 60s, 119s},
             {"a time before the epoch", -100 * 365 * 24h, std::nullopt, 30s},
         }) {
        const auto now = metric(1, "ping", c.expires_in);
        Metric before;
        if (c.before) before = metric(1, "ping", *c.before);
        EXPECT_EQ(learned_ttl(now, c.before ? &before : nullptr, kWall, kUsual), c.ttl) << c.name;
    }
    // The farthest times there are.
    auto hostile = metric(1);
    hostile.expire = Time::min();
    EXPECT_EQ(learned_ttl(hostile, nullptr, kWall, kUsual), kUsual);
    const auto hostile_before = hostile;
    hostile.expire = Time::max();
    EXPECT_EQ(learned_ttl(hostile, &hostile_before, kWall, kUsual), kUsual);
}

TEST(metric_window, a_metric_lives_for_its_ttl_by_our_steady_time) {
    MetricWindow window;
    ASSERT_TRUE(window.add(metric(1), kStart, kWall, kUsual));
    EXPECT_TRUE(window.alive("ping", peer(1), kStart + 29s));
    EXPECT_FALSE(window.alive("ping", peer(1), kStart + 30s));
    EXPECT_FALSE(window.alive("ping", peer(2), kStart));
    EXPECT_FALSE(window.alive("freespace", peer(1), kStart));
    EXPECT_EQ(window.latest("ping", kStart + 29s).size(), 1u);
    EXPECT_TRUE(window.latest("ping", kStart + 30s).empty());
    EXPECT_EQ(window.latest("ping", kStart)[0].received_at, kWall);
}

TEST(metric_window, an_invalid_metric_replaces_a_valid_one_and_does_not_count) {
    MetricWindow window;
    ASSERT_TRUE(window.add(metric(1), kStart, kWall, kUsual));
    auto invalid = metric(1);
    invalid.valid = false;
    ASSERT_TRUE(window.add(invalid, kStart, kWall, kUsual));
    EXPECT_TRUE(window.latest("ping", kStart).empty());
    EXPECT_FALSE(window.alive("ping", peer(1), kStart));
    EXPECT_TRUE(window.take_expired(kStart + 1h).empty());
}

TEST(metric_window, lists_are_sorted_by_peer) {
    MetricWindow window;
    std::set<PeerId> expected;
    for (int i = 0; i < 20; ++i) {
        expected.insert(peer(i));
        ASSERT_TRUE(window.add(metric(i), kStart, kWall, kUsual));
    }
    std::vector<PeerId> got;
    for (const auto& m : window.latest("ping", kStart)) got.push_back(m.peer);
    EXPECT_EQ(got, std::vector<PeerId>(expected.begin(), expected.end()));
}

TEST(metric_window, an_expiry_is_taken_once_until_a_fresh_metric_comes) {
    MetricWindow window;
    ASSERT_TRUE(window.add(metric(1), kStart, kWall, kUsual));
    EXPECT_TRUE(window.take_expired(kStart + 29s).empty());
    ASSERT_EQ(window.take_expired(kStart + 30s).size(), 1u);
    EXPECT_TRUE(window.take_expired(kStart + 1h).empty());
    ASSERT_TRUE(window.add(metric(1), kStart + 1h, kWall + 1h, kUsual));
    EXPECT_TRUE(window.take_expired(kStart + 1h).empty());
    EXPECT_EQ(window.take_expired(kStart + 2h).size(), 1u);
}

TEST(metric_window, names_and_peers_are_bounded_and_forgetting_makes_room) {
    MetricWindow window;
    for (std::size_t i = 0; i < kMetricNamesMax; ++i)
        ASSERT_TRUE(window.add(metric(1, "name" + std::to_string(i)), kStart, kWall, kUsual));
    EXPECT_FALSE(window.add(metric(1, "one too many"), kStart, kWall, kUsual));
    EXPECT_TRUE(window.add(metric(1, "name0"), kStart, kWall, kUsual));
    EXPECT_TRUE(window.add(metric(2, "of another"), kStart, kWall, kUsual))
        << "one talkative peer does not silence the others";
    window.forget(peer(1));
    EXPECT_EQ(window.names(), std::vector<std::string>{"of another"});
    EXPECT_TRUE(window.add(metric(1, "one too many"), kStart, kWall, kUsual));
    window.forget(peer(1));
    window.forget(peer(2));

    for (int i = 0; i < static_cast<int>(kMetricPeersMax); ++i)
        ASSERT_TRUE(window.add(metric(i), kStart, kWall, kUsual));
    EXPECT_FALSE(window.add(metric(-1), kStart, kWall, kUsual));
    EXPECT_TRUE(window.add(metric(0), kStart, kWall, kUsual));
}

}  // namespace
}  // namespace ipfscluster::monitor
