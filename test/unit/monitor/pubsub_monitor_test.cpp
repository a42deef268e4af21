#include "monitor/pubsub_monitor.hpp"

#include <gtest/gtest.h>

#include "codec/wire.hpp"
#include "net/memory_host.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"

namespace ipfscluster::monitor {
namespace {

using namespace std::chrono_literals;
using test::drive;
using test::peer;

/// A monitor at peer 1 and bare hosts 2 and 3 that send it what a test likes. All are members
/// but 3.
struct PubsubMonitorTest : ::testing::Test {
    PubsubMonitorTest() {
        for (int i = 1; i <= 3; ++i) {
            hosts[i] = network.add_host(peer(i));
            if (i > 1) hosts[i]->subscribe(kMetricsTopic, [](net::TopicMessage) {});
        }
        monitor = std::make_unique<PubsubMonitor>(
            world, *hosts[1], MonitorOptions{.check_interval = 15s, .usual_ttl = 30s},
            [this](const PeerId& p) {
                return std::find(members.begin(), members.end(), p) != members.end();
            });
        monitor->expect(members);
        ICL_EXPECT_OK(drive<void>(world, monitor->start()));
        for (int i = 2; i <= 3; ++i)
            ICL_EXPECT_OK(
                drive<void>(world, hosts[i]->connect(peer(1), {network.address_of(peer(1))}, 10s)));
        world.run_for(1s);
    }
    ~PubsubMonitorTest() override {
        ICL_EXPECT_OK(drive<void>(world, monitor->stop()));
        hosts.clear();
        world.run_for(1s);
    }

    Metric metric(int from, std::string name = "ping") {
        return {.name = std::move(name),
                .peer = peer(from),
                .value = "v",
                .expire = world.system_now() + 30s,
                .valid = true};
    }
    void send(int from, const Metric& m) { send_bytes(from, codec::to_msgpack(m)); }
    void send_bytes(int from, Bytes data) {
        ICL_EXPECT_OK(drive<void>(world, hosts[from]->publish(kMetricsTopic, std::move(data))));
        world.run_for(100ms);
    }

    SimWorld world{1};
    net::MemoryNetwork network{world};
    std::map<int, std::unique_ptr<net::MemoryHost>> hosts;
    std::vector<PeerId> members{peer(1), peer(2)};
    std::unique_ptr<PubsubMonitor> monitor;
};

TEST_F(PubsubMonitorTest, takes_a_metric_of_its_signer) {
    EXPECT_FALSE(monitor->alive(peer(2)));
    send(2, metric(2));
    EXPECT_TRUE(monitor->alive(peer(2)));
    ASSERT_EQ(monitor->latest("ping").size(), 1u);
    EXPECT_EQ(monitor->latest("ping")[0].value, "v");
    EXPECT_EQ(monitor->names(), std::vector<std::string>{"ping"});
}

TEST_F(PubsubMonitorTest, drops_a_metric_that_speaks_for_another_peer) {
    send(3, metric(2));
    EXPECT_FALSE(monitor->alive(peer(2)));
    EXPECT_TRUE(monitor->latest("ping").empty());
    EXPECT_TRUE(monitor->names().empty());
}

TEST_F(PubsubMonitorTest, shows_only_members) {
    send(3, metric(3));
    EXPECT_TRUE(monitor->latest("ping").empty());
    members.push_back(peer(3));
    EXPECT_EQ(monitor->latest("ping").size(), 1u);
}

TEST_F(PubsubMonitorTest, many_strangers_keep_no_member_out) {
    const int first = 100;
    const int many = static_cast<int>(kStrangersMax);
    for (int i = first; i <= first + many; ++i) {
        hosts[i] = network.add_host(peer(i));
        ICL_EXPECT_OK(
            drive<void>(world, hosts[i]->connect(peer(1), {network.address_of(peer(1))}, 10s)));
        send(i, metric(i, i == first + many ? "one too many" : "ping"));
    }
    EXPECT_EQ(monitor->names(), std::vector<std::string>{"ping"});
    send(2, metric(2));
    EXPECT_TRUE(monitor->alive(peer(2)));
    members.push_back(peer(first + many));
    send(first + many, metric(first + many));
    EXPECT_TRUE(monitor->alive(peer(first + many)));
}

TEST_F(PubsubMonitorTest, tolerates_the_old_prefix_and_drops_what_is_malformed_or_too_large) {
    send_bytes(2, "garbage");
    send_bytes(2, "");
    auto large = metric(2);
    large.value = std::string(kMetricBytesMax, 'x');
    send(2, large);
    EXPECT_TRUE(monitor->names().empty());
    send_bytes(2, "\x09/msgpack\n" + codec::to_msgpack(metric(2)));
    EXPECT_TRUE(monitor->alive(peer(2)));
}

TEST_F(PubsubMonitorTest, publishes_to_others_and_counts_for_itself) {
    Metric seen;
    hosts[2]->subscribe(kMetricsTopic, [&](net::TopicMessage message) {
        EXPECT_EQ(message.from, peer(1));
        seen = codec::from_msgpack<Metric>(message.data).value();
    });
    auto own = metric(9, "freespace");
    own.weight = 7;
    ICL_EXPECT_OK(drive<void>(world, monitor->publish(own)));
    world.run_for(100ms);
    EXPECT_EQ(seen.peer, peer(1)) << "a peer speaks for itself only";
    EXPECT_EQ(seen.weight, 7);
    EXPECT_EQ(monitor->latest("freespace").size(), 1u);

    seen = {};
    auto invalid = metric(1, "freespace");
    invalid.valid = false;
    ICL_EXPECT_OK(drive<void>(world, monitor->publish(invalid)));
    world.run_for(100ms);
    EXPECT_TRUE(seen.name.empty());
    EXPECT_TRUE(monitor->latest("freespace").empty());
}

TEST_F(PubsubMonitorTest, alerts_once_per_failure_and_is_armed_again) {
    send(2, metric(2));
    world.run_for(29s);
    EXPECT_TRUE(monitor->alive(peer(2)));
    EXPECT_TRUE(monitor->alerts().empty());
    world.run_for(5min);
    ASSERT_EQ(monitor->alerts().size(), 1u);
    EXPECT_EQ(monitor->alerts()[0].metric.peer, peer(2));
    EXPECT_EQ(monitor->alerts()[0].metric.name, "ping");
    EXPECT_FALSE(monitor->alive(peer(2)));
    send(2, metric(2));
    EXPECT_TRUE(monitor->alive(peer(2)));
    world.run_for(1h);
    ASSERT_EQ(monitor->alerts().size(), 2u);
    EXPECT_GT(monitor->alerts()[0].triggered_at, monitor->alerts()[1].triggered_at)
        << "newest first";
}

TEST_F(PubsubMonitorTest, an_alert_of_our_own_stands_beside_those_of_metrics) {
    Metric about = metric(3, "clock");
    about.value = "its clock is wrong";
    monitor->raise(about);
    ASSERT_EQ(monitor->alerts().size(), 1u);
    const auto alert = monitor->alerts().front();
    EXPECT_EQ(alert.metric.peer, peer(3));
    EXPECT_EQ(alert.metric.value, about.value);
    EXPECT_EQ(alert.metric.expire, kTimeUnset) << "nothing has expired";
    EXPECT_TRUE(monitor->latest("clock").empty()) << "it is no metric";
}

TEST_F(PubsubMonitorTest, what_was_heard_says_when) {
    send(2, metric(2));
    const auto first = world.steady_now();
    world.run_for(10s);
    auto heard = monitor->heard("ping");
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].metric.peer, peer(2));
    EXPECT_LE(heard[0].at, first);
    EXPECT_LE(first - heard[0].at, 1s);
    send(2, metric(2));
    heard = monitor->heard("ping");
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_GE(heard[0].at, first + 10s) << "the latest counts";
    world.run_for(31s);
    EXPECT_TRUE(monitor->heard("ping").empty()) << "its time to live is over";
}

