#include "cluster/pinner.hpp"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "allocator/balanced_allocator.hpp"
#include "component/cluster_api.hpp"
#include "storage/memory_store.hpp"
#include "support/drive.hpp"
#include "support/fake_parts.hpp"
#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;
using test::cid;
using test::drive;
using test::peer;
using test::pin_on;

/// Members 1 to 4, all but `dead` alive and with room, the higher their number the more.
class SomeMonitor final : public component::PeerMonitor {
 public:
    std::set<PeerId> dead;

    Async<> start() override { co_return ok(); }
    Async<> stop() override { co_return ok(); }
    Async<> publish(Metric) override { co_return ok(); }
    void record(Metric) override {}
    std::vector<Metric> latest(const std::string& name) override {
        std::vector<Metric> out;
        for (int i = 1; i <= 4; ++i)
            out.push_back({.name = name,
                           .peer = peer(i),
                           .value = "1",
                           .valid = true,
                           .weight = i * (std::int64_t{1} << 40)});
        return out;
    }
    std::vector<std::string> names() override { return {"freespace"}; }
    bool alive(const PeerId& p) override { return !dead.contains(p); }
    void expect(std::vector<PeerId>) override {}
    std::vector<component::HeardMetric> heard(const std::string&) override { return {}; }
    void raise(Metric) override {}
    std::vector<Alert> alerts() override { return {}; }
};

/// Applies what is committed at once; `before` runs ahead of the next commit, as another peer's
/// operation that came first.
class ApplyingConsensus final : public test::LoneConsensus {
 public:
    ApplyingConsensus(storage::Store& store, state::State& state) : store_(store), state_(state) {
        for (int i = 1; i <= 4; ++i) members.push_back(peer(i));
    }
    std::function<void()> before;
    std::function<void()> on_sync;
    std::size_t conflicts = 0;

    Async<component::CommitResult> commit(PinOperation operation) override {
        if (const auto others = std::exchange(before, nullptr)) others();
        committed.push_back(operation);
        co_return apply(std::move(operation));
    }
    Async<> barrier(Duration) override {
        if (on_sync) on_sync();
        co_return ok();
    }
    Result<component::CommitResult> apply(PinOperation operation) {
        storage::Batch batch;
        const state::LoggedOperation logged{std::move(operation), {}};
        auto results = state_.apply(batch, ++index_, {logged});
        if (!results) return fail(results.error());
        EXPECT_TRUE(store_.write(std::move(batch)));
        state_.applied();
        const auto& result = results.value().at(0);
        if (result.outcome == state::ApplyOutcome::not_found)
            return fail(Kind::not_found, "it is not pinned");
        if (result.outcome != state::ApplyOutcome::applied) {
            ++conflicts;
            return fail(Kind::conflict, "another operation came first");
        }
        return component::CommitResult{result.modification_index};
    }

 private:
    storage::Store& store_;
    state::State& state_;
    std::uint64_t index_ = 0;
};

struct PinnerTest : ::testing::Test {
    PinnerTest() {
        EXPECT_TRUE(pinset.open());
        consensus = std::make_unique<ApplyingConsensus>(store, pinset);
        clocks = std::make_unique<ClockWatch>(world, *consensus, monitor, peer(1), 30s);
    }
    Pinner make(PinnerOptions options = {
                    .defaults = {.replication_min = 2, .replication_max = 2}}) {
        return Pinner({.world = world,
                       .state = pinset,
                       .log = *consensus,
                       .members = *consensus,
                       .ipfs = ipfs,
                       .monitor = monitor,
                       .allocator = allocator,
                       .clocks = *clocks},
                      options);
    }
    void put(Pin pin) { ASSERT_TRUE(consensus->apply({.pin = std::move(pin)})); }
    void drop(int n) {
        PinOperation gone{.kind = PinOperation::Kind::unpin};
        gone.pin.cid = cid(n);
        ASSERT_TRUE(consensus->apply(std::move(gone)));
    }
    std::optional<Pin> stored(int n) {
        auto row = pinset.get(cid(n)).value();
        if (!row) return std::nullopt;
        return row->pin;
    }
    std::set<PeerId> holders(int n) {
        const auto pin = stored(n);
        if (!pin) return {};
        return {pin->allocations.begin(), pin->allocations.end()};
    }
    /// The next commits, `times` in all, find that another peer has renamed the pin.
    void rename_before_commits(int n, int times) {
        if (times == 0) return;
        consensus->before = [this, n, times] {
            auto pin = stored(n).value_or(pin_on(cid(n), {peer(1), peer(2)}));
            pin.options.name = "renamed " + std::to_string(times);
            put(std::move(pin));
            rename_before_commits(n, times - 1);
        };
    }

