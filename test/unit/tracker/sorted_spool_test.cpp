#include "tracker/sorted_spool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "support/temp_folder.hpp"

namespace ipfscluster::tracker {
namespace {

std::vector<Bytes> read_all(SortedSpool& spool, std::size_t at_a_time) {
    std::vector<Bytes> out;
    for (;;) {
        auto batch = spool.read(at_a_time);
        EXPECT_TRUE(batch) << batch.error().text;
        if (!batch || batch.value().empty()) return out;
        EXPECT_LE(batch.value().size(), at_a_time);
        for (auto& record : batch.value()) out.push_back(std::move(record));
    }
}

/// Records of 0 to `length_max` bytes of a small alphabet, so that some are equal or prefixes.
std::vector<Bytes> random_records(std::mt19937& random, std::size_t count, std::size_t length_max) {
    std::vector<Bytes> out(count);
    for (auto& record : out) {
        record.resize(random() % (length_max + 1));
        for (auto& c : record) c = static_cast<char>(random() % 3 == 0 ? 0xff : random() % 4);
    }
    return out;
}

TEST(SortedSpoolTest, what_comes_in_any_order_comes_out_sorted_and_once) {
    test::TempFolder folder;
    struct Case {
        std::size_t records, length_max, run_bytes;
        bool many_runs;
    };
    for (const auto& c : std::vector<Case>{{0, 8, 64, false},
                                           {1, 8, 64, false},
                                           {500, 6, kSpoolRunBytes, false},
                                           {3000, 6, 256, true},
                                           {20'000, 40, 4096, true},
                                           {300, kSpoolRecordMax, 2000, true}}) {
        std::mt19937 random(static_cast<std::uint32_t>(c.records));
        const auto records = random_records(random, c.records, c.length_max);
        SortedSpool spool(folder.path(), c.run_bytes);
        for (const auto& record : records) {
            if (spool.add(record)) {
                ASSERT_TRUE(spool.write_run());
            }
        }
        ASSERT_TRUE(spool.finish());
        EXPECT_EQ(spool.runs() > 10, c.many_runs) << c.records;
        const auto read = read_all(spool, 1 + random() % 700);
        const std::set<Bytes> expected(records.begin(), records.end());
        EXPECT_TRUE(std::equal(read.begin(), read.end(), expected.begin(), expected.end()))
            << c.records << " records, " << read.size() << " read, wanted " << expected.size();
        EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the file must have no name";
    }
}

TEST(SortedSpoolTest, folder_that_is_not_there_is_named) {
    SortedSpool spool("/nowhere/at/all", 16);
    EXPECT_TRUE(spool.add("a record that fills it"));
    const auto written = spool.write_run();
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().text.find("/nowhere/at/all"), std::string::npos)
        << written.error().text;
}

}  // namespace
}  // namespace ipfscluster::tracker