TEST_F(PubsubMonitorTest, a_peer_that_left_raises_no_alert) {
    send(2, metric(2));
    members = {peer(1)};
    world.run_for(5min);
    EXPECT_TRUE(monitor->alerts().empty());
    EXPECT_TRUE(monitor->names().empty());
}

TEST_F(PubsubMonitorTest, own_metrics_raise_no_alert) {
    monitor->record(metric(1));
    world.run_for(1h);
    for (const auto& alert : monitor->alerts()) EXPECT_NE(alert.metric.peer, peer(1));
    EXPECT_TRUE(monitor->alive(peer(1)));
}

TEST_F(PubsubMonitorTest, a_wrong_clock_of_the_sender_never_makes_it_dead) {
    for (const Duration skew : {Duration(-1h), Duration(-40s), Duration(-20s), Duration(20s),
                                Duration(5min), Duration(1h)}) {
        for (int round = 0; round < 8; ++round) {
            auto m = metric(2);
            m.expire += skew;
            send(2, m);
            // Just before the next ping is due, one of them late.
            world.run_for(round == 4 ? 25s : 15s);
            EXPECT_TRUE(monitor->alive(peer(2))) << format_go_duration(skew) << " round " << round;
        }
        world.run_for(31s);
        EXPECT_FALSE(monitor->alive(peer(2)))
            << "its silence is noticed all the same, skew " << format_go_duration(skew);
        world.run_for(11min);  // the next skew starts from nothing
    }
    for (const auto& alert : monitor->alerts()) EXPECT_EQ(alert.metric.name, "ping");
}

TEST_F(PubsubMonitorTest, the_list_of_alerts_is_bounded) {
    Time last_round = kTimeUnset;
    for (std::size_t i = 0; i < kAlertsMax / 50 + 2; ++i) {
        last_round = world.system_now();
        for (int k = 0; k < 50; ++k) send(2, metric(2, "m" + std::to_string(k)));
        world.run_for(6min);  // longer than any period that is believed
    }
    ASSERT_EQ(monitor->alerts().size(), kAlertsMax);
    EXPECT_GT(monitor->alerts().front().triggered_at, last_round) << "the oldest had to go";
}

TEST_F(PubsubMonitorTest, a_member_that_was_never_heard_is_alerted_once) {
    world.run_for(29s);
    EXPECT_TRUE(monitor->alerts().empty());
    world.run_for(61s);
    ASSERT_EQ(monitor->alerts().size(), 1u);
    EXPECT_EQ(monitor->alerts()[0].metric.name, "ping");
    EXPECT_EQ(monitor->alerts()[0].metric.peer, peer(2));
    send(2, metric(2));
    world.run_for(15s);
    EXPECT_EQ(monitor->alerts().size(), 1u);
}

}  // namespace
}  // namespace ipfscluster::monitor