    SimWorld world{1};
    storage::MemoryStore store{world};
    state::State pinset{store, peer(1)};
    std::unique_ptr<ApplyingConsensus> consensus;
    std::unique_ptr<ClockWatch> clocks;
    test::BlockIpfs ipfs;
    SomeMonitor monitor;
    allocator::BalancedAllocator allocator{{"freespace"}};
};

TEST_F(PinnerTest, a_wish_gets_defaults_and_peers_and_is_committed_on_what_it_was_planned_on) {
    auto pinner = make();
    Pin wish;
    wish.cid = cid(1);
    const auto pinned = drive(world, pinner.pin(wish));
    ASSERT_TRUE(pinned) << pinned.error().text;
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(3), peer(4)})) << "those with the most room";
    EXPECT_EQ(pinned.value().allocations, stored(1)->allocations);
    ASSERT_EQ(consensus->committed.size(), 1u);
    EXPECT_EQ(consensus->committed[0].expected_index, 0u);
}

TEST_F(PinnerTest, is_planned_again_on_what_others_left_in_between) {
    auto pinner = make();
    rename_before_commits(1, 2);
    Pin wish;
    wish.cid = cid(1);
    wish.options.name = "mine";
    ASSERT_TRUE(drive(world, pinner.pin(wish)));
    EXPECT_EQ(consensus->committed.size(), 3u);
    EXPECT_EQ(consensus->conflicts, 2u);
    EXPECT_EQ(stored(1)->options.name, "mine");
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(2)})) << "the other's holders stay";
}

TEST_F(PinnerTest, gives_up_after_three_plans_and_names_the_pin) {
    auto pinner = make();
    rename_before_commits(1, 100);
    Pin wish;
    wish.cid = cid(1);
    const auto refused = drive(world, pinner.pin(wish));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_NE(refused.error().text.find("pin " + cid(1).to_string()), std::string::npos);
    EXPECT_EQ(consensus->committed.size(), static_cast<std::size_t>(kPlanAttemptsMax));
}

TEST_F(PinnerTest, without_strong_reads_absent_is_said_only_by_a_peer_that_has_everything) {
    auto pinner = make();
    consensus->strong = false;
    consensus->has_all = false;
    const auto unsure = drive(world, pinner.unpin(cid(1)));
    ASSERT_FALSE(unsure);
    EXPECT_EQ(unsure.error().kind, Kind::unavailable) << unsure.error().text;
    consensus->has_all = true;
    const auto absent = drive(world, pinner.unpin(cid(1)));
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().kind, Kind::not_found) << absent.error().text;
}

TEST_F(PinnerTest, absent_is_said_only_of_a_state_that_is_current) {
    auto pinner = make();
    const auto absent = drive(world, pinner.unpin(cid(1)));
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error(), (Error{Kind::not_found, std::string(component::kPinNotFound)}));
    EXPECT_TRUE(consensus->committed.empty());
    consensus->on_sync = [this] { put(pin_on(cid(1), {peer(2)})); };
    const auto gone = drive(world, pinner.unpin(cid(1)));
    ASSERT_TRUE(gone) << gone.error().text;
    EXPECT_EQ(gone.value().allocations, std::vector<PeerId>(1, peer(2))) << "the pin as it was";
    EXPECT_FALSE(stored(1));
}

TEST_F(PinnerTest, an_unpin_that_another_peer_did_first_finds_nothing) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(2)}));
    consensus->before = [this] { drop(1); };
    const auto gone = drive(world, pinner.unpin(cid(1)));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error(), (Error{Kind::not_found, std::string(component::kPinNotFound)}));
}

