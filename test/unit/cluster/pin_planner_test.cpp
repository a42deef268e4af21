#include "cluster/pin_planner.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "component/cluster_api.hpp"
#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;
using test::cid;
using test::peer;

constexpr Time kNow = Time(std::chrono::seconds(1767225600));
constexpr PinDefaults kDefaults{.replication_min = 2, .replication_max = 3};

Pin wish() {
    Pin pin;
    pin.cid = cid(1);
    return pin;
}

state::StoredPin stored(Pin pin, std::uint64_t index = 7) {
    return {std::move(pin), index};
}

TEST(plan_pin, fills_defaults_and_asks_for_peers) {
    const auto plan = plan_pin(wish(), std::nullopt, kDefaults, kNow);
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan.value().allocate);
    EXPECT_EQ(plan.value().operation.expected_index, 0u);
    EXPECT_EQ(plan.value().operation.pin.options.replication_min, 2);
    EXPECT_EQ(plan.value().operation.pin.options.replication_max, 3);
    EXPECT_EQ(plan.value().operation.pin.timestamp, kNow);
}

TEST(plan_pin, is_planned_on_the_index_of_the_existing_pin) {
    const auto plan =
        plan_pin(wish(), stored(test::pin_on(cid(1), {peer(1)}), 42), kDefaults, kNow);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan.value().operation.expected_index, 42u);
    EXPECT_TRUE(plan.value().allocate) << "the holders are merged by the allocator";
}

TEST(plan_pin, everywhere_has_no_allocations) {
    auto pin = wish();
    pin.options.replication_min = pin.options.replication_max = -1;
    pin.allocations = {peer(1)};
    const auto plan = plan_pin(pin, std::nullopt, kDefaults, kNow);
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan.value().allocate);
    EXPECT_TRUE(plan.value().operation.pin.allocations.empty());
}

TEST(plan_pin, peers_the_caller_chose_are_kept) {
    auto pin = wish();
    pin.allocations = {peer(1), peer(2)};
    const auto plan = plan_pin(pin, std::nullopt, kDefaults, kNow);
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan.value().allocate);
    EXPECT_EQ(plan.value().operation.pin.allocations, (std::vector<PeerId>{peer(1), peer(2)}));
}

struct RefusedCase {
    const char* name;
    std::function<void(Pin&)> wish;
    std::function<void(Pin&)> existing;  ///< empty: there is none
    const char* text;                    ///< part of the error; empty: accepted
};

TEST(plan_pin, refuses_by_the_rules_of_the_go_programs) {
    const auto nothing = [](Pin&) {};
    const auto none = std::function<void(Pin&)>{};
    const std::vector<RefusedCase> table{
        {"plain", nothing, none, ""},
        {"no cid", [](Pin& p) { p.cid = Cid(); }, none, "bad pin object"},
        {"min above max", [](Pin& p) { p.options.replication_min = 4; }, none,
         "larger than the maximum"},
        {"only min everywhere", [](Pin& p) { p.options.replication_min = -1; }, none, "both"},
        {"expired", [](Pin& p) { p.options.expire_at = kNow - 1s; }, none,
         "pin.ExpireAt set before current time"},
        {"expires later", [](Pin& p) { p.options.expire_at = kNow + 1s; }, none, ""},
        {"another type",
         [](Pin& p) {
             p.type = PinType::shard;
             p.max_depth = 1;
         },
         nothing,
         "cannot repin CID with different tracking method, clear state with unpin first. New: "
         "shard-pin. Was: pin"},
        {"recursive to direct", [](Pin& p) { p.max_depth = kDepthDirect; }, nothing,
         "cannot repin a CID which is already pinned in recursive mode"},
        {"direct to direct", [](Pin& p) { p.max_depth = kDepthDirect; },
         [](Pin& p) { p.max_depth = kDepthDirect; }, ""},
        {"direct to recursive", nothing, [](Pin& p) { p.max_depth = kDepthDirect; }, ""},
        {"plain with a reference", [](Pin& p) { p.reference = cid(2); }, none, "has no reference"},
        {"shard",
         [](Pin& p) {
             p.type = PinType::shard;
             p.max_depth = 1;
         },
         none, ""},
        {"shard too deep",
         [](Pin& p) {
             p.type = PinType::shard;
             p.max_depth = -1;
         },
         none, "depth"},
        {"cluster dag",
         [](Pin& p) {
             p.type = PinType::cluster_dag;
             p.max_depth = 0;
             p.reference = cid(2);
         },
         none, ""},
        {"cluster dag without reference",
         [](Pin& p) {
             p.type = PinType::cluster_dag;
             p.max_depth = 0;
         },
         none, "reference"},
        {"meta",
         [](Pin& p) {
             p.type = PinType::meta;
             p.reference = cid(2);
         },
         none, ""},
        {"meta on peers",
         [](Pin& p) {
             p.type = PinType::meta;
             p.reference = cid(2);
             p.allocations = {peer(1)};
         },
         none, "no allocations"},
        {"no type", [](Pin& p) { p.type = PinType::bad; }, none, "not a type"},
        {"all types", [](Pin& p) { p.type = PinType::all; }, none, "not a type"},
    };
    for (const auto& c : table) {
        auto pin = wish();
        c.wish(pin);
        std::optional<state::StoredPin> existing;
        if (c.existing) {
            existing = stored(test::pin_on(cid(1), {peer(1)}));
            c.existing(existing->pin);
        }
        const auto plan = plan_pin(pin, existing, kDefaults, kNow);
        EXPECT_EQ(plan.has_value(), std::string(c.text).empty()) << c.name;
        if (plan) continue;
        EXPECT_EQ(plan.error().kind, Kind::invalid) << c.name;
        EXPECT_NE(plan.error().text.find(c.text), std::string::npos)
            << c.name << ": " << plan.error().text;
    }
}

