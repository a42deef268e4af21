#include "adder/block_fanout.hpp"

#include <gtest/gtest.h>

#include "support/drive.hpp"
#include "support/fake_blocks.hpp"
#include "support/pins.hpp"

namespace ipfscluster::adder {
namespace {

using namespace std::chrono_literals;
using test::drive;
using test::FakeBlocks;

constexpr std::size_t kBlockBytes = 256 * 1024;

struct BlockFanoutTest : ::testing::Test {
    ~BlockFanoutTest() override {
        if (fanout) ICL_EXPECT_OK(drive<void>(world, fanout->stop()));
    }
    void make(int destinations) {
        std::vector<Destination> list;
        for (int i = 0; i < destinations; ++i) {
            places.push_back(std::make_shared<FakeBlocks>(world));
            list.push_back(
                {test::peer(i), std::make_unique<test::FakeBlockSession>(places.back())});
        }
        fanout = std::make_unique<BlockFanout>(world, std::move(list));
    }
    Result<> put(int number, std::size_t bytes = kBlockBytes) {
        return drive<void>(world, fanout->put(test::cid(number), Bytes(bytes, 'x')));
    }
    SimWorld world{1};
    std::vector<std::shared_ptr<FakeBlocks>> places;
    std::unique_ptr<BlockFanout> fanout;
};

TEST_F(BlockFanoutTest, every_destination_gets_every_block_and_confirms) {
    make(3);
    for (int i = 0; i < 40; ++i) ICL_EXPECT_OK(put(i));
    const auto confirmed = drive<std::vector<PeerId>>(world, fanout->commit());
    ASSERT_TRUE(confirmed);
    EXPECT_EQ(confirmed.value(),
              (std::vector<PeerId>{test::peer(0), test::peer(1), test::peer(2)}));
    for (const auto& place : places) {
        EXPECT_EQ(place->blocks.size(), 40u);
        EXPECT_EQ(place->committed, 1);
    }
    EXPECT_EQ(fanout->failures(), "");
}

TEST_F(BlockFanoutTest, no_more_than_the_bound_waits_for_a_slow_destination) {
    make(2);
    places[1]->hold_puts = true;
    int accepted = 0;
    std::shared_ptr<std::optional<Result<>>> waiting;
    for (int i = 0; i < 100; ++i) {
        waiting = test::start<void>(world, fanout->put(test::cid(i), Bytes(kBlockBytes, 'x')));
        world.run_for(1ms);
        if (!waiting->has_value()) break;
        ++accepted;
    }
    ASSERT_FALSE(waiting->has_value());
    EXPECT_EQ(static_cast<std::size_t>(accepted), kOutstandingBytesMax / kBlockBytes);
    EXPECT_EQ(places[0]->blocks.size(), static_cast<std::size_t>(accepted) + 1)
        << "the others go on";
    // As soon as the slow one has taken a block there is room again.
    places[1]->release();
    world.run_for(1ms);
    ASSERT_TRUE(waiting->has_value());
    ICL_EXPECT_OK(**waiting);
    EXPECT_EQ(drive<std::vector<PeerId>>(world, fanout->commit()).value().size(), 2u);
}

TEST_F(BlockFanoutTest, a_failing_destination_is_left_out_with_its_reason) {
    make(3);
    places[1]->put_error = "disk full on two";
    places[1]->puts_before_error = 3;
    places[2]->commit_error = "sync failed on three";
    for (int i = 0; i < 10; ++i) ICL_EXPECT_OK(put(i));
    const auto confirmed = drive<std::vector<PeerId>>(world, fanout->commit());
    ASSERT_TRUE(confirmed);
    EXPECT_EQ(confirmed.value(), std::vector<PeerId>{test::peer(0)});
    EXPECT_EQ(fanout->failures(), test::peer(1).to_string() + ": disk full on two; " +
                                      test::peer(2).to_string() + ": sync failed on three");
    EXPECT_EQ(places[1]->committed, 0);
}

TEST_F(BlockFanoutTest, a_destination_that_takes_nothing_is_given_up_while_blocks_come) {
    make(2);
    places[1]->hold_puts = true;
    const auto start = world.steady_now();
    for (int i = 0; i < 30; ++i) ICL_EXPECT_OK(put(i));
    const auto took = world.steady_now() - start;
    EXPECT_GE(took, kDestinationStallMax);
    EXPECT_LT(took, 2 * kDestinationStallMax);
    EXPECT_EQ(drive<std::vector<PeerId>>(world, fanout->commit()).value(),
              std::vector<PeerId>{test::peer(0)});
    EXPECT_NE(fanout->failures().find("took no block for 30s"), std::string::npos)
        << fanout->failures();
}

TEST_F(BlockFanoutTest, a_destination_that_hangs_at_the_end_is_given_up_too) {
    make(3);
    places[1]->hold_puts = true;
    places[2]->hold_commit = true;
    for (int i = 0; i < 3; ++i) ICL_EXPECT_OK(put(i));
    const auto confirmed = drive<std::vector<PeerId>>(world, fanout->commit(), 10min);
    ASSERT_TRUE(confirmed) << confirmed.error().text;
    EXPECT_EQ(confirmed.value(), std::vector<PeerId>{test::peer(0)});
}

TEST_F(BlockFanoutTest, a_slow_destination_that_makes_progress_is_kept) {
    make(2);
    places[1]->put_time = 20s;
    for (int i = 0; i < 40; ++i) ICL_EXPECT_OK(put(i));
    EXPECT_EQ(drive<std::vector<PeerId>>(world, fanout->commit()).value().size(), 2u);
    EXPECT_EQ(places[1]->blocks.size(), 40u);
}

TEST_F(BlockFanoutTest, a_pause_of_the_upload_is_not_a_stall_of_a_destination) {
    make(2);
    places[1]->put_time = 100ms;
    int sent = 0;
    for (int burst = 0; burst < 3; ++burst) {
        for (int i = 0; i < 40; ++i) ICL_EXPECT_OK(put(sent++));
        world.run_for(kDestinationStallMax + 10s);
    }
    EXPECT_EQ(drive<std::vector<PeerId>>(world, fanout->commit()).value().size(), 2u)
        << fanout->failures();
    EXPECT_EQ(places[1]->blocks.size(), 120u);
}

TEST_F(BlockFanoutTest, a_pause_before_the_end_is_not_a_stall_either) {
    make(3);
    ICL_EXPECT_OK(put(0));
    world.run_for(kDestinationStallMax + 10s);
    places[1]->hold_commit = places[2]->hold_commit = true;
    const auto committed = test::start<std::vector<PeerId>>(world, fanout->commit());
    world.run_for(kDestinationStallMax - 1s);
    places[1]->release();
    places[2]->release();
    world.run_for(1ms);
    ASSERT_TRUE(committed->has_value());
    EXPECT_EQ((*committed)->value().size(), 3u) << fanout->failures();
}

TEST_F(BlockFanoutTest, no_destination_left_is_an_error_with_each_reason) {
    make(2);
    places[0]->put_error = "first";
    places[1]->put_error = "second";
    ICL_EXPECT_OK(put(0));
    world.run_for(1ms);
    const auto failed = put(1);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, Kind::unavailable);
    for (const auto* part : {"first", "second"})
        EXPECT_NE(failed.error().text.find(part), std::string::npos) << failed.error().text;
    const auto confirmed = drive<std::vector<PeerId>>(world, fanout->commit());
    ASSERT_FALSE(confirmed);
    EXPECT_EQ(confirmed.error().kind, Kind::unavailable);
}

TEST_F(BlockFanoutTest, stopping_cancels_what_runs_and_commits_nothing) {
    make(2);
    places[0]->hold_puts = true;
    ICL_EXPECT_OK(put(0));
    ICL_EXPECT_OK(drive<void>(world, fanout->stop(), 1s));
    fanout.reset();
    for (const auto& place : places) {
        EXPECT_EQ(place->committed, 0);
        EXPECT_EQ(place->sessions, 0);
    }
}

}  // namespace
}  // namespace ipfscluster::adder
