#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "state/state.hpp"
#include "support/pins.hpp"

namespace ipfscluster::state {
namespace {

using test::cid;
using test::peer;
using test::pin_on;

std::vector<LoggedOperation> two_operations() {
    LoggedOperation pin;
    pin.id = {Bytes(16, 'o'), 7};
    pin.pin = pin_on(cid(1), {peer(1), peer(2)});
    pin.pin.options.name = "a name";
    pin.pin.options.metadata = {{"k", "v"}};
    pin.expected_index = 42;
    LoggedOperation unpin;
    unpin.kind = LoggedOperation::Kind::unpin;
    unpin.id = {Bytes(16, 'o'), 8};
    unpin.pin.cid = cid(2);
    unpin.expected_index = kAnyIndex;
    unpin.only_if_expired_by = Time(std::chrono::seconds(1767225600));
    return {pin, unpin};
}

TEST(OperationCodecTest, operations_come_back_as_they_were) {
    const auto before = two_operations();
    const auto after = decode_operations(encode_operations(before)).value();
    ASSERT_EQ(after.size(), 2U);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(after[i].kind, before[i].kind);
        EXPECT_EQ(after[i].id.origin, before[i].id.origin);
        EXPECT_EQ(after[i].id.sequence, before[i].id.sequence);
        EXPECT_EQ(after[i].expected_index, before[i].expected_index);
        EXPECT_EQ(after[i].only_if_expired_by, before[i].only_if_expired_by);
        EXPECT_EQ(after[i].pin, before[i].pin);
    }
}

TEST(OperationCodecTest, bytes_are_the_documented_ones) {
    LoggedOperation unpin;
    unpin.kind = LoggedOperation::Kind::unpin;
    unpin.id = {"oo", 300};
    unpin.pin.cid = cid(1);
    unpin.expected_index = kAnyIndex;
    // version, count, kind, origin, sequence 300, expected any, no expiry, CID
    EXPECT_EQ(hex_encode(encode_operations({unpin})),
              "01"
              "01"
              "02"
              "026f6f"
              "ac02"
              "00"
              "00"
              "24" +
                  hex_encode(cid(1).bytes()));
}

TEST(OperationCodecTest, every_truncation_is_refused) {
    const auto bytes = encode_operations(two_operations());
    for (std::size_t n = 0; n < bytes.size(); ++n)
        EXPECT_FALSE(decode_operations(BytesView(bytes).substr(0, n))) << n;
    EXPECT_EQ(decode_operations(bytes + "x").error().kind, Kind::corrupt);
}

TEST(OperationCodecTest, flipped_bytes_never_break_the_decoder) {
    const auto good = encode_operations(two_operations());
    for (std::size_t i = 0; i < good.size(); ++i)
        for (const char flip : {'\x01', '\x80', '\xff'}) {
            auto bad = good;
            bad[i] = static_cast<char>(bad[i] ^ flip);
            (void)decode_operations(bad);
        }
}

TEST(OperationCodecTest, newer_versions_and_kinds_are_unsupported) {
    auto bytes = encode_operations(two_operations());
    bytes[0] = 2;
    EXPECT_EQ(decode_operations(bytes).error().kind, Kind::unsupported);
    bytes[0] = 1;
    bytes[2] = 9;
    EXPECT_EQ(decode_operations(bytes).error().kind, Kind::unsupported);
}

TEST(OperationCodecTest, huge_counts_are_refused_without_allocating) {
    EXPECT_EQ(decode_operations(Bytes("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10)).error().kind,
              Kind::corrupt);
}

TEST(OperationCodecTest, operation_that_could_not_be_read_back_is_invalid) {
    auto op = two_operations()[0];
    EXPECT_TRUE(check_operation(op));
    op.pin.options.metadata["k"] = Bytes(2U << 20, 'x');
    EXPECT_EQ(check_operation(op).error().kind, Kind::invalid);
}

}  // namespace
}  // namespace ipfscluster::state
