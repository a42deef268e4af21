#include "consensus/raft/log_store.hpp"

#include <gtest/gtest.h>

#include "runtime/sim_world.hpp"
#include "storage/memory_store.hpp"

namespace ipfscluster::raft {
namespace {

PeerId peer(char fill) {
    return PeerId::from_bytes(Bytes("\x00\x24\x08\x01\x12\x20", 6) + Bytes(32, fill)).value();
}

class RaftLogStore : public testing::Test {
 protected:
    RaftLogStore() {
        storage::Batch batch;
        log.set_identity(batch, Bytes(kIncarnationBytes, 'i'));
        log.set_cluster_id(batch, Bytes(kClusterIdBytes, 'c'));
        log.found(batch, {{11, {peer('a'), 1, false}}, {12, {peer('b'), 1, false}}});
        EXPECT_TRUE(store.write(std::move(batch)));
    }
    void append(std::uint64_t from, std::uint64_t to, std::uint64_t term, std::size_t bytes = 1) {
        std::vector<LogEntry> entries;
        for (auto index = from; index <= to; ++index)
            entries.push_back({index, term, EntryType::normal, Bytes(bytes, 'd')});
        storage::Batch batch;
        log.append(batch, entries);
        ASSERT_TRUE(store.write(std::move(batch)));
    }
    void apply(std::uint64_t index) {
        storage::Batch batch;
        log.set_applied(batch, {index, log.term(index).value()});
        ASSERT_TRUE(store.write(std::move(batch)));
    }
    SimWorld world{1};
    storage::MemoryStore store{world};
    LogStore log{store};
};

TEST_F(RaftLogStore, an_import_leaves_nothing_but_its_digest_until_a_cluster_is_founded_or_joined) {
    append(2, 5, 1);
    const Bytes digest(32, 'd');
    storage::Batch batch;
    LogStore::prepare_import(batch, digest);
    ASSERT_TRUE(store.write(std::move(batch)));
    for (const bool founds : {true, false}) {
        LogStore imported(store);
        ASSERT_TRUE(imported.open());
        EXPECT_FALSE(imported.has_identity());
        EXPECT_TRUE(imported.members().empty());
        EXPECT_EQ(imported.last_index(), 0u);
        EXPECT_EQ(imported.imported(), digest);
        storage::Batch next;
        if (founds)
            imported.found(next, {{11, {peer('a'), 1, false}}});
        else
            imported.forget_import(next);
        ASSERT_TRUE(store.write(std::move(next)));
        LogStore after(store);
        ASSERT_TRUE(after.open());
        EXPECT_TRUE(after.imported().empty());
        EXPECT_EQ(after.members().size(), founds ? 1u : 0u);
        storage::Batch again;
        LogStore::prepare_import(again, digest);
        ASSERT_TRUE(store.write(std::move(again)));
    }
}

TEST_F(RaftLogStore, founders_start_behind_index_one) {
    EXPECT_EQ(log.first_index(), 2u);
    EXPECT_EQ(log.last_index(), 1u);
    EXPECT_EQ(log.term(1).value(), 1u);
    EXPECT_EQ(log.members(), (std::vector<Member>{{11, false}, {12, false}}));
    EXPECT_EQ(log.entries(1, 2, 100).error().kind, Kind::not_found);
    EXPECT_EQ(log.entries(2, 3, 100).error().kind, Kind::unavailable);
}

TEST_F(RaftLogStore, what_is_written_is_read_after_opening_again) {
    append(2, 3000, 1);
    append(2500, 2600, 2);
    apply(2000);
    LogStore again(store);
    ASSERT_TRUE(again.open());
    EXPECT_EQ(again.last_index(), 2600u);
    EXPECT_EQ(again.term(2499).value(), 1u);
    EXPECT_EQ(again.term(2500).value(), 2u);
    EXPECT_EQ(again.applied(), (Position{2000, 1}));
    EXPECT_EQ(again.hard_state().commit, 2000u) << "commit is never behind applied";
    EXPECT_EQ(again.nodes(), log.nodes());
    EXPECT_EQ(again.incarnation(), log.incarnation());
    EXPECT_EQ(again.entries(2499, 2502, 1000).value(), log.entries(2499, 2502, 1000).value());
}

TEST_F(RaftLogStore, entries_before_the_memory_tail_come_from_the_store) {
    append(2, 3000, 1);
    const auto early = log.entries(2, 6, 1000).value();
    ASSERT_EQ(early.size(), 4u);
    EXPECT_EQ(early[0].index, 2u);
    EXPECT_EQ(log.entries(2, 2000, 10).value().size(), 10u) << "bounded by bytes";
    EXPECT_EQ(log.entries(2, 2000, 0).value().size(), 1u) << "at least one";
}

TEST_F(RaftLogStore, compaction_keeps_the_term_of_the_cut) {
    append(2, 100, 3);
    apply(90);
    storage::Batch batch;
    ASSERT_TRUE(log.compact(batch, 80));
    ASSERT_TRUE(store.write(std::move(batch)));
    EXPECT_EQ(log.first_index(), 81u);
    EXPECT_EQ(log.term(80).value(), 3u);
    EXPECT_EQ(log.term(79).error().kind, Kind::not_found);
    LogStore again(store);
    ASSERT_TRUE(again.open());
    EXPECT_EQ(again.first_index(), 81u);
    EXPECT_EQ(again.last_index(), 100u);
}

TEST_F(RaftLogStore, a_snapshot_replaces_the_log) {
    append(2, 100, 1);
    storage::Batch batch;
    const SnapshotMeta snapshot{{500, 4}, make_conf_state({11, 13}, {14}), "token"};
    ASSERT_TRUE(log.install(batch, snapshot, {{13, {peer('x'), 40, false}}}, {}));
    ASSERT_TRUE(store.write(std::move(batch)));
    LogStore again(store);
    ASSERT_TRUE(again.open());
    EXPECT_EQ(again.first_index(), 501u);
    EXPECT_EQ(again.last_index(), 500u);
    EXPECT_EQ(again.applied(), (Position{500, 4}));
    EXPECT_EQ(again.members(), (std::vector<Member>{{11, false}, {13, false}, {14, true}}));
    EXPECT_EQ(again.nodes().at(13).peer, peer('x'));
    EXPECT_GE(again.hard_state().commit, 500u);
}

TEST_F(RaftLogStore, contradicting_rows_are_refused) {
    storage::Batch batch;
    Bytes applied;
    put_be64(applied, 50);
    put_be64(applied, 1);
    batch.put(storage::Family::raft_meta, "applied", applied);
    ASSERT_TRUE(store.write(std::move(batch)));
    LogStore again(store);
    auto opened = again.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, Kind::corrupt);
    EXPECT_NE(opened.error().text.find("applied 50"), std::string::npos) << opened.error().text;
}

TEST_F(RaftLogStore, wiping_leaves_nothing) {
    append(2, 10, 1);
    storage::Batch batch;
    LogStore::wipe(batch);
    ASSERT_TRUE(store.write(std::move(batch)));
    LogStore again(store);
    ASSERT_TRUE(again.open());
    EXPECT_FALSE(again.has_identity());
    EXPECT_EQ(again.last_index(), 0u);
}

}  // namespace
}  // namespace ipfscluster::raft
