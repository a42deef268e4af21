#include "ipfs/http/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::ipfshttp {
namespace {

using namespace std::chrono_literals;
using State = CircuitBreaker::State;

SteadyTime at(std::chrono::milliseconds ms) {
    return SteadyTime{} + 1h + ms;
}

CircuitBreaker closed_at_zero() {
    CircuitBreaker breaker({.probe_interval = 1s, .health_interval = 10s});
    breaker.probe_started(at(0ms));
    breaker.probe_answered();
    return breaker;
}

TEST(CircuitBreaker, begins_open_and_probes_at_once) {
    CircuitBreaker breaker;
    EXPECT_EQ(breaker.state(), State::open);
    EXPECT_FALSE(breaker.reason().empty());
    EXPECT_LE(breaker.next_probe(), at(0ms));
}

TEST(CircuitBreaker, one_probe_at_a_time_and_one_a_second) {
    CircuitBreaker breaker({.probe_interval = 1s, .health_interval = 10s});
    // What a daemon that is away for a minute sees of a caller that looks every 10 ms.
    int probes = 0;
    for (auto now = 0ms; now < 60'000ms; now += 10ms) {
        breaker.suspect();
        if (now == 30'000ms) breaker.refused("refused");
        if (at(now) < breaker.next_probe()) continue;
        breaker.probe_started(at(now));
        EXPECT_EQ(breaker.state(), State::half_open);
        EXPECT_EQ(breaker.next_probe(), SteadyTime::max());
        ++probes;
        breaker.probe_failed("refused");
        EXPECT_EQ(breaker.state(), State::open);
    }
    EXPECT_EQ(probes, 60);
}

TEST(CircuitBreaker, a_slow_probe_is_the_only_one_until_it_ended) {
    CircuitBreaker breaker({.probe_interval = 1s, .health_interval = 10s});
    breaker.probe_started(at(0ms));
    breaker.refused("refused");
    breaker.suspect();
    EXPECT_EQ(breaker.next_probe(), SteadyTime::max());
    breaker.probe_failed("no answer");
    EXPECT_EQ(breaker.next_probe(), at(1000ms));
    EXPECT_EQ(breaker.reason(), "no answer");
}

TEST(CircuitBreaker, table_of_what_happens_while_closed) {
    struct Row {
        const char* name;
        void (*what)(CircuitBreaker&);
        State state;
        std::chrono::milliseconds next_probe;
    };
    const Row rows[] = {
        {"nothing", [](CircuitBreaker&) {}, State::closed, 10'000ms},
        {"an answer", [](CircuitBreaker& b) { b.answered(); }, State::closed, 10'000ms},
        {"no connection", [](CircuitBreaker& b) { b.refused("x"); }, State::open, 1000ms},
        {"silence", [](CircuitBreaker& b) { b.suspect(); }, State::closed, 1000ms},
        {"silence, then an answer",
         [](CircuitBreaker& b) {
             b.suspect();
             b.answered();
         },
         State::closed, 10'000ms},
        {"no connection, then an answer",
         [](CircuitBreaker& b) {
             b.refused("x");
             b.answered();
         },
         State::closed, 10'000ms},
    };
    for (const auto& row : rows) {
        auto breaker = closed_at_zero();
        row.what(breaker);
        EXPECT_EQ(breaker.state(), row.state) << row.name;
        EXPECT_EQ(breaker.next_probe(), at(row.next_probe)) << row.name;
        EXPECT_EQ(breaker.reason().empty(), row.state == State::closed) << row.name;
    }
}

TEST(CircuitBreaker, the_probe_of_a_suspect_decides) {
    auto breaker = closed_at_zero();
    breaker.suspect();
    EXPECT_TRUE(breaker.suspected());
    breaker.probe_started(at(1000ms));
    EXPECT_TRUE(breaker.closed());
    breaker.probe_answered();
    EXPECT_TRUE(breaker.closed());
    EXPECT_FALSE(breaker.suspected());
    breaker.suspect();
    breaker.probe_started(at(2000ms));
    breaker.probe_failed("silent");
    EXPECT_FALSE(breaker.closed());
    EXPECT_FALSE(breaker.suspected());
    breaker.probe_started(at(3000ms));
    breaker.probe_answered();
    EXPECT_TRUE(breaker.closed());
}

}  // namespace
}  // namespace ipfscluster::ipfshttp
