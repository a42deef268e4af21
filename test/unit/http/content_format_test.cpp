// Ranges and tar headers.
#include <gtest/gtest.h>

#include <cstring>

#include "http/range.hpp"
#include "http/tar_format.hpp"

namespace ipfscluster::http {
namespace {

TEST(Range, forms_and_limits) {
    struct Row {
        std::string field;
        std::uint64_t size;
        RangeKind kind;
        ByteRange range;
    };
    const Row rows[] = {
        {"", 10, RangeKind::whole, {0, 10}},
        {"bytes=0-0", 10, RangeKind::part, {0, 1}},
        {"bytes=2-5", 10, RangeKind::part, {2, 4}},
        {"bytes=2-", 10, RangeKind::part, {2, 8}},
        {"bytes=2-99", 10, RangeKind::part, {2, 8}},
        {"bytes=-3", 10, RangeKind::part, {7, 3}},
        {"bytes=-30", 10, RangeKind::part, {0, 10}},
        {"bytes=10-", 10, RangeKind::unsatisfiable, {0, 0}},
        {"bytes=-0", 10, RangeKind::unsatisfiable, {0, 0}},
        {"bytes=0-", 0, RangeKind::unsatisfiable, {0, 0}},
        {"bytes=5-2", 10, RangeKind::whole, {0, 10}},
        {"bytes=0-1,3-4", 10, RangeKind::whole, {0, 10}},
        {"bytes=a-b", 10, RangeKind::whole, {0, 10}},
        {"bytes=-", 10, RangeKind::whole, {0, 10}},
        {"items=0-1", 10, RangeKind::whole, {0, 10}},
        {"bytes=99999999999999999999-", 10, RangeKind::whole, {0, 10}},
    };
    for (const auto& row : rows) {
        const auto answer = parse_range(row.field, row.size);
        EXPECT_EQ(answer.kind, row.kind) << row.field;
        EXPECT_EQ(answer.range, row.range) << row.field;
    }
}

TEST(Tar, a_short_name_fits_one_ustar_block) {
    const auto block = tar_header(TarType::file, "a.txt", 11);
    ASSERT_EQ(block.size(), 512u);
    EXPECT_STREQ(block.c_str(), "a.txt");
    EXPECT_EQ(block.substr(100, 8), std::string("0000644\0", 8));
    EXPECT_EQ(block.substr(124, 12), std::string("00000000013\0", 12));
    EXPECT_EQ(block[156], '0');
    EXPECT_EQ(block.substr(257, 8), std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i)
        sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
    EXPECT_EQ(std::stoul(block.substr(148, 6), nullptr, 8), sum);
}

TEST(Tar, a_directory_has_no_slash_at_its_end) {
    // Kubo's clients take an archive's root with one for a path, and refuse it.
    const auto block = tar_header(TarType::directory, "QmRoot", 0);
    EXPECT_STREQ(block.c_str(), "QmRoot");
    EXPECT_EQ(block[156], '5');
}

TEST(Tar, what_does_not_fit_goes_into_a_pax_header) {
    const std::string name(300, 'n');
    const auto blocks = tar_header(TarType::file, name, 9'000'000'000ULL);
    ASSERT_EQ(blocks.size(), 3 * 512u);
    EXPECT_EQ(blocks[156], 'x');
    EXPECT_EQ(std::string(blocks.c_str() + 512), "310 path=" + name + "\n19 size=9000000000\n");
    EXPECT_EQ(blocks[1024 + 156], '0');
    EXPECT_NE(tar_header(TarType::file, "€", 0).find("12 path=€\n"), std::string::npos);
    EXPECT_NE(tar_header(TarType::symlink, "l", 0, std::string(150, 't')).find("linkpath="),
              std::string::npos);
}

TEST(Tar, padding_fills_the_last_block) {
    EXPECT_EQ(tar_padding(0).size(), 0u);
    EXPECT_EQ(tar_padding(1).size(), 511u);
    EXPECT_EQ(tar_padding(512).size(), 0u);
    EXPECT_EQ(tar_end(), std::string(1024, '\0'));
    EXPECT_EQ(tar_damage("x").size(), 512u);
}

}  // namespace
}  // namespace ipfscluster::http
