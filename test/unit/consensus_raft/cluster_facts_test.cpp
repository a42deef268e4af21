#include "consensus/raft/cluster_facts.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "consensus/raft/log_store.hpp"
#include "runtime/sim_world.hpp"
#include "storage/memory_store.hpp"
#include "support/pins.hpp"

namespace ipfscluster::raft {
namespace {

using component::Cordon;
using storage::Family;

const Cordon kDraining{Cordon::Kind::draining, true, Time(std::chrono::seconds(1767225600))};

class RaftClusterFacts : public testing::Test {
 protected:
    RaftClusterFacts() {
        EXPECT_TRUE(log.open());
        storage::Batch batch;
        log.set_identity(batch, Bytes(kIncarnationBytes, 'i'));
        log.found(batch, {{1, {test::peer(1), 1, false}}, {2, {test::peer(2), 1, false}}});
        write(std::move(batch));
    }
    void write(storage::Batch batch) { ASSERT_TRUE(store.write(std::move(batch))); }
    bool tell(int number, const Cordon& cordon) {
        storage::Batch batch;
        const bool member = log.set_cordon(batch, {test::peer(number), cordon});
        write(std::move(batch));
        return member;
    }
    ClusterFacts::Cordons stored() {
        LogStore other(store);
        EXPECT_TRUE(other.open());
        return other.facts().cordons();
    }
    SimWorld world{1};
    storage::MemoryStore store{world};
    LogStore log{store};
};

TEST_F(RaftClusterFacts, what_was_told_about_a_member_is_stored_until_it_is_taken_back) {
    EXPECT_TRUE(tell(1, {Cordon::Kind::cordoned}));
    EXPECT_TRUE(tell(2, {Cordon::Kind::leaving}));
    EXPECT_TRUE(tell(1, kDraining));
    EXPECT_EQ(stored(), (ClusterFacts::Cordons{{test::peer(1), kDraining},
                                               {test::peer(2), {Cordon::Kind::leaving}}}));
    EXPECT_EQ(log.facts().cordon(test::peer(1)), kDraining);
    const auto before = log.facts().changes();
    EXPECT_TRUE(tell(1, {}));
    EXPECT_GT(log.facts().changes(), before);
    EXPECT_EQ(log.facts().cordon(test::peer(1)), Cordon{});
    EXPECT_EQ(stored().size(), 1u);
}

TEST_F(RaftClusterFacts, nothing_is_told_about_who_is_no_member) {
    EXPECT_FALSE(tell(3, kDraining));
    EXPECT_TRUE(stored().empty());
}

TEST_F(RaftClusterFacts, it_goes_with_the_last_node_of_the_peer) {
    ASSERT_TRUE(tell(2, kDraining));
    storage::Batch batch;
    // It came back as node 3, and its old node is removed.
    log.set_node(batch, 3, {test::peer(2), 9, false});
    ASSERT_TRUE(log.set_conf_state(batch, make_conf_state({1, 3}, {})));
    log.set_node(batch, 2, {test::peer(2), 1, true});
    log.forget_facts_of(batch, test::peer(2));
    EXPECT_EQ(log.facts().cordon(test::peer(2)), kDraining);
    ASSERT_TRUE(log.set_conf_state(batch, make_conf_state({1}, {})));
    log.forget_facts_of(batch, test::peer(2));
    write(std::move(batch));
    EXPECT_EQ(log.facts().cordon(test::peer(2)), Cordon{});
    EXPECT_TRUE(stored().empty());
}

TEST_F(RaftClusterFacts, a_snapshot_replaces_them) {
    ASSERT_TRUE(tell(1, kDraining));
    const auto taken = ClusterFacts::decode(log.facts().encode());
    ASSERT_TRUE(taken) << taken.error().text;
    ASSERT_TRUE(tell(1, {}));
    ASSERT_TRUE(tell(2, {Cordon::Kind::cordoned}));
    storage::Batch batch;
    ASSERT_TRUE(log.install(batch, {{7, 1}, log.conf_state(), {}}, log.nodes(), taken.value()));
    write(std::move(batch));
    EXPECT_EQ(stored(), (ClusterFacts::Cordons{{test::peer(1), kDraining}}));
}

TEST_F(RaftClusterFacts, the_feature_level_rises_and_never_falls) {
    const auto raise = [&](std::uint32_t level) {
        storage::Batch batch;
        log.raise_feature_level(batch, level);
        write(std::move(batch));
    };
    EXPECT_EQ(log.facts().feature_level(), 0u);
    raise(2);
    raise(1);
    EXPECT_EQ(log.facts().feature_level(), 2u);
    EXPECT_EQ(store.get(Family::raft_meta, "feature_level").value(), Bytes("\0\0\0\x02", 4));
    LogStore other(store);
    ASSERT_TRUE(other.open());
    EXPECT_EQ(other.facts().feature_level(), 2u);
    // A snapshot carries it.
    auto taken = ClusterFacts::decode(log.facts().encode());
    ASSERT_TRUE(taken) << taken.error().text;
    storage::MemoryStore fresh_store{world};
    LogStore fresh(fresh_store);
    ASSERT_TRUE(fresh.open());
    storage::Batch batch;
    ASSERT_TRUE(fresh.install(batch, {{7, 1}, log.conf_state(), {}}, log.nodes(), taken.value()));
    EXPECT_EQ(fresh.facts().feature_level(), 2u);
}

TEST_F(RaftClusterFacts, rows_are_the_documented_ones) {
    ASSERT_TRUE(tell(1, kDraining));
    const auto row = store.get(Family::raft_meta, "cordon/" + test::peer(1).bytes());
    ASSERT_TRUE(row && row.value());
    // version, kind, everything, since
    EXPECT_EQ(hex_encode(*row.value()), "01020118867251edfa0000");
    // peer id, row
    const auto fact = encode_cordon_fact({test::peer(1), kDraining});
    EXPECT_EQ(fact, Bytes(1, static_cast<char>(test::peer(1).bytes().size())) +
                        test::peer(1).bytes() + "\x0b" + *row.value());
    EXPECT_EQ(log.facts().encode(), Bytes("\x01\0\0\0\0\x01", 6) + fact);
}

TEST_F(RaftClusterFacts, a_row_of_a_newer_build_is_refused_by_name) {
    storage::Batch batch;
    batch.put(Family::raft_meta, "cordon/" + test::peer(1).bytes(), "\x02?");
    write(std::move(batch));
    LogStore other(store);
    const auto opened = other.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, Kind::unsupported);
}

TEST_F(RaftClusterFacts, a_kind_that_only_a_newer_build_knows_is_no_damage) {
    auto row = Bytes("\x01\x04\0", 3) + Bytes(8, '\0');
    for (const auto& newer : {row, row + "more"}) {
        storage::Batch batch;
        batch.put(Family::raft_meta, "cordon/" + test::peer(1).bytes(), newer);
        write(std::move(batch));
        LogStore other(store);
        const auto opened = other.open();
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().kind, Kind::unsupported) << opened.error().text;
    }
}

