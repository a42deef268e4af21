#include "cluster/cluster_clock.hpp"

#include <gtest/gtest.h>

#include "cluster/clock_watch.hpp"
#include "cluster/ping_value.hpp"
#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;
using test::peer;

constexpr Time kNoon = Time(std::chrono::seconds(1767225600));
const SteadyTime kStart{1h};
constexpr auto kYear = 365 * 24h;

/// `ahead`: of the members whose clocks are known, the first is this peer's.
ClusterClock::View view_of(std::size_t members, const std::vector<Duration>& ahead,
                           Duration passed = Duration::zero()) {
    ClusterClock::View view{.members = {},
                            .readings = {},
                            .wall = kNoon + passed + (ahead.empty() ? 0s : ahead.front()),
                            .steady = kStart + passed};
    for (std::size_t i = 0; i < members; ++i) view.members.insert(peer(static_cast<int>(i)));
    for (std::size_t i = 0; i < ahead.size(); ++i)
        view.readings.push_back({peer(static_cast<int>(i)), kNoon + passed + ahead[i]});
    return view;
}

TEST(ClusterClock, is_the_lower_median_of_a_majority) {
    struct Case {
        const char* name;
        std::size_t members;
        std::vector<Duration> ahead;
        std::optional<Duration> time;  ///< ahead of the true one
    };
    for (const auto& c : std::vector<Case>{
             {"all agree", 3, {0s, 0s, 0s}, 0s},
             {"own clock an hour ahead", 3, {1h, 0s, 0s}, 0s},
             {"own clock a year ahead, one away", 3, {kYear, 0s}, 0s},
             {"own clock behind", 3, {-1h, 0s, 0s}, 0s},
             {"own clock behind, one away", 3, {-1h, 0s}, -1h},
             {"two of five ahead", 5, {kYear, 2h, 0s, 1s, 0s}, 1s},
             {"three of five ahead", 5, {kYear, 2h, 1h, 0s, 0s}, 1h},
             {"four", 4, {1h, 1h, 0s, 0s}, 0s},
             {"two", 2, {1h, 0s}, 0s},
             {"one of two is no majority", 2, {0s}, std::nullopt},
             {"two of four are none", 4, {0s, 0s}, std::nullopt},
             {"nobody", 0, {}, std::nullopt},
             {"before the epoch", 3, {Duration(-100 * kYear), 0s, 0s}, 0s},
         }) {
        ClusterClock clock;
        clock.look(view_of(c.members, c.ahead));
        ASSERT_EQ(clock.time().has_value(), c.time.has_value()) << c.name;
        if (!c.time) continue;
        EXPECT_EQ(clock.time().value(), kNoon + *c.time) << c.name;
    }
    ClusterClock clock;
    EXPECT_FALSE(clock.time()) << "nobody has looked";
    clock.look(view_of(5, {0s, 0s}));
    EXPECT_NE(clock.time().error().text.find("2 of 5"), std::string::npos);
}

TEST(ClusterClock, of_a_lone_peer_is_believed_some_time_after_its_start_and_each_jump) {
    ClusterClock clock;
    const auto believed = [&](Duration passed, Duration ahead = 0s) {
        clock.look(view_of(1, {ahead}, passed));
        return clock.time().has_value();
    };
    EXPECT_FALSE(believed(0s));
    EXPECT_FALSE(believed(kLoneClockSettles - 1s));
    EXPECT_TRUE(believed(kLoneClockSettles));
    EXPECT_TRUE(believed(10min, kClockJump)) << "clocks drift";
    EXPECT_FALSE(believed(11min, 1h));
    EXPECT_FALSE(believed(13min, 1h));
    EXPECT_FALSE(believed(14min, 0s)) << "that it is set back is a jump as well";
    EXPECT_FALSE(believed(18min, 0s));
    EXPECT_TRUE(believed(19min, 0s));
    EXPECT_FALSE(believed(20min, -kYear));
    EXPECT_TRUE(believed(25min, -kYear));
    // With others beside it nobody has to wait.
    clock.look(view_of(3, {kYear, 0s, 0s}, 26min));
    EXPECT_TRUE(clock.time());
}