TEST_F(PinnerTest, a_name_that_leads_nowhere_is_no_absent_pin) {
    auto pinner = make();
    const auto path = "/ipfs/" + cid(1).to_string() + "/nowhere";
    const auto unpinned = drive(world, pinner.unpin_path(path));
    EXPECT_EQ(unpinned.error(), (Error{Kind::unavailable, "no link named nowhere"}));
    const auto pinned = drive(world, pinner.pin_path(path, {}));
    EXPECT_EQ(pinned.error(), (Error{Kind::unavailable, "no link named nowhere"}));
    const auto absent = drive(world, pinner.unpin_path("/ipfs/" + cid(1).to_string()));
    EXPECT_EQ(absent.error().kind, Kind::not_found);
}

TEST_F(PinnerTest, a_follower_changes_nothing) {
    auto pinner = make({.follower = true});
    put(pin_on(cid(1), {peer(2)}));
    Pin wish;
    wish.cid = cid(2);
    EXPECT_EQ(drive(world, pinner.pin(wish)).error().kind, Kind::denied);
    EXPECT_EQ(drive(world, pinner.unpin(cid(1))).error().kind, Kind::denied);
    EXPECT_EQ(drive(world, pinner.allocate_blocks(wish)).error().kind, Kind::denied);
    EXPECT_TRUE(consensus->committed.empty());
}

TEST_F(PinnerTest, dead_holders_that_the_caller_chose_are_replaced_and_live_ones_stay) {
    auto pinner = make();
    monitor.dead = {peer(2)};
    ASSERT_TRUE(drive(world, pinner.pin(pin_on(cid(1), {peer(1), peer(2)}))));
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(4)}));
}

TEST_F(PinnerTest, a_repair_moves_what_is_in_need_when_its_turn_comes) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(1), peer(2)}));
    put(pin_on(cid(2), {peer(1), peer(2)}));
    monitor.dead = {peer(2)};
    const std::vector<PeerId> dead(1, peer(2));
    EXPECT_EQ(drive(world, pinner.repin(cid(1), dead)).value(), Repin::moved);
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(4)}));
    EXPECT_EQ(drive(world, pinner.repin(cid(1), dead)).value(), Repin::no_need);
    monitor.dead.clear();
    EXPECT_EQ(drive(world, pinner.repin(cid(2), dead)).value(), Repin::holder_back);
    EXPECT_EQ(holders(2), (std::set<PeerId>{peer(1), peer(2)}));
    EXPECT_EQ(drive(world, pinner.repin(cid(9), dead)).value(), Repin::no_need);
    EXPECT_EQ(consensus->committed.size(), 1u);
}

TEST_F(PinnerTest, a_repair_gives_nothing_to_those_that_could_not_fetch_it) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(1), peer(2)}));
    monitor.dead = {peer(1), peer(2)};
    const std::vector<PeerId> dead{peer(1), peer(2)};
    EXPECT_EQ(drive(world, pinner.repin(cid(1), dead, consensus->members)).value(),
              Repin::no_source);
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(2)})) << "it waits for them";
    const std::vector<PeerId> inside(1, peer(3));
    EXPECT_FALSE(drive(world, pinner.repin(cid(1), dead, inside))) << "one is too few";
    EXPECT_EQ(drive(world, pinner.repin(cid(1), dead)).value(), Repin::moved);
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(3), peer(4)}));
}

TEST_F(PinnerTest, a_cordoned_peer_is_given_nothing_new_and_keeps_what_it_has) {
    auto pinner = make();
    consensus->told[peer(4)].kind = component::Cordon::Kind::cordoned;
    Pin wish;
    wish.cid = cid(1);
    ASSERT_TRUE(drive(world, pinner.pin(wish)));
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(2), peer(3)}));
    const auto blocks = drive(world, pinner.allocate_blocks(wish)).value();
    EXPECT_EQ((std::set<PeerId>{blocks.begin(), blocks.end()}),
              (std::set<PeerId>{peer(2), peer(3)}));
    put(pin_on(cid(2), {peer(1), peer(4)}));
    wish.cid = cid(2);
    wish.options.name = "renamed";
    ASSERT_TRUE(drive(world, pinner.pin(wish)));
    EXPECT_EQ(holders(2), (std::set<PeerId>{peer(1), peer(4)}));
    // A copy of it under another CID is new to that peer.
    Pin copy;
    copy.cid = cid(3);
    copy.options.pin_update = cid(2);
    ASSERT_TRUE(drive(world, pinner.pin(copy)));
    EXPECT_FALSE(holders(3).contains(peer(4)));
    EXPECT_TRUE(holders(3).contains(peer(1)));
    EXPECT_EQ(holders(3).size(), 2u);
    EXPECT_EQ(drive(world, pinner.repin(cid(2), {})).value(), Repin::no_need);
}

