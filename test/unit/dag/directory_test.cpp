#include <gtest/gtest.h>

#include <set>

#include "content.hpp"
#include "dag/dag_walk.hpp"
#include "dag/directory_reader.hpp"
#include "dag/links.hpp"
#include "dag/path_resolver.hpp"
#include "memory_blocks.hpp"

namespace ipfscluster::dag {
namespace {

Async<std::vector<DirectoryEntry>> list(BlockReader& blocks, Cid root) {
    ICL_CO_TRY(auto reader, co_await DirectoryReader::open(blocks, root));
    std::vector<DirectoryEntry> out;
    while (true) {
        ICL_CO_TRY(auto entry, co_await reader->next());
        if (!entry) co_return std::move(out);
        out.push_back(std::move(*entry));
    }
}

DagNodeInfo import_directory(MemoryBlocks& blocks, int count) {
    Importer importer(check_import({}).value(), blocks);
    for (int i = 0; i < count; ++i) {
        EXPECT_TRUE(importer.begin_file("top/entry-" + std::to_string(i)));
        EXPECT_TRUE(importer.write(std::to_string(i)));
        EXPECT_TRUE(importer.end_file());
    }
    return importer.finish().value();
}

class Directories : public testing::TestWithParam<int> {};

TEST_P(Directories, list_and_resolve_every_entry) {
    MemoryBlocks blocks;
    const auto root = import_directory(blocks, GetParam());
    std::map<std::string, Cid> added;
    for (const auto& entry : blocks.entries)
        if (entry.name != "top") added[entry.name.substr(4)] = entry.cid;
    ASSERT_EQ(added.size(), static_cast<std::size_t>(GetParam()));

    const auto listed = run(list(blocks, root.cid)).value();
    EXPECT_EQ(listed.size(), added.size());
    for (const auto& entry : listed) EXPECT_EQ(added[entry.name], entry.cid) << entry.name;

    for (const auto& [name, cid] : added) {
        const auto found = run(resolve_path(blocks, {root.cid, {name}}));
        ASSERT_TRUE(found) << found.error().text;
        EXPECT_EQ(found.value().cid, cid);
    }
    const auto missing = run(resolve_path(blocks, {root.cid, {"nothing"}}));
    EXPECT_EQ(missing.error().kind, Kind::not_found);
    EXPECT_NE(missing.error().text.find("\"nothing\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(basic_and_hamt, Directories, testing::Values(1, 100, 20'000));

TEST(Paths, are_split_into_root_and_names) {
    const std::string cid = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    const auto path = parse_ipfs_path("/ipfs/" + cid + "/a//b%20c/").value();
    EXPECT_EQ(path.root.to_string(), cid);
    EXPECT_EQ(path.segments, (std::vector<std::string>{"a", "b%20c"}));
    EXPECT_TRUE(parse_ipfs_path(cid).value().segments.empty());
    EXPECT_EQ(parse_ipfs_path("/ipns/x").error().kind, Kind::unsupported);
    EXPECT_EQ(parse_ipfs_path("/ipld/" + cid + "/").value().root.to_string(), cid);
    EXPECT_EQ(parse_ipfs_path("/ipld/" + cid + "/a").error().kind, Kind::unsupported);
    EXPECT_EQ(parse_ipfs_path("/ipld/nonsense").error().kind, Kind::invalid);
    EXPECT_EQ(parse_ipfs_path("/other/" + cid).error().kind, Kind::invalid);
    EXPECT_EQ(parse_ipfs_path("/ipfs/nonsense").error().kind, Kind::invalid);
}

TEST(Paths, go_through_nested_directories_and_stop_at_files) {
    MemoryBlocks blocks;
    Importer importer(check_import({}).value(), blocks);
    ASSERT_TRUE(importer.begin_file("top/a/b/file"));
    ASSERT_TRUE(importer.write("content"));
    ASSERT_TRUE(importer.end_file());
    ASSERT_TRUE(importer.add_symlink("top/link", "a/b"));
    const auto root = importer.finish().value();
    EXPECT_EQ(run(resolve_path(blocks, {root.cid, {"a", "b", "file"}})).value().node.data,
              "content");
    const auto link = run(resolve_path(blocks, {root.cid, {"link"}})).value();
    EXPECT_EQ(link.node.type, NodeView::Type::symlink);
    EXPECT_EQ(link.node.data, "a/b");
    EXPECT_EQ(run(resolve_path(blocks, {root.cid, {"a", "b", "file", "x"}})).error().kind,
              Kind::not_found);
    EXPECT_EQ(run(list(blocks, link.cid)).error().kind, Kind::invalid);
}

/// Walks with up to `window` blocks outstanding, which arrive last first.
Result<std::multiset<Cid>> walk(const MemoryBlocks& blocks, DagWalk plan, std::size_t window) {
    std::multiset<Cid> seen;
    std::vector<DagWalk::Step> outstanding;
    while (!plan.done()) {
        while (outstanding.size() < window) {
            auto step = plan.next();
            if (!step) break;
            outstanding.push_back(*step);
        }
        const auto step = outstanding.back();
        outstanding.pop_back();
        seen.insert(step.cid);
        ICL_TRY(plan.arrived(step, blocks.blocks.at(step.cid)));
        if (outstanding.empty()) {
            auto more = plan.next();
            if (more) outstanding.push_back(*more);
        }
    }
    return seen;
}

TEST(Walking, visits_every_block_of_an_import) {
    for (const std::size_t window : {1u, 7u}) {
        MemoryBlocks blocks;
        const auto root = import_directory(blocks, 6'000);
        const auto seen = walk(blocks, DagWalk(root.cid), window).value();
        EXPECT_EQ(seen.size(), blocks.blocks.size());
        for (const auto& [cid, data] : blocks.blocks) EXPECT_EQ(seen.count(cid), 1u);
    }
}

TEST(Walking, expands_a_shared_node_once_and_runs_of_one_link_once) {
    MemoryBlocks blocks;
    const auto root = import_bytes(blocks, {.chunker = "size-1"}, Bytes(174 * 174 * 3, '\0'));
    const auto seen = walk(blocks, DagWalk(root.cid), 1).value();
    EXPECT_EQ(blocks.blocks.size(), 4u);  // leaf, node over leaves, node over those, root
    EXPECT_EQ(seen.size(), 4u);
}

TEST(Walking, stops_at_the_depth_asked_for) {
    MemoryBlocks blocks;
    const auto root = import_bytes(blocks, {.chunker = "size-1"}, Content(3).take(1000));
    EXPECT_EQ(walk(blocks, DagWalk(root.cid, 0), 1).value().size(), 1u);
    EXPECT_EQ(walk(blocks, DagWalk(root.cid, 1), 1).value().size(), 7u);
}

TEST(Walking, a_node_met_again_nearer_to_the_root_is_expanded_further) {
    MemoryBlocks blocks;
    const auto leaf = blocks.put(Codec::raw, "leaf");
    const auto inner = blocks.put(Codec::dag_pb, encode_dag_pb({{leaf, "", 4}}, ""));
    const auto outer = blocks.put(Codec::dag_pb, encode_dag_pb({{inner, "", 4}}, ""));
    const auto root =
        blocks.put(Codec::dag_pb, encode_dag_pb({{outer, "a", 4}, {inner, "b", 4}}, ""));
    EXPECT_EQ(walk(blocks, DagWalk(root, 2), 1).value().count(leaf), 1u);
}

TEST(Walking, refuses_codecs_it_cannot_follow) {
    EXPECT_EQ(
        child_links(CidBuilder{1, HashCode::sha2_256}.make(Codec::libp2p_key, "{}").value(), "{}")
            .error()
            .kind,
        Kind::unsupported);
}

}  // namespace
}  // namespace ipfscluster::dag