TEST_F(RaftClusterFacts, of_a_snapshot_of_a_higher_level_the_level_is_read) {
    auto unknown = encode_cordon_fact({test::peer(1), kDraining});
    unknown[unknown.size() - 10] = 4;
    const auto facts = [&](char level) {
        return Bytes("\x01\0\0\0", 4) + Bytes(1, level) + Bytes(1, '\x01') + unknown;
    };
    const auto newer = ClusterFacts::decode(facts(2));
    ASSERT_TRUE(newer) << newer.error().text;
    EXPECT_EQ(newer.value().feature_level(), 2u);
    EXPECT_TRUE(newer.value().cordons().empty());
    EXPECT_EQ(ClusterFacts::decode(facts(1)).error().kind, Kind::unsupported);
}

TEST_F(RaftClusterFacts, what_is_not_whole_is_refused) {
    const auto fact = encode_cordon_fact({test::peer(1), kDraining});
    for (std::size_t n = 0; n < fact.size(); ++n)
        EXPECT_FALSE(decode_cordon_fact(BytesView(fact).substr(0, n))) << n;
    EXPECT_FALSE(decode_cordon_fact(fact + "x"));
    ASSERT_TRUE(tell(1, kDraining));
    const auto all = log.facts().encode();
    for (std::size_t n = 0; n < all.size(); ++n)
        EXPECT_FALSE(ClusterFacts::decode(BytesView(all).substr(0, n))) << n;
    EXPECT_FALSE(ClusterFacts::decode(all + "x"));
    EXPECT_EQ(ClusterFacts::decode("\x02").error().kind, Kind::unsupported);
    EXPECT_FALSE(ClusterFacts::decode(Bytes("\x01\0\0\0\0\xff\xff\xff\xff\x7f", 10)));
}

}  // namespace
}  // namespace ipfscluster::raft