TEST(plan_pin, a_meta_pin_needs_no_peers) {
    auto pin = wish();
    pin.type = PinType::meta;
    pin.reference = cid(2);
    const auto plan = plan_pin(pin, std::nullopt, kDefaults, kNow);
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan.value().allocate);
}

TEST(plan_pin_update, copies_the_source_with_its_peers) {
    auto source = test::pin_on(cid(1), {peer(1), peer(2)});
    source.options.name = "old";
    source.options.metadata["k"] = "v";
    auto update = wish();
    update.cid = cid(2);
    update.options.pin_update = cid(1);
    auto plan = plan_pin_update(update, stored(source), std::nullopt, kNow);
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan.value().allocate);
    EXPECT_EQ(plan.value().operation.expected_index, 0u);
    EXPECT_EQ(plan.value().operation.pin.cid, cid(2));
    EXPECT_EQ(plan.value().operation.pin.allocations, source.allocations);
    EXPECT_EQ(plan.value().operation.pin.options.pin_update, cid(1));
    EXPECT_EQ(plan.value().operation.pin.options.name, "old");
    EXPECT_EQ(plan.value().operation.pin.options.metadata.at("k"), "v");
    EXPECT_EQ(plan.value().operation.pin.timestamp, kNow);

    update.options.name = "new";
    update.options.expire_at = kNow + 1h;
    plan =
        plan_pin_update(update, stored(source), stored(test::pin_on(cid(2), {peer(3)}), 9), kNow);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan.value().operation.expected_index, 9u);
    EXPECT_EQ(plan.value().operation.pin.options.name, "new");
    EXPECT_EQ(plan.value().operation.pin.options.expire_at, kNow + 1h);
}

TEST(plan_pin_update, needs_a_plain_source_and_a_time_in_the_future) {
    auto update = wish();
    update.options.pin_update = cid(2);
    auto plan = plan_pin_update(update, std::nullopt, std::nullopt, kNow);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, Kind::not_found);
    EXPECT_EQ(plan.error().text, component::kPinNotFound);

    auto meta = test::pin_on(cid(2), {});
    meta.type = PinType::meta;
    plan = plan_pin_update(update, stored(meta), std::nullopt, kNow);
    ASSERT_FALSE(plan);
    EXPECT_NE(plan.error().text.find("this pin type cannot be updated"), std::string::npos);

    update.options.expire_at = kNow - 1s;
    plan = plan_pin_update(update, stored(test::pin_on(cid(2), {peer(1)})), std::nullopt, kNow);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, Kind::invalid);
}

TEST(needs_repin, when_a_holder_left_or_died_and_fewer_than_the_minimum_live) {
    struct Case {
        const char* name;
        std::vector<int> holders;
        int min, max;
        std::vector<int> dead;
        bool needed;
    };
    const PeerTest left = [](const PeerId& holder) { return holder == peer(9); };
    for (const auto& c :
         std::vector<Case>{{"all live", {1, 2}, 2, 2, {3}, false},
                           {"one of two gone", {1, 2}, 2, 2, {2}, true},
                           {"enough are left", {1, 2, 3}, 2, 3, {3}, false},
                           {"too few are left", {1, 2, 3}, 2, 3, {2, 3}, true},
                           {"all gone", {1}, 1, 1, {1}, true},
                           {"below the minimum already but nobody died", {1}, 2, 3, {4}, false},
                           {"a holder left though enough are", {1, 2, 9}, 1, 3, {}, true},
                           {"everywhere", {}, -1, -1, {1}, false}}) {
        Pin pin = wish();
        for (const int holder : c.holders) pin.allocations.push_back(peer(holder));
        pin.options.replication_min = c.min;
        pin.options.replication_max = c.max;
        std::vector<PeerId> dead;
        for (const int number : c.dead) dead.push_back(peer(number));
        EXPECT_EQ(needs_repin(pin, dead, left), c.needed) << c.name;
    }
    Pin meta = wish();
    meta.type = PinType::meta;
    meta.options.replication_min = meta.options.replication_max = 1;
    meta.allocations = {peer(1)};
    EXPECT_FALSE(needs_repin(meta, {peer(1)}, left));
}

