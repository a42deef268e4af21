#include "consensus/raft/log_bytes.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::raft {
namespace {

constexpr std::uint64_t kEntry = 256 * 1024;

class RaftLogBytes : public testing::Test {
 protected:
    void append(std::uint64_t from, std::uint64_t to) {
        for (auto index = from; index <= to; ++index) bytes.append(index, kEntry);
    }
    LogBytes bytes;
};

TEST_F(RaftLogBytes, the_end_of_the_log_is_found_by_bytes) {
    append(11, 110);
    EXPECT_EQ(bytes.total(), 100 * kEntry);
    EXPECT_EQ(bytes.index_leaving(100 * kEntry), 0u);
    const auto index = bytes.index_leaving(40 * kEntry);
    EXPECT_GE(index, 70u) << "no more than that stands behind it";
    EXPECT_LE(index, 74u) << "and not much less";
    EXPECT_EQ(bytes.index_leaving(0), 110u);
}

TEST_F(RaftLogBytes, what_is_dropped_counts_no_longer) {
    append(11, 110);
    bytes.drop_to(bytes.index_leaving(40 * kEntry));
    EXPECT_EQ(bytes.total(), 40 * kEntry);
    bytes.drop_to(110);
    EXPECT_EQ(bytes.total(), 0u);
    append(111, 112);
    EXPECT_EQ(bytes.total(), 2 * kEntry);
    bytes.clear();
    EXPECT_EQ(bytes.total(), 0u);
}

TEST_F(RaftLogBytes, what_is_replaced_counts_once) {
    append(11, 110);
    bytes.cut(31);
    EXPECT_EQ(bytes.total(), 20 * kEntry);
    append(31, 110);
    EXPECT_EQ(bytes.total(), 100 * kEntry);
    // Within a run the rest of it counts until it is dropped.
    bytes.cut(110);
    append(110, 110);
    EXPECT_GE(bytes.total(), 100 * kEntry);
    EXPECT_LE(bytes.total(), 104 * kEntry);
    EXPECT_EQ(bytes.index_leaving(0), 110u);
    bytes.cut(11);
    bytes.drop_to(10);
    EXPECT_LE(bytes.total(), 4 * kEntry);
}

}  // namespace
}  // namespace ipfscluster::raft