TEST_F(PinnerTest, who_names_a_peer_that_takes_no_pins_is_told_so) {
    auto pinner = make();
    consensus->told[peer(4)].kind = component::Cordon::Kind::draining;
    Pin wish;
    wish.cid = cid(1);
    wish.options.user_allocations = {peer(4)};
    const auto refused = drive(world, pinner.pin(wish));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_NE(refused.error().text.find("draining"), std::string::npos) << refused.error().text;
    EXPECT_NE(refused.error().text.find(peer(4).to_string()), std::string::npos);
    EXPECT_FALSE(drive(world, pinner.allocate_blocks(wish)));
    // What it has it may keep, as long as nothing moves.
    put(pin_on(cid(1), {peer(1), peer(4)}));
    EXPECT_FALSE(drive(world, pinner.pin(wish)));
    consensus->told[peer(4)].kind = component::Cordon::Kind::cordoned;
    ASSERT_TRUE(drive(world, pinner.pin(wish)));
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(4)}));
}

TEST_F(PinnerTest, too_few_peers_names_those_that_take_no_pins) {
    auto pinner = make();
    for (int i = 2; i <= 4; ++i) consensus->told[peer(i)].kind = component::Cordon::Kind::cordoned;
    Pin wish;
    wish.cid = cid(1);
    const auto refused = drive(world, pinner.pin(wish));
    ASSERT_FALSE(refused);
    for (int i = 2; i <= 4; ++i)
        EXPECT_NE(refused.error().text.find(peer(i).to_string()), std::string::npos)
            << refused.error().text;
}

TEST_F(PinnerTest, a_drained_peers_pins_move_and_its_fellow_holders_stay) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(1), peer(4)}));
    consensus->told[peer(4)].kind = component::Cordon::Kind::draining;
    EXPECT_EQ(drive(world, pinner.repin(cid(1), {})).value(), Repin::moved);
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(3)}));
    EXPECT_EQ(drive(world, pinner.repin(cid(1), {})).value(), Repin::no_need);
    // One that is silent for a while is a holder all the same.
    put(pin_on(cid(2), {peer(1), peer(4)}));
    monitor.dead = {peer(1)};
    EXPECT_EQ(drive(world, pinner.repin(cid(2), {})).value(), Repin::moved);
    EXPECT_EQ(holders(2), (std::set<PeerId>{peer(1), peer(3)}));
    // Where nobody could take it, it stays and says why.
    monitor.dead = {peer(1), peer(2), peer(3)};
    put(pin_on(cid(3), {peer(4)}));
    EXPECT_FALSE(drive(world, pinner.repin(cid(3), {})));
    EXPECT_FALSE(pinner.could_move(stored(3).value(), peer(4), {}));
    EXPECT_EQ(holders(3), (std::set<PeerId>{peer(4)}));
}

TEST_F(PinnerTest, a_repair_goes_on_where_nobody_can_take_what_moves) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(1), peer(4)}));
    consensus->told[peer(4)].kind = component::Cordon::Kind::draining;
    monitor.dead = {peer(1), peer(2)};
    const std::vector<PeerId> dead{peer(1), peer(2)};
    EXPECT_EQ(drive(world, pinner.repin(cid(1), dead)).value(), Repin::moved);
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(3), peer(4)}));
    EXPECT_FALSE(drive(world, pinner.repin(cid(1), dead))) << "what moves is stuck";
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(3), peer(4)}));
}

