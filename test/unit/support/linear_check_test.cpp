// The checker of clients' histories is itself checked: what it accepts has an order, and each kind
// of lie is refused.
#include "support/linear_check.hpp"

#include <gtest/gtest.h>

#include <random>

namespace ipfscluster::test {
namespace {

using Kind = HistoryCall::Kind;
using History = std::vector<HistoryCall>;

HistoryCall pin(std::uint64_t value, std::int64_t begin, std::int64_t end) {
    return {.kind = Kind::pin, .value = value, .begin = begin, .end = end};
}
HistoryCall unpin(std::uint64_t removed, std::int64_t begin, std::int64_t end) {
    return {.kind = Kind::unpin, .value = removed, .begin = begin, .end = end};
}
HistoryCall read(std::uint64_t found, std::int64_t begin, std::int64_t end) {
    return {.kind = Kind::read, .value = found, .begin = begin, .end = end};
}
HistoryCall unknown(HistoryCall call) {
    call.unknown = true;
    call.any_value = call.kind == Kind::unpin;
    return call;
}

TEST(linear_check, calls_one_after_the_other) {
    EXPECT_EQ(explain_history({pin(1, 0, 1), read(1, 2, 3), unpin(1, 4, 5), read(0, 6, 7)}), "");
    EXPECT_EQ(explain_history({}), "");
}

TEST(linear_check, a_read_of_the_past_is_noticed) {
    EXPECT_NE(explain_history({pin(1, 0, 1), read(0, 2, 3)}), "");
    EXPECT_NE(explain_history({pin(1, 0, 1), pin(2, 2, 3), read(1, 4, 5)}), "");
    // While the pin is under way both answers are true, but not in this order.
    EXPECT_EQ(explain_history({pin(1, 0, 9), read(0, 1, 2), read(1, 3, 4)}), "");
    EXPECT_NE(explain_history({pin(1, 0, 9), read(1, 1, 2), read(0, 3, 4)}), "");
}

TEST(linear_check, an_unpin_that_found_nothing_is_a_read) {
    EXPECT_NE(explain_history({pin(1, 0, 1), read(0, 2, 3), read(1, 4, 5)}), "");
}

TEST(linear_check, what_nobody_answered_happens_late_or_never) {
    EXPECT_EQ(explain_history({unknown(pin(1, 0, 1)), read(0, 2, 3), read(1, 4, 5)}), "");
    EXPECT_EQ(explain_history({unknown(pin(1, 0, 1)), read(0, 2, 3)}), "");
    EXPECT_NE(explain_history({unknown(pin(1, 4, 5)), read(1, 2, 3)}), "") << "before it was asked";
    // It happens once only.
    EXPECT_NE(explain_history({unknown(pin(1, 0, 1)), read(1, 2, 3), unpin(1, 4, 5), read(0, 6, 7),
                               read(1, 8, 9)}),
              "");
    EXPECT_EQ(
        explain_history({pin(1, 0, 1), unknown(unpin(0, 2, 3)), read(1, 4, 5), read(0, 6, 7)}), "");
}

TEST(linear_check, an_unpin_removes_what_it_says) {
    EXPECT_NE(explain_history({pin(1, 0, 1), pin(2, 2, 3), unpin(1, 4, 5)}), "");
    EXPECT_NE(explain_history({unpin(1, 0, 1)}), "");
}

TEST(linear_check, the_story_names_what_is_left) {
    const auto text = explain_history({pin(7, 0, 1), read(0, 2, 3)});
    EXPECT_NE(text.find("read nothing from 2 to 3"), std::string::npos) << text;
}

/// Calls of several clients whose effects were drawn at a moment within each.
History drawn(std::mt19937_64& random, int calls) {
    struct Effect {
        std::int64_t at;
        std::size_t call;
    };
    History out;
    std::vector<Effect> effects;
    for (int i = 0; i < calls; ++i) {
        const auto begin = static_cast<std::int64_t>(random() % (10u * unsigned(calls)));
        const auto end = begin + 1 + static_cast<std::int64_t>(random() % 60);
        HistoryCall call{.kind = static_cast<Kind>(random() % 3), .begin = begin, .end = end};
        call.unknown = call.kind != Kind::read && random() % 6 == 0;
        effects.push_back(
            {begin + static_cast<std::int64_t>(random() % unsigned(end - begin)), out.size()});
        out.push_back(call);
    }
    std::sort(effects.begin(), effects.end(), [](const Effect& a, const Effect& b) {
        return a.at != b.at ? a.at < b.at : a.call < b.call;
    });
    std::uint64_t state = 0;
    for (const auto& effect : effects) {
        auto& call = out[effect.call];
        if (call.unknown && random() % 2 == 0) {
            call.any_value = call.kind == Kind::unpin;
            if (call.kind == Kind::pin) call.value = effect.call + 1;
            continue;  // it never happened
        }
        if (call.kind == Kind::pin) state = call.value = effect.call + 1;
        if (call.kind == Kind::read) call.value = state;
        if (call.kind != Kind::unpin) continue;
        if (state == 0 && !call.unknown) call.kind = Kind::read;
        call.any_value = call.unknown;
        call.value = state;
        state = 0;
    }
    return out;
}

TEST(linear_check, accepts_what_has_an_order_and_notices_one_wrong_answer) {
    std::mt19937_64 random(7);
    int noticed = 0, changed = 0;
    for (int round = 0; round < 300; ++round) {
        auto history = drawn(random, 40);
        ASSERT_EQ(explain_history(history), "") << "round " << round;
        std::vector<std::size_t> reads;
        for (std::size_t i = 0; i < history.size(); ++i)
            if (history[i].kind == Kind::read) reads.push_back(i);
        if (reads.empty()) continue;
        ++changed;
        history[reads[random() % reads.size()]].value = 1'000'000;  // a pin that nobody asked for
        noticed += explain_history(history).empty() ? 0 : 1;
    }
    EXPECT_GT(changed, 250);
    EXPECT_EQ(noticed, changed);
}

TEST(linear_check, a_long_history_is_checked_fast) {
    std::mt19937_64 random(11);
    EXPECT_EQ(explain_history(drawn(random, 1000)), "");
    EXPECT_NE(explain_history(History(kHistoryCallsMax + 1, read(0, 0, 1))), "");
}

}  // namespace
}  // namespace ipfscluster::test
