#include "tracker/no_room.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster::tracker {
namespace {

using namespace std::chrono_literals;
using Cids = std::vector<Cid>;
using test::cid;

const SteadyTime kStart{};

TEST(NoRoom, counts_from_the_first_failure_in_a_row) {
    NoRoom table;
    table.failed(cid(1), kStart + 1s);
    table.failed(cid(1), kStart + 50s);
    EXPECT_EQ(table.since(kStart), Cids{});
    EXPECT_EQ(table.since(kStart + 1s), Cids{cid(1)});
    table.ended(cid(1));
    EXPECT_EQ(table.since(kStart + 60s), Cids{});
    table.failed(cid(1), kStart + 70s);
    EXPECT_EQ(table.since(kStart + 60s), Cids{});
}

TEST(NoRoom, remembers_so_many_and_others_when_these_are_gone) {
    NoRoom table;
    for (std::size_t i = 0; i <= kNoRoomMax; ++i) table.failed(cid(static_cast<int>(i)), kStart);
    EXPECT_EQ(table.since(kStart - 1s).size(), 0u);
    table.failed(cid(-1), kStart + 2s);
    EXPECT_EQ(table.since(kStart).size(), kNoRoomMax) << "none of them was told of before";
    table.failed(cid(-1), kStart + 2s);
    EXPECT_EQ(table.since(kStart).size(), kNoRoomMax - 1) << "these are";
    table.ended(cid(-1));
    table.ended(table.since(kStart).front());
    table.failed(cid(static_cast<int>(kNoRoomMax)), kStart);
    EXPECT_EQ(table.since(kStart).size(), kNoRoomMax - 1);
}

}  // namespace
}  // namespace ipfscluster::tracker
