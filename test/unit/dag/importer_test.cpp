#include "dag/importer.hpp"

#include <gtest/gtest.h>

#include "content.hpp"
#include "memory_blocks.hpp"

namespace ipfscluster::dag {
namespace {

Result<> add(Importer& importer, std::string_view path, BytesView content = "x") {
    ICL_TRY(importer.begin_file(path));
    ICL_TRY(importer.write(content));
    return importer.end_file();
}

std::vector<std::string> names(const MemoryBlocks& blocks) {
    std::vector<std::string> out;
    for (const auto& entry : blocks.entries) out.push_back(entry.name);
    return out;
}

using Names = std::vector<std::string>;

TEST(Importer, reports_files_as_they_end_and_directories_children_first_sorted_root_last) {
    MemoryBlocks blocks;
    Importer importer(check_import({}).value(), blocks);
    for (const auto* path : {"docs/z/1", "docs/b/c/2", "docs/b/3", "docs/4"})
        ASSERT_TRUE(add(importer, path));
    const auto root = importer.finish().value();
    EXPECT_EQ(names(blocks), (Names{"docs/z/1", "docs/b/c/2", "docs/b/3", "docs/4", "docs/b/c",
                                    "docs/b", "docs/z", "docs"}));
    EXPECT_EQ(blocks.entries.back().cid, root.cid);
    EXPECT_EQ(blocks.entries.back().size, root.tsize);
}

TEST(Importer, gives_each_top_entry_its_own_root_and_the_last_one_wins) {
    MemoryBlocks blocks;
    Importer importer(check_import({}).value(), blocks);
    ASSERT_TRUE(add(importer, "one/a"));
    ASSERT_TRUE(add(importer, "two"));
    ASSERT_TRUE(add(importer, "three/a/b"));
    const auto root = importer.finish().value();
    EXPECT_EQ(names(blocks), (Names{"one/a", "one", "two", "three/a/b", "three/a", "three"}));
    EXPECT_EQ(root.cid, blocks.entries.back().cid);
}

TEST(Importer, wraps_all_top_entries_in_an_unnamed_directory) {
    MemoryBlocks blocks;
    Importer importer(check_import({.wrap_with_directory = true}).value(), blocks);
    ASSERT_TRUE(add(importer, "one/a"));
    ASSERT_TRUE(add(importer, "two"));
    ASSERT_TRUE(importer.finish());
    EXPECT_EQ(names(blocks), (Names{"one/a", "two", "one", ""}));
}

TEST(Importer, cleans_paths_and_takes_directories_named_before_or_not_at_all) {
    MemoryBlocks once;
    MemoryBlocks again;
    Importer plain(check_import({}).value(), once);
    ASSERT_TRUE(add(plain, "docs/a/b"));
    Importer odd(check_import({}).value(), again);
    ASSERT_TRUE(odd.add_directory("/docs"));
    ASSERT_TRUE(odd.add_directory("../docs/./a/"));
    ASSERT_TRUE(add(odd, "//docs/x/../a//b"));
    EXPECT_EQ(plain.finish().value().cid, odd.finish().value().cid);
    EXPECT_EQ(names(once), names(again));
}

TEST(Importer, reports_progress_below_the_top_entry) {
    MemoryBlocks blocks;
    Importer importer(check_import({.progress = true}).value(), blocks);
    ASSERT_TRUE(importer.begin_file("docs/a.bin"));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(importer.write(Bytes(200'000, 'x')));
    }
    ASSERT_TRUE(importer.end_file());
    ASSERT_TRUE(importer.finish());
    ASSERT_EQ(blocks.entries.size(), 4u);
    EXPECT_EQ(blocks.entries[0].name, "a.bin");
    EXPECT_FALSE(blocks.entries[0].cid.defined());
    EXPECT_EQ(blocks.entries[0].bytes, 400'000u);
    EXPECT_EQ(blocks.entries[1].bytes, 600'000u);
    EXPECT_EQ(blocks.entries[2].name, "docs/a.bin");
}

TEST(Importer, a_file_without_a_name_goes_by_its_cid) {
    MemoryBlocks blocks;
    Importer importer(check_import({.progress = true}).value(), blocks);
    ASSERT_TRUE(add(importer, ""));
    ASSERT_TRUE(importer.finish());
    EXPECT_EQ(blocks.entries[0].name, "");
    EXPECT_EQ(blocks.entries[1].name, blocks.entries[1].cid.to_string());
}

TEST(Importer, refuses_twice_the_same_name_and_directories_in_pieces) {
    MemoryBlocks blocks;
    Importer twice(check_import({}).value(), blocks);
    ASSERT_TRUE(add(twice, "docs/a"));
    ASSERT_TRUE(add(twice, "docs/a"));
    const auto error = twice.finish().error();
    EXPECT_EQ(error.kind, Kind::invalid);
    EXPECT_NE(error.text.find("\"a\""), std::string::npos) << error.text;

    Importer pieces(check_import({}).value(), blocks);
    ASSERT_TRUE(add(pieces, "docs/a"));
    ASSERT_TRUE(add(pieces, "other/a"));
    EXPECT_EQ(add(pieces, "docs/b").error().kind, Kind::invalid);

    Importer nested(check_import({}).value(), blocks);
    ASSERT_TRUE(add(nested, "top/docs/a"));
    ASSERT_TRUE(add(nested, "top/other/a"));
    ASSERT_TRUE(add(nested, "top/docs/b"));
    EXPECT_EQ(nested.finish().error().kind, Kind::invalid);
}

TEST(Importer, refuses_an_import_of_nothing_and_bad_names) {
    MemoryBlocks blocks;
    EXPECT_EQ(Importer(check_import({}).value(), blocks).finish().error().kind, Kind::invalid);
    Importer importer(check_import({}).value(), blocks);
    EXPECT_EQ(importer.add_directory("/").error().kind, Kind::invalid);
    ASSERT_TRUE(importer.begin_file("docs/" + Bytes(kEntryNameBytesMax + 1, 'a')));
    EXPECT_EQ(importer.end_file().error().kind, Kind::invalid);
}

TEST(Importer, passes_on_the_error_of_its_sink) {
    class FullSink final : public ImportSink {
     public:
        Result<> on_block(Block&&) override { return fail(Kind::disk_full, "no room"); }
        Result<> on_entry(AddedEntry&&) override { return ok(); }
    } sink;
    Importer importer(check_import({}).value(), sink);
    ASSERT_TRUE(importer.begin_file("a"));
    EXPECT_EQ(importer.write(Bytes(300'000, 'x')).error().kind, Kind::disk_full);
}

TEST(Importer, a_write_makes_blocks_of_little_more_than_its_size) {
    class BurstSink final : public ImportSink {
     public:
        Result<> on_block(Block&& block) override {
            burst += block.data.size();
            return ok();
        }
        Result<> on_entry(AddedEntry&&) override { return ok(); }
        std::size_t burst = 0;
    } sink;
    Importer importer(check_import({}).value(), sink);
    ASSERT_TRUE(importer.begin_file("a"));
    Content content(1);
    for (int i = 0; i < 400; ++i) {
        sink.burst = 0;
        ASSERT_TRUE(importer.write(content.take(256u << 10)));
        EXPECT_LT(sink.burst, 300u << 10);
    }
    ASSERT_TRUE(importer.end_file());
}

TEST(ImportOptions, have_the_defaults_of_the_original) {
    const auto options = check_import({}).value();
    EXPECT_EQ(options.file.chunker, (ChunkerSpec{ChunkerSpec::Kind::size, 0, 262'144, 0}));
    EXPECT_FALSE(options.file.raw_leaves);
    EXPECT_TRUE(check_import({.cid_version = 1}).value().file.raw_leaves);
    EXPECT_FALSE(check_import({.cid_version = 1, .raw_leaves = false}).value().file.raw_leaves);
    EXPECT_TRUE(check_import({.hash = "SHA2-512", .cid_version = 1}));
}

struct BadOption {
    ImportRequest request;
    const char* named;
};

TEST(ImportOptions, name_the_one_that_is_wrong) {
    const BadOption cases[] = {
        {{.chunker = "size-0"}, "size-0"},
        {{.chunker = "size-"}, "size-"},
        {{.chunker = "size-1x"}, "size-1x"},
        {{.chunker = "size-2096897"}, "2096896"},
        {{.chunker = "rabin-2096896"}, "2096896"},
        {{.chunker = "rabin-15-30-60"}, "minimum"},
        {{.chunker = "rabin-30-30-60"}, "average"},
        {{.chunker = "rabin-20-70-60"}, "maximum"},
        {{.chunker = "rabin-20-30-2096897"}, "2096896"},
        {{.chunker = "rabin-1-2"}, "rabin-1-2"},
        {{.chunker = "rabin-47"}, "minimum"},
        {{.chunker = "buzz"}, "buzz"},
        {{.layout = "flat"}, "layout"},
        {{.hash = "md9"}, "md9"},
        {{.hash = "identity", .cid_version = 1}, "identity"},
        {{.hash = "sha2-512"}, "cid-version"},
        {{.cid_version = 2}, "cid-version"},
    };
    for (const auto& bad : cases) {
        const auto options = check_import(bad.request);
        ASSERT_FALSE(options) << bad.named;
        EXPECT_EQ(options.error().kind, Kind::invalid);
        EXPECT_NE(options.error().text.find(bad.named), std::string::npos) << options.error().text;
    }
}

}  // namespace
}  // namespace ipfscluster::dag