TEST_F(PinnerTest, a_drained_peer_that_falls_silent_is_waited_for_and_one_that_leaves_is_not) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(1), peer(4)}));
    monitor.dead = {peer(4)};
    consensus->told[peer(4)].kind = component::Cordon::Kind::draining;
    EXPECT_EQ(drive(world, pinner.repin(cid(1), {})).value(), Repin::no_need);
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(4)}));
    consensus->told[peer(4)].kind = component::Cordon::Kind::leaving;
    EXPECT_EQ(drive(world, pinner.repin(cid(1), {})).value(), Repin::moved);
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(3)}));
}

TEST_F(PinnerTest, a_wish_goes_on_where_nobody_could_take_the_place_of_a_drained_holder) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(3), peer(4)}));
    consensus->told[peer(4)].kind = component::Cordon::Kind::draining;
    monitor.dead = {peer(1), peer(2)};
    Pin wish;
    wish.cid = cid(1);
    wish.options.name = "renamed";
    ASSERT_TRUE(drive(world, pinner.pin(wish)));
    EXPECT_EQ(stored(1)->options.name, "renamed");
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(3), peer(4)}));
}

TEST_F(PinnerTest, a_repair_does_not_raise_what_is_unpinned_in_between) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(1), peer(2)}));
    monitor.dead = {peer(2)};
    consensus->before = [this] { drop(1); };
    EXPECT_EQ(drive(world, pinner.repin(cid(1), std::vector<PeerId>(1, peer(2)))).value(),
              Repin::no_need);
    EXPECT_FALSE(stored(1));
}

TEST_F(PinnerTest, a_repair_keeps_what_others_changed_in_between) {
    auto pinner = make();
    put(pin_on(cid(1), {peer(1), peer(2)}));
    monitor.dead = {peer(2)};
    rename_before_commits(1, 1);
    EXPECT_EQ(drive(world, pinner.repin(cid(1), std::vector<PeerId>(1, peer(2)))).value(),
              Repin::moved);
    EXPECT_EQ(stored(1)->options.name, "renamed 1");
    EXPECT_EQ(holders(1), (std::set<PeerId>{peer(1), peer(4)}));
}

TEST_F(PinnerTest, only_what_has_expired_is_removed_by_expiry) {
    auto pinner = make();
    const auto now = world.system_now();
    auto pin = pin_on(cid(1), {peer(1)});
    pin.options.expire_at = now + 1h;
    put(pin);
    EXPECT_FALSE(drive(world, pinner.expire(cid(1), now)).value());
    EXPECT_FALSE(drive(world, pinner.expire(cid(2), now)).value()) << "it is gone";
    EXPECT_TRUE(consensus->committed.empty());
    EXPECT_TRUE(drive(world, pinner.expire(cid(1), now + 2h)).value());
    EXPECT_EQ(consensus->committed.at(0).only_if_expired_by, now + 2h);
    EXPECT_FALSE(stored(1));
}

TEST_F(PinnerTest, a_pin_renewed_before_its_removal_lands_stays) {
    auto pinner = make();
    const auto now = world.system_now();
    auto pin = pin_on(cid(1), {peer(1)});
    pin.options.expire_at = now + 1h;
    put(pin);
    consensus->before = [this, pin, now]() mutable {
        pin.options.expire_at = now + 24h;
        put(pin);
    };
    EXPECT_FALSE(drive(world, pinner.expire(cid(1), now + 2h)).value());
    EXPECT_TRUE(stored(1));
    EXPECT_EQ(consensus->conflicts, 1u);
}

TEST_F(PinnerTest, blocks_of_an_add_go_to_peers_that_live) {
    auto pinner = make();
    monitor.dead = {peer(4)};
    Pin pin;
    pin.cid = cid(1);
    const auto some = drive(world, pinner.allocate_blocks(pin)).value();
    EXPECT_EQ((std::set<PeerId>{some.begin(), some.end()}), (std::set<PeerId>{peer(2), peer(3)}));
    pin.options.replication_min = pin.options.replication_max = -1;
    EXPECT_EQ(drive(world, pinner.allocate_blocks(pin)).value().size(), 3u) << "everyone alive";
}

}  // namespace
}  // namespace ipfscluster::cluster