TEST(needs_repin, when_the_pins_of_a_holder_move_however_many_others_there_are) {
    const auto moves = [](int number) {
        return [number](const PeerId& other) { return other == peer(number); };
    };
    auto pin = test::pin_on(cid(1), {peer(1), peer(2)});
    pin.options.replication_min = 1;
    EXPECT_FALSE(needs_repin(pin, {}, moves(3)));
    EXPECT_TRUE(needs_repin(pin, {}, moves(2)));
    EXPECT_TRUE(needs_repin(pin, {peer(2)}, moves(2))) << "dead or not";
    pin.options.replication_min = pin.options.replication_max = -1;
    pin.allocations.clear();
    EXPECT_FALSE(needs_repin(pin, {}, moves(2))) << "every peer holds it";
}

TEST(repin_wish, gets_new_peers_even_when_the_pin_was_once_an_update) {
    auto pin = test::pin_on(cid(1), {peer(1), peer(2)});
    pin.options.pin_update = cid(2);
    pin.options.name = "kept";
    const auto again = repin_wish(pin);
    EXPECT_FALSE(again.options.pin_update.defined());
    const auto plan = plan_pin(again, stored(pin), kDefaults, kNow);
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan.value().allocate);
    EXPECT_EQ(plan.value().operation.pin.options.name, "kept");
    EXPECT_EQ(plan.value().operation.pin.options.replication_max, 2);
}

TEST(plan_unpin, expects_the_pin_that_it_removes) {
    const auto plan = plan_unpin(stored(test::pin_on(cid(1), {peer(1)}), 42));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan.value().operation.kind, PinOperation::Kind::unpin);
    EXPECT_EQ(plan.value().operation.pin.cid, cid(1));
    EXPECT_EQ(plan.value().operation.expected_index, 42u);
    EXPECT_EQ(plan.value().current->pin.allocations, std::vector<PeerId>(1, peer(1)));
    EXPECT_EQ(plan_unpin(std::nullopt).error().text, component::kPinNotFound);
}

TEST(plan_unpin, parts_of_sharded_content_go_with_their_root_only) {
    for (const auto type : {PinType::shard, PinType::cluster_dag}) {
        auto part = test::pin_on(cid(1), {peer(1)});
        part.type = type;
        const auto refused = plan_unpin(stored(part));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, Kind::invalid);
        EXPECT_EQ(removal_of(stored(part)).operation.expected_index, 7u);
    }
}

TEST(AllHoldersDead, is_said_of_members_that_may_come_back) {
    const PeerTest left = [](const PeerId& holder) {
        return holder == peer(8) || holder == peer(9);
    };
    struct Case {
        const char* name;
        std::vector<int> holders, dead;
        bool all;
    };
    for (const auto& c : std::vector<Case>{{"one lives", {1, 2}, {2}, false},
                                           {"both are dead", {1, 2}, {1, 2, 3}, true},
                                           {"one left for good, one is dead", {1, 9}, {1}, true},
                                           {"all left for good", {8, 9}, {1}, false},
                                           {"nobody holds it", {}, {1}, false}}) {
        Pin pin;
        std::vector<PeerId> dead;
        for (const int i : c.holders) pin.allocations.push_back(peer(i));
        for (const int i : c.dead) dead.push_back(peer(i));
        EXPECT_EQ(all_holders_dead(pin, dead, left), c.all) << c.name;
    }
}

TEST(CopyLives, where_somebody_has_it_pinned_or_keeps_it) {
    struct Case {
        TrackerStatus status;
        const char* error;
        bool lives;
    };
    for (const auto& c : std::vector<Case>{{TrackerStatus::pinned, "", true},
                                           {TrackerStatus::remote, "kept until", true},
                                           {TrackerStatus::remote, "", false},
                                           {TrackerStatus::pin_error, "no space", false},
                                           {TrackerStatus::pinning, "", false},
                                           {TrackerStatus::cluster_error, "away", false}}) {
        GlobalPinInfo said;
        said.peer_map[peer(1)].status = TrackerStatus::cluster_error;
        said.peer_map[peer(2)].status = c.status;
        said.peer_map[peer(2)].error = c.error;
        EXPECT_EQ(copy_lives(said), c.lives) << to_string(c.status);
    }
    EXPECT_FALSE(copy_lives({}));
}

}  // namespace
}  // namespace ipfscluster::cluster
