#include "tracker/track_planner.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster::tracker {
namespace {

using state::WorkLane;
using test::cid;
using test::peer;
using test::pin_on;
using Phase = TrackRecord::Phase;
using enum TrackerStatus;

const Time kNow{std::chrono::seconds(1767225600)};

/// `pin`: "" not in the pinset, "mine@5" with modification index 5, "other@5", "meta@5".
/// `record`: "" none, else phase and index: "pinned@5", "pin_error@5", "unpin_error@0", "gone@5"; a
/// '!' is due.
Facts facts(std::string_view pin, std::string_view record) {
    Facts f;
    if (!pin.empty()) {
        f.pin.emplace();
        f.pin->pin = pin_on(cid(1), {pin.starts_with("other") ? peer(2) : peer(1)});
        if (pin.starts_with("meta")) f.pin->pin.type = PinType::meta;
        f.pin->modification_index = static_cast<std::uint64_t>(pin.back() - '0');
        f.mine = f.pin->pin.type != PinType::meta && f.pin->pin.allocated_to(peer(1));
    }
    if (!record.empty()) {
        f.record.emplace();
        f.record->phase = record.starts_with("pinned")      ? Phase::pinned
                          : record.starts_with("pin_error") ? Phase::pin_error
                          : record.starts_with("gone")      ? Phase::unexpectedly_unpinned
                                                            : Phase::unpin_error;
        if (record.ends_with('!')) {
            f.record->next_retry = kNow;
            record.remove_suffix(1);
        } else if (f.record->phase == Phase::pin_error || f.record->phase == Phase::unpin_error) {
            f.record->next_retry = kNow + std::chrono::seconds(9);
        }
        f.record->modification_index = static_cast<std::uint64_t>(record.back() - '0');
    }
    return f;
}

TEST(TrackPlannerTest, whole_pins_that_were_never_tried_fit_into_one_call) {
    EXPECT_TRUE(fits_handful(facts("mine@5", "")));
    for (const auto* pin : {"", "other@5", "meta@5"}) EXPECT_FALSE(fits_handful(facts(pin, "")));
    for (const auto* record : {"pinned@4", "pin_error@5", "gone@5", "unpin_error@0"})
        EXPECT_FALSE(fits_handful(facts("mine@5", record)));
    auto special = facts("mine@5", "");
    special.pin->pin.max_depth = kDepthDirect;
    EXPECT_FALSE(fits_handful(special));
    special.pin->pin.max_depth = 2;
    EXPECT_FALSE(fits_handful(special));
    special = facts("mine@5", "");
    special.pin->pin.options.pin_update = cid(2);
    EXPECT_FALSE(fits_handful(special));
    special = facts("mine@5", "");
    special.pin->pin.options.origins = {Multiaddr::parse("/ip4/10.0.0.1/tcp/4001").value()};
    EXPECT_FALSE(fits_handful(special));
}

TEST(TrackPlannerTest, steps_follow_from_pinset_and_record) {
    struct Case {
        std::string_view pin, record;
        WorkLane lane;
        Step step;
    };
    const Case cases[] = {
        {"mine@5", "", WorkLane::pin, Step::pin},
        {"mine@5", "pinned@5", WorkLane::pin, Step::nothing},
        {"mine@5", "pinned@4", WorkLane::pin, Step::pin},  // submitted again
        {"mine@5", "pin_error@5", WorkLane::retry, Step::pin},
        {"mine@5", "gone@5", WorkLane::retry, Step::pin},
        {"mine@5", "unpin_error@0", WorkLane::retry, Step::pin},
        {"mine@5", "", WorkLane::unpin, Step::pin},  // the row is stale: pinned again meanwhile
        {"", "", WorkLane::unpin, Step::unpin},      // the record may have been lost
        {"", "", WorkLane::pin, Step::nothing},      // overtaken; its unpin row follows
        {"", "pinned@5", WorkLane::pin, Step::unpin},
        {"", "unpin_error@0", WorkLane::retry, Step::unpin},
        {"other@5", "pinned@4", WorkLane::unpin, Step::unpin},
        {"other@5", "", WorkLane::pin, Step::nothing},
        {"other@5", "pinned@4", WorkLane::pin, Step::nothing},  // not compared yet
        {"other@5", "pinned@4", WorkLane::later, Step::nothing},
        {"other@5", "pin_error@4", WorkLane::retry, Step::nothing},
        {"other@5", "unpin_error@0", WorkLane::retry, Step::unpin},
        {"meta@5", "pinned@4", WorkLane::pin, Step::unpin},
        {"meta@5", "pinned@4", WorkLane::unpin, Step::unpin},
    };
    for (const auto& c : cases)
        EXPECT_EQ(plan_step(facts(c.pin, c.record), c.lane), c.step)
            << c.pin << " / " << c.record << " / lane " << static_cast<int>(c.lane);
}

TEST(TrackPlannerTest, nothing_is_done_about_a_copy_that_is_kept) {
    for (const auto lane : {WorkLane::unpin, WorkLane::pin, WorkLane::retry, WorkLane::later})
        for (const std::string_view record : {"", "pinned@4", "pin_error@4", "unpin_error@0"}) {
            auto f = facts("other@5", record);
            f.kept = state::KeptCopy{.cid = cid(1)};
            EXPECT_EQ(plan_step(f, lane), Step::nothing) << record;
        }
}

TEST(TrackPlannerTest, resting_status_of_each_combination) {
    struct Case {
        std::string_view pin, record;
        TrackerStatus status;
    };
    const Case cases[] = {
        {"", "", unpinned},
        {"", "pinned@5", unpin_queued},
        {"", "pin_error@5", unpin_queued},
        {"", "unpin_error@0", unpin_error},
        {"", "unpin_error@0!", unpin_queued},
        {"meta@5", "", sharded},
        {"other@5", "", remote},
        {"other@5", "pinned@4", remote},
        {"mine@5", "", pin_queued},
        {"mine@5", "pinned@5", pinned},
        {"mine@5", "pinned@4", pin_queued},
        {"mine@5", "pin_error@5", pin_error},
        {"mine@5", "pin_error@4", pin_queued},
        {"mine@5", "pin_error@5!", pin_queued},
        {"mine@5", "gone@5", unexpectedly_unpinned},
        {"mine@5", "gone@5!", pin_queued},
        {"mine@5", "unpin_error@0", pin_queued},
    };
    for (const auto& c : cases)
        EXPECT_EQ(to_string(resting_status(facts(c.pin, c.record), kNow)), to_string(c.status))
            << c.pin << " / " << c.record;
}

TEST(TrackPlannerTest, daemon_holds_it_when_it_holds_at_least_that) {
    Pin direct = pin_on(cid(1), {}), recursive = direct, shard = direct;
    direct.max_depth = kDepthDirect;
    recursive.max_depth = kDepthRecursive;
    shard.max_depth = 1;
    struct Case {
        IpfsPinStatus status;
        bool for_direct, for_recursive;
    };
    for (const auto& c : std::vector<Case>{{IpfsPinStatus::recursive, true, true},
                                           {IpfsPinStatus::direct, true, false},
                                           {IpfsPinStatus::indirect, false, false},
                                           {IpfsPinStatus::unpinned, false, false},
                                           {IpfsPinStatus::error, false, false},
                                           {IpfsPinStatus::bug, false, false}}) {
        EXPECT_EQ(is_held(direct, c.status), c.for_direct) << static_cast<int>(c.status);
        EXPECT_EQ(is_held(recursive, c.status), c.for_recursive) << static_cast<int>(c.status);
        EXPECT_EQ(is_held(shard, c.status), c.for_recursive) << static_cast<int>(c.status);
    }
}

TEST(TrackPlannerTest, look_at_the_daemon_changes_only_what_is_wrong) {
    struct Case {
        std::string_view pin, record;
        Finding held, not_held;
    };
    using enum Finding;
    for (const auto& c :
         std::vector<Case>{{"mine@5", "", Finding::pinned, as_recorded},
                           {"mine@5", "pinned@5", as_recorded, lost},
                           {"mine@5", "pinned@3", Finding::pinned, as_recorded},
                           {"mine@5", "pin_error@5", Finding::pinned, as_recorded},
                           {"mine@5", "gone@5", Finding::pinned, as_recorded},
                           {"mine@5", "unpin_error@0", Finding::pinned, as_recorded},
                           {"other@5", "pinned@3", as_recorded, as_recorded},
                           {"meta@5", "", as_recorded, as_recorded},
                           {"", "unpin_error@0", as_recorded, as_recorded},
                           {"", "", as_recorded, as_recorded}}) {
        const auto f = facts(c.pin, c.record);
        EXPECT_EQ(compare_with_daemon(f, true), c.held) << c.pin << ' ' << c.record;
        EXPECT_EQ(compare_with_daemon(f, false), c.not_held) << c.pin << ' ' << c.record;
    }
}

TEST(TrackPlannerTest, moved_on_when_duty_or_pin_changed) {
    EXPECT_FALSE(has_moved_on(facts("mine@5", ""), facts("mine@5", "")));
    EXPECT_TRUE(has_moved_on(facts("mine@5", ""), facts("mine@6", "")));
    EXPECT_TRUE(has_moved_on(facts("mine@5", ""), facts("", "")));
    EXPECT_TRUE(has_moved_on(facts("", ""), facts("mine@5", "")));
    EXPECT_FALSE(has_moved_on(facts("other@5", ""), facts("other@6", "")));
}

TEST(TrackPlannerTest, priority_is_for_fresh_pins_that_seldom_failed) {
    const PriorityRule rule{std::chrono::hours(24), 5};
    auto pin = pin_on(cid(1), {peer(1)});
    pin.timestamp = kNow - std::chrono::hours(23);
    EXPECT_TRUE(is_priority(pin, 0, kNow, rule));
    EXPECT_TRUE(is_priority(pin, 5, kNow, rule));
    EXPECT_FALSE(is_priority(pin, 6, kNow, rule));
    pin.timestamp = kNow - std::chrono::hours(24);
    EXPECT_FALSE(is_priority(pin, 0, kNow, rule));
}

TEST(TrackPlannerTest, retry_delay_doubles_up_to_its_limit) {
    using std::chrono::seconds;
    const auto delay = [](std::uint32_t n) { return retry_delay(n, seconds(10), seconds(60)); };
    EXPECT_EQ(delay(1), seconds(10));
    EXPECT_EQ(delay(2), seconds(20));
    EXPECT_EQ(delay(3), seconds(40));
    EXPECT_EQ(delay(4), seconds(60));
    EXPECT_EQ(delay(4'000'000'000U), seconds(60));
}

TEST(TrackRecordTest, record_comes_back_and_damage_is_noticed) {
    const TrackRecord record{Phase::pin_error, 77, 3, kNow, kNow + std::chrono::seconds(5), 123456,
                             "no providers"};
    EXPECT_EQ(decode_record(encode(record)).value(), record);
    EXPECT_EQ(decode_record("").error().kind, Kind::corrupt);
    auto bytes = encode(record);
    bytes[0] = 2;
    EXPECT_EQ(decode_record(bytes).error().kind, Kind::unsupported);
    bytes[0] = 1;
    bytes[1] = 9;
    EXPECT_EQ(decode_record(bytes).error().kind, Kind::corrupt);
}

TEST(TrackRecordTest, long_errors_are_cut_between_characters) {
    std::string text(kErrorTextMax - 1, 'x');
    text += "\u00e4\u00e4\u00e4";
    EXPECT_EQ(shorten(text), std::string(kErrorTextMax - 1, 'x'));
    EXPECT_EQ(shorten("short"), "short");
}

}  // namespace
}  // namespace ipfscluster::tracker
