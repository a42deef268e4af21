// Which pins of the pinset a list shows: those the peers may hold.
#include "api/ipfsproxy/held_pins.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"
#include "multi/multihash.hpp"
#include "support/drive.hpp"
#include "support/fake_cluster_api.hpp"

namespace ipfscluster::ipfsproxy {
namespace {

using test::drive;
using test::FailingSource;

class HeldPinsTest : public ::testing::Test {
 protected:
    /// CIDs in their order.
    HeldPinsTest() {
        for (int i = 0; i < 600; ++i)
            cids.push_back(Cid::v1(
                Codec::raw, multihash_digest(HashCode::sha2_256, std::to_string(i)).value()));
        std::sort(cids.begin(), cids.end());
    }
    void pin(std::size_t n) {
        Pin pin;
        pin.cid = cids[n];
        pin.options.replication_min = pin.options.replication_max = -1;
        pins.push_back(pin);
    }
    void report(std::size_t n, TrackerStatus status) {
        GlobalPinInfo row;
        row.cid = cids[n];
        row.peer_map[peer].status = status;
        rows.push_back(row);
    }
    /// The numbers of the pins that are listed, or the error.
    Result<std::vector<std::size_t>> listed(std::optional<Error> status_end = std::nullopt) {
        SourcePtr<GlobalPinInfo> status = std::make_unique<VectorSource<GlobalPinInfo>>(rows);
        if (status_end) status = std::make_unique<FailingSource<GlobalPinInfo>>(rows, *status_end);
        HeldPins held(std::make_unique<VectorSource<Pin>>(pins), std::move(status));
        std::vector<std::size_t> out;
        while (true) {
            auto pin = drive(world, held.next());
            if (!pin) return fail(pin.error());
            if (!pin.value()) return out;
            out.push_back(static_cast<std::size_t>(
                std::find(cids.begin(), cids.end(), pin.value()->cid) - cids.begin()));
        }
    }

    SimWorld world{1};
    const PeerId peer = ed25519_from_seed(std::string(32, 'a')).id;
    std::vector<Cid> cids;
    std::vector<Pin> pins;
    std::vector<GlobalPinInfo> rows;
};

TEST_F(HeldPinsTest, a_pin_that_failed_or_has_not_come_is_left_out) {
    const TrackerStatus states[] = {
        TrackerStatus::pin_error,  TrackerStatus::pinned,
        TrackerStatus::pin_queued, TrackerStatus::pinning,
        TrackerStatus::sharded,    TrackerStatus::unexpectedly_unpinned,
        TrackerStatus::pin_queued, TrackerStatus::cluster_error,
    };
    for (std::size_t i = 0; i < std::size(states); ++i) {
        pin(i);
        report(i, states[i]);
    }
    // A peer that does not answer may hold what it should.
    EXPECT_EQ(listed().value(), (std::vector<std::size_t>{1, 4, 7}));
}

TEST_F(HeldPinsTest, rows_without_a_pin_and_pins_without_a_row_do_not_shift_the_others) {
    report(0, TrackerStatus::unpin_error);
    pin(1);
    report(1, TrackerStatus::pinned);
    report(2, TrackerStatus::unpin_queued);
    report(3, TrackerStatus::pinned);
    pin(4);  // nobody knows of it yet
    pin(5);
    report(5, TrackerStatus::pinned);
    report(6, TrackerStatus::unpin_error);
    EXPECT_EQ(listed().value(), (std::vector<std::size_t>{1, 5}));
}

TEST_F(HeldPinsTest, a_status_list_that_is_incomplete_makes_the_list_fail) {
    pin(1);
    report(1, TrackerStatus::pinned);
    report(2, TrackerStatus::unpin_error);
    const auto failed = listed(Error{Kind::unavailable, "the list is incomplete: peer2"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().text, "the list is incomplete: peer2");
    pins.clear();
    EXPECT_FALSE(listed(Error{Kind::unavailable, "the list is incomplete: peer2"}));
}

TEST_F(HeldPinsTest, a_long_list_comes_whole) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < cids.size(); ++i) {
        pin(i);
        report(i, i % 3 == 0 ? TrackerStatus::pin_error : TrackerStatus::pinned);
        if (i % 3 != 0) wanted.push_back(i);
    }
    EXPECT_EQ(listed().value(), wanted);
}

}  // namespace
}  // namespace ipfscluster::ipfsproxy
