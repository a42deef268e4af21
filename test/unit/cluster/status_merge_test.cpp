#include "cluster/status_merge.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/drive.hpp"
#include "support/pins.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;
using test::drive;
using test::peer;

/// Rows of one peer; then the clean end, an error, or silence.
class FakeRows final : public Source<PinInfo> {
 public:
    FakeRows(World& world, std::vector<PinInfo> rows, std::optional<Error> trailer,
             std::optional<std::size_t> silent_at)
        : world_(world),
          rows_(std::move(rows)),
          trailer_(std::move(trailer)),
          silent_at_(silent_at) {}
    Async<std::optional<PinInfo>> next() override {
        if (silent_at_ && at_ == *silent_at_) {
            ICL_CO_TRY(co_await world_.sleep_for(1h));
        }
        if (at_ < rows_.size()) co_return std::optional<PinInfo>(rows_[at_++]);
        if (trailer_) co_return fail(*trailer_);
        co_return std::optional<PinInfo>{};
    }

 private:
    World& world_;
    std::vector<PinInfo> rows_;
    std::optional<Error> trailer_;
    std::optional<std::size_t> silent_at_;
    std::size_t at_ = 0;
};

struct StatusMergeTest : ::testing::Test {
    StatusMergeTest() {
        for (int i = 0; i < 6; ++i) cids.push_back(test::cid(i));
        std::sort(cids.begin(), cids.end());
    }
    /// Rows about these of the sorted CIDs.
    std::vector<PinInfo> rows(int of_peer, const std::vector<std::size_t>& numbers) {
        std::vector<PinInfo> out;
        for (const auto number : numbers) {
            PinInfo row;
            row.cid = cids[number];
            row.peer = peer(of_peer);
            row.name = "name " + std::to_string(number);
            row.info.status = TrackerStatus::pinned;
            out.push_back(row);
        }
        return out;
    }
    void branch(int of_peer, std::vector<std::size_t> numbers,
                std::optional<Error> trailer = std::nullopt,
                std::optional<std::size_t> silent_at = std::nullopt) {
        branches.push_back(
            {.peer = peer(of_peer),
             .peername = "p" + std::to_string(of_peer),
             .rows = std::make_unique<FakeRows>(world, rows(of_peer, numbers), trailer, silent_at),
             .error = {}});
    }
    void absent(int of_peer, std::string why) {
        branches.push_back({.peer = peer(of_peer),
                            .peername = "p" + std::to_string(of_peer),
                            .rows = {},
                            .error = std::move(why)});
    }
    /// Drains the merge: one text per row, "0: 1=pinned 2=cluster_error(why)", then the error if
    /// any.
    std::vector<std::string> run() {
        auto merged = merge_status(world, std::move(branches));
        std::vector<std::string> out;
        while (true) {
            auto row = drive<std::optional<GlobalPinInfo>>(world, merged->next());
            if (!row) {
                out.push_back("error: " + row.error().text);
                // The end stays the end.
                auto after = drive<std::optional<GlobalPinInfo>>(world, merged->next());
                EXPECT_TRUE(after && !after.value());
                return out;
            }
            if (!row.value()) return out;
            const auto& global = *row.value();
            const auto number = std::find(cids.begin(), cids.end(), global.cid) - cids.begin();
            EXPECT_EQ(global.name, "name " + std::to_string(number));
            std::string text = std::to_string(number) + ":";
            for (int i = 1; i <= 4; ++i) {
                const auto at = global.peer_map.find(peer(i));
                if (at == global.peer_map.end()) continue;
                text += " " + std::to_string(i) + "=" + std::string(to_string(at->second.status));
                if (!at->second.error.empty()) {
                    text += "(" + at->second.error + ")";
                    EXPECT_EQ(at->second.peername, "p" + std::to_string(i));
                }
            }
            out.push_back(text);
        }
    }

    SimWorld world{1};
    std::vector<Cid> cids;
    std::vector<StatusBranch> branches;
};

using Lines = std::vector<std::string>;

TEST_F(StatusMergeTest, rows_come_once_per_cid_in_order) {
    branch(1, {0, 2, 3});
    branch(2, {1, 2});
    branch(3, {});
    EXPECT_EQ(run(), (Lines{"0: 1=pinned", "1: 2=pinned", "2: 1=pinned 2=pinned", "3: 1=pinned"}));
}

TEST_F(StatusMergeTest, nothing_at_all_is_an_empty_list) {
    EXPECT_EQ(run(), Lines{});
    branch(1, {});
    EXPECT_EQ(run(), Lines{});
}

TEST_F(StatusMergeTest, a_peer_that_is_away_is_a_cluster_error_in_each_row) {
    branch(1, {0, 1});
    absent(2, "away");
    EXPECT_EQ(run(),
              (Lines{"0: 1=pinned 2=cluster_error(away)", "1: 1=pinned 2=cluster_error(away)"}));
}

TEST_F(StatusMergeTest,
       a_peer_that_falls_silent_is_given_up_after_two_seconds_and_named_at_the_end) {
    branch(1, {0, 1, 2});
    branch(2, {0, 1, 2}, std::nullopt, 1);
    const auto start = world.steady_now();
    const auto lines = run();
    EXPECT_EQ(world.steady_now() - start, kStatusSilenceMax);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0], "0: 1=pinned 2=pinned");
    EXPECT_EQ(lines[1].rfind("1: 1=pinned 2=cluster_error(", 0), 0u) << lines[1];
    EXPECT_EQ(lines[2].rfind("2: 1=pinned 2=cluster_error(", 0), 0u) << lines[2];
    EXPECT_NE(lines[3].find(peer(2).to_string()), std::string::npos) << lines[3];
}

TEST_F(StatusMergeTest, several_silent_peers_cost_two_seconds_together) {
    branch(1, {0, 1});
    for (int i = 2; i <= 4; ++i) branch(i, {0}, std::nullopt, 0);
    const auto start = world.steady_now();
    EXPECT_EQ(run().size(), 3u);
    EXPECT_EQ(world.steady_now() - start, kStatusSilenceMax);
}

TEST_F(StatusMergeTest, an_unsorted_or_repeating_list_is_given_up) {
    branch(1, {0, 1, 2, 3});
    branch(2, {2, 1});
    branch(3, {1, 1});
    const auto lines = run();
    ASSERT_EQ(lines.size(), 5u);
    EXPECT_EQ(lines[0], "0: 1=pinned");
    EXPECT_EQ(lines[1], "1: 1=pinned 3=pinned");
    EXPECT_EQ(lines[2], "2: 1=pinned 2=pinned 3=cluster_error(the peer's list is not sorted)");
    EXPECT_EQ(lines[3],
              "3: 1=pinned 2=cluster_error(the peer's list is not sorted) 3=cluster_error(the "
              "peer's list is not sorted)");
    EXPECT_NE(lines[4].find("the list is incomplete"), std::string::npos);
}

TEST_F(StatusMergeTest, an_error_after_the_rows_is_not_a_clean_end) {
    branch(1, {0, 1});
    branch(2, {0}, Error{Kind::corrupt, "its database is damaged"});
    const auto lines = run();
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0], "0: 1=pinned 2=pinned");
    EXPECT_EQ(lines[1], "1: 1=pinned 2=cluster_error(its database is damaged)");
    EXPECT_EQ(lines[2], "error: the list is incomplete: " + peer(2).to_string() +
                            ": its database is damaged");
}

}  // namespace
}  // namespace ipfscluster::cluster
