#include "cluster/caller_check.hpp"

#include "support/drive.hpp"
#include "unit/cluster_rpc/fixture.hpp"

namespace ipfscluster::cluster::test {
namespace {

using ipfscluster::test::start;

/// Peer 1 knows who the members are; peer 2 lags behind and asks it.
struct CallerCheckTest : Fixture {
    CallerCheckTest() { lagging.informed = peer(1); }
    void members(std::vector<PeerId> known) { api.cluster_peers = std::move(known); }
    Result<> confirm(char caller) { return drive(world, check.confirm(peer(caller), unsure)); }
    int questions() const { return api.ids; }

    const Error unsure{Kind::retryable, "not a member of this cluster"};
    ipfscluster::test::LoneConsensus lagging;
    CallerCheck check{world, lagging, peers};
};

TEST_F(CallerCheckTest, the_member_that_knows_best_decides) {
    members({peer(1), peer(2), peer(3)});
    ICL_EXPECT_OK(confirm(3));
    EXPECT_EQ(questions(), 1);
    ICL_EXPECT_OK(confirm(3));
    EXPECT_EQ(questions(), 1) << "it was named a moment ago";
    world.run_for(10ms);
    EXPECT_EQ(confirm(4).error(), (Error{Kind::denied, unsure.text}));
    EXPECT_EQ(questions(), 2) << "it may have been added since";
    members({peer(1), peer(2)});
    world.run_for(kCallerKnown + 1s);
    EXPECT_EQ(confirm(3).error().kind, Kind::denied);
}

TEST_F(CallerCheckTest, many_callers_are_one_question) {
    members({peer(1), peer(2), peer(3)});
    std::vector<std::shared_ptr<std::optional<Result<>>>> asked;
    for (char caller = 3; caller < 63; ++caller)
        asked.push_back(start(world, check.confirm(peer(caller), unsure)));
    world.run_for(1s);
    for (const auto& one : asked) ASSERT_TRUE(one->has_value());
    EXPECT_TRUE(asked.front()->value());
    EXPECT_EQ(asked.back()->value().error().kind, Kind::denied);
    EXPECT_EQ(questions(), 1);
    // Whoever keeps asking does not make this peer ask as often.
    for (int i = 0; i < 100; ++i) {
        asked.push_back(start(world, check.confirm(peer(77), unsure)));
        world.run_for(10ms);
    }
    world.run_for(1s);
    EXPECT_LE(questions(), 7);
}

TEST_F(CallerCheckTest, without_an_answer_the_caller_is_told_to_come_again) {
    lagging.informed = peer(9);  // not there
    const auto silent = confirm(3);
    ASSERT_FALSE(silent);
    EXPECT_EQ(silent.error().kind, Kind::retryable);
    EXPECT_NE(silent.error().text.find(unsure.text), std::string::npos);
    lagging.informed = {};
    EXPECT_EQ(confirm(3).error().kind, Kind::retryable);
    network.cut(peer(2), peer(1));
    lagging.informed = peer(1);
    const auto begin = world.steady_now();
    EXPECT_EQ(confirm(3).error().kind, Kind::retryable);
    EXPECT_LE(world.steady_now() - begin, kCallerLimit + 1s);
    network.heal(peer(2), peer(1));
    members({peer(3)});
    ICL_EXPECT_OK(confirm(3));
}

}  // namespace
}  // namespace ipfscluster::cluster::test
