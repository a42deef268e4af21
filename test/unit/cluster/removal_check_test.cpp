#include "cluster/removal_check.hpp"

#include <gtest/gtest.h>

#include "runtime/sim_world.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using test::cid;
using test::drive;
using test::peer;
using Status = TrackerStatus;

const PeerId kLeaver = peer(1), kOther = peer(2), kThird = peer(3);
const std::set<PeerId> kMembers{kLeaver, kOther, kThird};

GlobalPinInfo row(Status leaver, Status other, Status third, const char* leaver_says = "") {
    GlobalPinInfo out;
    out.cid = cid(1);
    out.peer_map[kLeaver].status = leaver;
    out.peer_map[kLeaver].error = leaver_says;
    out.peer_map[kOther].status = other;
    out.peer_map[kThird].status = third;
    return out;
}

TEST(RemovalCheck, only_who_says_that_it_has_the_item_counts) {
    struct Case {
        Status leaver, other, third;
        bool loses;
    };
    for (const auto& each : {
             Case{Status::pinned, Status::pinned, Status::remote, false},
             Case{Status::pinned, Status::pin_error, Status::remote, true},
             Case{Status::pinned, Status::pinning, Status::pin_queued, true},
             Case{Status::pinned, Status::cluster_error, Status::remote, true},
             Case{Status::pinned, Status::unexpectedly_unpinned, Status::remote, true},
             // Away or on its way, the leaver may have the only copy.
             Case{Status::cluster_error, Status::pin_error, Status::remote, true},
             Case{Status::cluster_error, Status::remote, Status::pinned, false},
             Case{Status::pinning, Status::remote, Status::remote, true},
             Case{Status::pin_queued, Status::pin_error, Status::remote, true},
             // What failed everywhere has nothing to lose.
             Case{Status::pin_error, Status::pin_error, Status::remote, false},
             Case{Status::unexpectedly_unpinned, Status::remote, Status::remote, false},
             Case{Status::remote, Status::pin_error, Status::remote, false},
             Case{Status::sharded, Status::sharded, Status::sharded, false},
         }) {
        EXPECT_EQ(removal_loses(row(each.leaver, each.other, each.third), kLeaver, kMembers),
                  each.loses)
            << to_string(each.leaver) << " / " << to_string(each.other) << " / "
            << to_string(each.third);
    }
}

TEST(RemovalCheck, a_copy_that_is_kept_for_others_counts_as_a_copy) {
    const auto kept =
        row(Status::remote, Status::pin_error, Status::remote, "kept until 1 holder has it");
    EXPECT_TRUE(removal_loses(kept, kLeaver, kMembers));
}

TEST(RemovalCheck, a_peer_that_is_no_member_any_more_saves_nothing) {
    EXPECT_TRUE(removal_loses(row(Status::pinned, Status::pinned, Status::remote), kLeaver,
                              {kLeaver, kThird}));
}

TEST(RemovalCheck, a_peer_that_is_away_may_have_what_its_repair_gave_to_others) {
    auto away = row(Status::cluster_error, Status::pin_error, Status::remote);
    away.allocations = {kOther};
    EXPECT_TRUE(removal_loses(away, kLeaver, kMembers));
    away.peer_map[kOther].status = Status::pinned;
    EXPECT_FALSE(removal_loses(away, kLeaver, kMembers));
    auto meta = row(Status::cluster_error, Status::sharded, Status::sharded);
    EXPECT_FALSE(removal_loses(meta, kLeaver, kMembers));
}

TEST(RemovalCheck, counts_all_and_names_one) {
    SimWorld world(1);
    std::vector<GlobalPinInfo> rows;
    for (int i = 0; i < 600; ++i) {
        rows.push_back(
            row(Status::pinned, i % 3 == 2 ? Status::pin_error : Status::pinned, Status::remote));
        rows.back().cid = cid(i);
    }
    auto counted = drive<RemovalLoss>(
        world, count_removal_loss(world, std::make_unique<VectorSource<GlobalPinInfo>>(rows),
                                  kLeaver, kMembers));
    ASSERT_TRUE(counted) << counted.error().text;
    EXPECT_EQ(counted.value().items, 200u);
    EXPECT_EQ(counted.value().example, cid(2));
}

TEST(RemovalCheck, a_list_that_is_not_whole_is_no_answer) {
    class Broken final : public Source<GlobalPinInfo> {
        Async<std::optional<GlobalPinInfo>> next() override {
            co_return fail(Kind::unavailable, "the list is incomplete: peer 2 fell silent");
        }
    };
    SimWorld world(1);
    auto counted = drive<RemovalLoss>(
        world, count_removal_loss(world, std::make_unique<Broken>(), kLeaver, kMembers));
    ASSERT_FALSE(counted);
    EXPECT_EQ(counted.error().kind, Kind::unavailable);
}

TEST(RemovalCheck, lacks_what_others_have_too_few_copies_of) {
    const auto two = row(Status::pinned, Status::pinned, Status::pinned);
    const auto one = row(Status::pinned, Status::pinned, Status::pinning);
    EXPECT_FALSE(removal_lacks(two, kLeaver, kMembers, 2, false));
    EXPECT_TRUE(removal_lacks(one, kLeaver, kMembers, 2, false));
    EXPECT_FALSE(removal_lacks(one, kLeaver, kMembers, 1, false));
    EXPECT_TRUE(removal_lacks(two, kLeaver, {kLeaver, kThird}, 2, false)) << "no member saves it";
    // What the leaver has no copy of is none of its business, if that is known.
    const auto none = row(Status::remote, Status::pin_error, Status::pinned);
    EXPECT_FALSE(removal_lacks(none, kLeaver, kMembers, 2, false));
    EXPECT_TRUE(removal_lacks(none, kLeaver, kMembers, 2, true));
    EXPECT_FALSE(removal_lacks(row(Status::sharded, Status::sharded, Status::sharded), kLeaver,
                               kMembers, 1, true));
}

TEST(RemovalCheck, the_minimum_elsewhere_is_that_of_the_pin) {
    auto pin = test::pin_on(cid(1), {kLeaver, kOther});
    EXPECT_EQ(needed_elsewhere(pin), 2u);
    pin.options.replication_min = 1;
    EXPECT_EQ(needed_elsewhere(pin), 1u);
    pin.options.replication_min = pin.options.replication_max = -1;
    EXPECT_EQ(needed_elsewhere(pin), 1u) << "held by every peer: one other is enough";
    pin.type = PinType::meta;
    EXPECT_EQ(needed_elsewhere(pin), 0u);
}

}  // namespace
}  // namespace ipfscluster::cluster
