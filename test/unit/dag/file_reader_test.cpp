#include "dag/file_reader.hpp"

#include <gtest/gtest.h>

#include "content.hpp"
#include "dag/unixfs.hpp"
#include "memory_blocks.hpp"

namespace ipfscluster::dag {
namespace {

Async<Bytes> read_all(BlockReader& blocks, Cid root, ByteRange range) {
    ICL_CO_TRY(auto reader, co_await FileReader::open(blocks, root, range));
    Bytes out;
    while (true) {
        ICL_CO_TRY(auto piece, co_await reader->next());
        if (!piece) co_return std::move(out);
        EXPECT_FALSE(piece->empty());
        out += *piece;
    }
}

struct Shape {
    const char* name;
    ImportRequest request;
    std::size_t size;
};

class ReadingFiles : public testing::TestWithParam<Shape> {};

TEST_P(ReadingFiles, gives_back_every_range) {
    const auto& shape = GetParam();
    MemoryBlocks blocks;
    const auto content = Content(9).take(shape.size);
    const auto root = import_bytes(blocks, shape.request, content);
    EXPECT_EQ(run(read_all(blocks, root.cid, {})).value(), content);

    const std::uint64_t size = content.size();
    for (const auto offset :
         {std::uint64_t{0}, size / 3, size / 2, size - std::min<std::uint64_t>(size, 1), size})
        for (const auto length :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{999}, size / 2, size + 5}) {
            const auto part = run(read_all(blocks, root.cid, {offset, length}));
            ASSERT_TRUE(part) << part.error().text;
            EXPECT_EQ(part.value(), content.substr(offset, length)) << offset << "+" << length;
        }
}

INSTANTIATE_TEST_SUITE_P(
    shapes, ReadingFiles,
    testing::Values(Shape{"empty", {}, 0}, Shape{"empty_raw", {.cid_version = 1}, 0},
                    Shape{"one_leaf", {}, 1000}, Shape{"raw_leaf", {.cid_version = 1}, 1000},
                    Shape{"two_levels", {.chunker = "size-100"}, 100'001},
                    Shape{"raw_two_levels", {.chunker = "size-100", .cid_version = 1}, 100'000},
                    Shape{"trickle", {.chunker = "size-10", .layout = "trickle"}, 50'003},
                    Shape{"empty_trickle", {.layout = "trickle"}, 0},
                    Shape{"rabin", {.chunker = "rabin-16-512-1024"}, 80'000}),
    [](const auto& shape) { return shape.param.name; });

TEST(ReadingFiles, a_range_reads_only_the_blocks_on_its_way) {
    MemoryBlocks blocks;
    const auto content = Content(1).take(174 * 174 * 10);
    const auto root = import_bytes(blocks, {.chunker = "size-10"}, content);
    EXPECT_EQ(run(read_all(blocks, root.cid, {200'005, 10})).value(), content.substr(200'005, 10));
    EXPECT_EQ(blocks.reads.size(), 4u);   // root, one inner node, two leaves
    EXPECT_EQ(blocks.hinted.size(), 1u);  // the second leaf
}

TEST(ReadingFiles, hints_every_further_block_once_and_before_its_turn) {
    MemoryBlocks blocks;
    const auto content = Content(1).take(1000);
    const auto root = import_bytes(blocks, {.chunker = "size-10"}, content);
    ASSERT_TRUE(run(read_all(blocks, root.cid, {})));
    // Reads: the root and 100 leaves; the first leaf is read at once, the others were hinted.
    ASSERT_EQ(blocks.reads.size(), 101u);
    EXPECT_EQ(blocks.hinted, std::vector<Cid>(blocks.reads.begin() + 2, blocks.reads.end()));
}

TEST(ReadingFiles, refuses_a_range_beyond_the_end_and_what_is_no_file) {
    MemoryBlocks blocks;
    const auto root = import_bytes(blocks, {}, "abc");
    EXPECT_EQ(run(read_all(blocks, root.cid, {4, 1})).error().kind, Kind::invalid);
    const auto directory =
        blocks.put(Codec::dag_pb,
                   encode_dag_pb({}, encode_unixfs({UnixfsType::directory, {}, {}, {}, {}, {}})));
    EXPECT_EQ(run(read_all(blocks, directory, {})).error().kind, Kind::invalid);
}

TEST(ReadingFiles, reports_a_missing_block) {
    MemoryBlocks blocks;
    const auto root = import_bytes(blocks, {.chunker = "size-10"}, Content(1).take(100));
    std::erase_if(blocks.blocks, [&](const auto& b) { return b.first != root.cid; });
    EXPECT_EQ(run(read_all(blocks, root.cid, {})).error().kind, Kind::not_found);
}

TEST(ReadingFiles, a_parent_that_lies_about_a_child_is_corrupt) {
    MemoryBlocks blocks;
    const auto leaf = blocks.put(Codec::raw, "12345");
    UnixfsData message;
    message.block_sizes = {6};
    message.file_size = 6;
    const auto root =
        blocks.put(Codec::dag_pb, encode_dag_pb({{leaf, "", 5}}, encode_unixfs(message)));
    EXPECT_EQ(run(read_all(blocks, root, {})).error().kind, Kind::corrupt);
}

TEST(ReadingFiles, content_beside_links_comes_first) {
    MemoryBlocks blocks;
    const auto leaf = blocks.put(Codec::raw, "world");
    UnixfsData message;
    message.data = "hello ";
    message.block_sizes = {5};
    message.file_size = 11;
    const auto root =
        blocks.put(Codec::dag_pb, encode_dag_pb({{leaf, "", 5}}, encode_unixfs(message)));
    EXPECT_EQ(run(read_all(blocks, root, {})).value(), "hello world");
    EXPECT_EQ(run(read_all(blocks, root, {4, 4})).value(), "o wo");
    EXPECT_EQ(run(read_all(blocks, root, {7, {}})).value(), "orld");
}

}  // namespace
}  // namespace ipfscluster::dag