TEST(ClusterClock, tells_a_clock_that_is_off_once_until_it_was_right_again) {
    ClusterClock clock;
    const auto look = [&](Duration passed, std::vector<Duration> ahead) {
        clock.look(view_of(3, ahead, passed));
        return clock.take_skews();
    };
    EXPECT_TRUE(look(0s, {0s, 0s, kClockSkewAlert}).empty()) << "so much is nothing";
    EXPECT_TRUE(look(1s, {0s, 0s, 2h}).empty()) << "it may have been one late message";
    EXPECT_TRUE(look(2s, {0s, 0s, 0s}).empty());
    EXPECT_TRUE(look(10s, {0s, 0s, 2h}).empty());
    const auto told = look(10s + kClockSkewLasts, {0s, 0s, 2h});
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].peer, peer(2));
    EXPECT_EQ(told[0].ahead, 2h);
    EXPECT_TRUE(look(1h, {0s, 0s, 3h}).empty()) << "the same episode";
    EXPECT_TRUE(look(2h, {0s, 0s}).empty());
    EXPECT_TRUE(look(3h, {0s, 0s, 3h}).empty()) << "silence does not end it";
    EXPECT_TRUE(look(4h, {0s, 0s, 0s}).empty());
    EXPECT_TRUE(look(5h, {-2min, 0s, 0s}).empty());
    const auto own = look(5h + kClockSkewLasts, {-2min, 0s, 0s});
    ASSERT_EQ(own.size(), 1u) << "its own clock as well";
    EXPECT_EQ(own[0].peer, peer(0));
    EXPECT_EQ(own[0].ahead, -2min);
    EXPECT_TRUE(look(6h, {0s, 5min}).empty());
    EXPECT_TRUE(look(7h, {5min}).empty()) << "without a majority nobody can say who is wrong";
}

TEST(ClusterClock, reads_a_ping) {
    Metric ping;
    ping.expire = kNoon + 30s;
    EXPECT_EQ(clock_of_ping(ping, 0s, 30s), kNoon) << "a Go peer";
    EXPECT_EQ(clock_of_ping(ping, 12s, 30s), kNoon + 12s);
    ping.value = to_json(PingValue{.peername = "x", .ipfs = {}, .ttl = 2min});
    EXPECT_EQ(clock_of_ping(ping, 0s, 30s), kNoon - 90s) << "it says itself for how long it holds";
    // The farthest times there are.
    for (const auto extreme : {Time::min(), Time::max()}) {
        ping.expire = extreme;
        const auto read = clock_of_ping(ping, 10min, 30s);
        EXPECT_GE(read, kTimeUnset);
        ClusterClock clock;
        auto view = view_of(3, {0s, 0s});
        view.readings.push_back({peer(2), read});
        clock.look(view);
        ASSERT_TRUE(clock.time());
        EXPECT_EQ(clock.time().value(), kNoon);
    }
}

TEST(PingValue, comes_back_as_it_was_and_survives_rubbish) {
    PingValue value{.peername = "a \"peer\"", .ipfs = {}, .ttl = 30s};
    value.ipfs.id = peer(4);
    value.ipfs.addresses = {Multiaddr::parse("/ip4/10.0.0.1/tcp/4001").value()};
    const auto back = parse_ping(to_json(value));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->peername, value.peername);
    EXPECT_EQ(back->ipfs.id, value.ipfs.id);
    EXPECT_EQ(back->ipfs.addresses, value.ipfs.addresses);
    EXPECT_EQ(back->ttl, value.ttl);
    for (const auto* text : {"", "[]", "not json", "{\"peer_name\":"})
        EXPECT_FALSE(parse_ping(text)) << text;
    for (const auto* text :
         {"{}", R"({"peer_name":1,"ipfs_id":"x","ipfs_addresses":{},"ttl":3})", R"({"ttl":"-5s"})",
          R"({"ttl":"0"})", R"({"ttl":"soon"})", R"({"ttl":"25h"})"}) {
        const auto empty = parse_ping(text);
        ASSERT_TRUE(empty) << text;
        EXPECT_TRUE(empty->peername.empty());
        EXPECT_TRUE(empty->ipfs.id.empty());
        EXPECT_FALSE(empty->ttl) << text;
    }
}

}  // namespace
}  // namespace ipfscluster::cluster
