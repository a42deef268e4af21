#include "tracker/kept_planner.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/pins.hpp"

namespace ipfscluster::tracker {
namespace {

using test::cid;
using test::peer;
using test::pin_on;
using Phase = TrackRecord::Phase;

Facts facts(std::string_view pin, std::optional<Phase> record, bool kept = true) {
    Facts f;
    if (!pin.empty()) {
        f.pin.emplace();
        f.pin->pin = pin_on(cid(1), {pin == "mine" ? peer(1) : peer(2)});
        if (pin == "meta") f.pin->pin.type = PinType::meta;
        f.mine = f.pin->pin.type != PinType::meta && f.pin->pin.allocated_to(peer(1));
    }
    if (record) f.record = TrackRecord{.phase = *record, .error = {}};
    if (kept) f.kept = state::KeptCopy{.cid = cid(1)};
    return f;
}

TEST(KeptPlannerTest, steps_follow_from_pinset_record_and_row) {
    struct Case {
        std::string_view pin;
        std::optional<Phase> record;
        bool kept;
        KeptStep step;
    };
    const Case cases[] = {
        {"other", Phase::pinned, true, KeptStep::ask},
        {"other", std::nullopt, true, KeptStep::find_out},  // its turn had not come
        {"other", Phase::pin_error, true, KeptStep::find_out},
        {"other", Phase::unexpectedly_unpinned, true, KeptStep::find_out},
        {"other", Phase::unpin_error, true, KeptStep::find_out},
        {"mine", Phase::pinned, true, KeptStep::forget},
        {"mine", std::nullopt, true, KeptStep::forget},
        {"", Phase::pinned, true, KeptStep::release},
        {"", std::nullopt, true, KeptStep::release},
        {"meta", Phase::pinned, true, KeptStep::release},
        {"other", Phase::pinned, false, KeptStep::nothing},
        {"mine", Phase::pinned, false, KeptStep::nothing},
        {"", Phase::pinned, false, KeptStep::nothing},
    };
    for (const auto& c : cases)
        EXPECT_EQ(plan_kept(facts(c.pin, c.record, c.kept)), c.step)
            << c.pin << " record " << (c.record ? static_cast<int>(*c.record) : 0);
}

TEST(KeptPlannerTest, as_many_live_members_are_asked_as_the_pin_has_holders) {
    // Peer 1 asks. Peers 1 to 5 are members, 5 is away, 6 was removed but is still there.
    struct Case {
        int min;
        std::vector<int> allocations;
        std::vector<int> holders;
        std::size_t needed;
        bool possible;
    };
    const Case cases[] = {
        {1, {2}, {2}, 1, true},        {1, {5}, {}, 1, false},
        {1, {6}, {}, 1, false},        {2, {2, 3, 4}, {2, 3, 4}, 2, true},
        {2, {2, 5}, {2}, 2, false},                             // the others may have it later
        {3, {2, 3}, {2, 3}, 3, false}, {0, {2}, {2}, 1, true},  // never fewer than one
        {-1, {}, {2, 3, 4}, 3, true},
    };
    std::vector<PeerId> members;
    for (int n = 1; n <= 5; ++n) members.push_back(peer(n));
    const auto alive = [](const PeerId& p) { return p != peer(5); };
    for (const auto& c : cases) {
        std::vector<PeerId> allocations, holders;
        for (const int n : c.allocations) allocations.push_back(peer(n));
        for (const int n : c.holders) holders.push_back(peer(n));
        auto pin = pin_on(cid(1), allocations);
        pin.options.replication_min = c.min;
        pin.options.replication_max = c.min < 0 ? -1 : 3;
        const auto question = plan_question(pin, peer(1), members, alive);
        EXPECT_EQ(question.holders, holders) << "min " << c.min;
        EXPECT_EQ(question.needed, c.needed) << "min " << c.min;
        EXPECT_EQ(question.possible(), c.possible) << "min " << c.min;
    }
}

TEST(KeptPlannerTest, everywhere_needs_at_least_one_other) {
    auto pin = pin_on(cid(1), {});
    pin.options.replication_min = pin.options.replication_max = -1;
    const auto question =
        plan_question(pin, peer(1), {peer(1)}, [](const PeerId&) { return true; });
    EXPECT_EQ(question.needed, 1U);
    EXPECT_FALSE(question.possible());
}

TEST(KeptPlannerTest, only_an_answer_about_this_very_pin_confirms) {
    const auto pin = pin_on(cid(1), {peer(2), peer(3)});
    PinInfo answer;
    answer.cid = cid(1);
    answer.allocations = pin.allocations;
    answer.created = pin.timestamp + std::chrono::milliseconds(700);  // seconds are what counts
    answer.info.status = TrackerStatus::pinned;
    EXPECT_TRUE(confirms(answer, pin, kDepthRecursive));
    EXPECT_TRUE(confirms(answer, pin, kDepthDirect));
    for (const auto status :
         {TrackerStatus::pinning, TrackerStatus::remote, TrackerStatus::pin_error,
          TrackerStatus::cluster_error, TrackerStatus::unexpectedly_unpinned}) {
        auto other = answer;
        other.info.status = status;
        EXPECT_FALSE(confirms(other, pin, kDepthDirect)) << to_string(status);
    }
    auto behind = answer;
    behind.allocations = {peer(2)};
    EXPECT_FALSE(confirms(behind, pin, kDepthDirect));
    auto earlier = answer;
    earlier.created -= std::chrono::seconds(1);
    EXPECT_FALSE(confirms(earlier, pin, kDepthDirect));
    auto direct = pin;
    direct.max_depth = kDepthDirect;
    EXPECT_FALSE(confirms(answer, direct, kDepthRecursive)) << "less than what is kept";
    EXPECT_TRUE(confirms(answer, direct, kDepthDirect));
}

TEST(KeptPlannerTest, the_text_names_how_many) {
    auto pin = pin_on(cid(1), {peer(2), peer(3)});
    EXPECT_EQ(kept_text(pin), "kept until 2 holders have it");
    pin.options.replication_min = 1;
    EXPECT_EQ(kept_text(pin), "kept until 1 holder has it");
    pin.options.replication_min = pin.options.replication_max = -1;
    EXPECT_EQ(kept_text(pin), "kept until all live holders have it");
}

}  // namespace
}  // namespace ipfscluster::tracker
