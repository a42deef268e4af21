#include "tracker/handful_size.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::tracker {
namespace {

using namespace std::chrono_literals;

struct HandfulSizeTest : ::testing::Test {
    HandfulSize size{32};

    void alone(std::uint64_t times, Duration took = 1ms) {
        for (; times > 0; --times) size.ended_well(1, took);
    }
    void grow_to(std::size_t most) {
        alone(kProofMax);
        while (size.most() < most) size.ended_well(size.most(), 1ms);
    }
};

TEST_F(HandfulSizeTest, pins_are_told_alone_until_many_were_there_at_once) {
    EXPECT_EQ(size.most(), 1u);
    alone(kProofFirst - 1);
    EXPECT_EQ(size.most(), 1u);
    alone(1);
    EXPECT_EQ(size.most(), 2u);
    alone(100);
    EXPECT_EQ(size.most(), 2u) << "pins that are told alone prove nothing of larger calls";
}

TEST_F(HandfulSizeTest, one_that_had_to_be_looked_for_begins_the_proof_anew) {
    for (int i = 0; i < 20; ++i) {
        alone(kProofFirst - 1);
        alone(1, kTogetherLimit / 4 + 1ms);
    }
    EXPECT_EQ(size.most(), 1u);
}

TEST_F(HandfulSizeTest, grows_as_far_as_the_daemon_is_quick) {
    grow_to(32);
    size.ended_well(32, 1ms);
    EXPECT_EQ(size.most(), 32u);
    size.ended_well(32, kTogetherLimit / 2);
    EXPECT_EQ(size.most(), 32u);
    size.ended_well(32, kTogetherLimit / 2 + 1ms);
    EXPECT_EQ(size.most(), 16u);
    size.ended_well(10, kTogetherLimit);
    EXPECT_EQ(size.most(), 5u);
    size.ended_well(5, kTogetherLimit / 4 + 1ms);
    EXPECT_EQ(size.most(), 5u) << "twice as many might take too long";
    size.ended_well(4, 1ms);
    EXPECT_EQ(size.most(), 5u) << "that was a smaller call";
    size.ended_well(5, kTogetherLimit / 4);
    EXPECT_EQ(size.most(), 10u);
}

TEST_F(HandfulSizeTest, after_a_call_that_did_not_end_well_the_proof_is_longer_each_time) {
    auto proof = kProofFirst;
    for (int i = 0; i < 8; ++i) {
        size.ended_badly();
        proof = std::min(proof * 4, kProofMax);
        alone(proof - 1);
        ASSERT_EQ(size.most(), 1u);
        alone(1);
        ASSERT_EQ(size.most(), 2u);
    }
    EXPECT_EQ(proof, kProofMax);
}

TEST_F(HandfulSizeTest, many_pins_together_without_a_failure_make_it_short_again) {
    size.ended_badly();
    grow_to(32);
    for (std::uint64_t told = 0; told < kTrustedAfter; told += 32) size.ended_well(32, 1ms);
    size.ended_badly();
    alone(kProofFirst * 4);
    EXPECT_EQ(size.most(), 2u);
    grow_to(32);
    size.ended_badly();
    alone(kProofFirst * 4 * 4 - 1);
    EXPECT_EQ(size.most(), 1u) << "there were fewer this time";
}

TEST_F(HandfulSizeTest, a_daemon_that_takes_one_at_a_time_gets_one) {
    HandfulSize one(1);
    for (int i = 0; i < 100; ++i) one.ended_well(1, 1ms);
    EXPECT_EQ(one.most(), 1u);
    HandfulSize none(0);
    EXPECT_EQ(none.most(), 1u);
}

}  // namespace
}  // namespace ipfscluster::tracker
