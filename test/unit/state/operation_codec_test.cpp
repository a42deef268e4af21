#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/proto.hpp"
#include "codec/pin_proto.hpp"
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
    // version, level, count, kind, origin, sequence 300, expected any, no expiry, CID
    EXPECT_EQ(hex_encode(encode_operations({unpin})),
              "02"
              "00"
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
    bytes[0] = 3;
    EXPECT_EQ(decode_operations(bytes).error().kind, Kind::unsupported);
    bytes[0] = 2;
    bytes[3] = 9;
    EXPECT_EQ(decode_operations(bytes).error().kind, Kind::unsupported);
}

TEST(OperationCodecTest, entries_of_version_1_are_still_read) {
    // They had no level.
    auto bytes = encode_operations(two_operations());
    bytes.erase(1, 1);
    bytes[0] = 1;
    const auto read = decode_operations(bytes, 0);
    ASSERT_TRUE(read) << read.error().text;
    ASSERT_EQ(read.value().size(), 2U);
    EXPECT_EQ(read.value()[0].pin, two_operations()[0].pin);
    EXPECT_EQ(read.value()[0].level, 0U);
}

TEST(OperationCodecTest, an_entry_above_what_the_reader_knows_names_both_levels) {
    auto operations = two_operations();
    operations[1].level = 3;
    const auto bytes = encode_operations(operations);
    EXPECT_EQ(decode_operations(bytes, 3).value()[0].level, 3U) << "the level is the entry's";
    const auto read = decode_operations(bytes, 2);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, Kind::unsupported);
    EXPECT_NE(read.error().text.find("needs feature level 3, this build knows levels up to 2"),
              std::string::npos)
        << read.error().text;
}

TEST(OperationCodecTest, a_fact_has_a_place_in_a_session_and_a_payload) {
    LoggedOperation fact;
    fact.fact = FactKind::cordon;
    fact.id = {"oo", 3};
    fact.payload = "what";
    fact.level = 1;
    const auto bytes = encode_operations({fact});
    EXPECT_EQ(hex_encode(bytes), "02010104026f6f0304" + hex_encode("what"));
    const auto read = decode_operations(bytes).value()[0];
    EXPECT_EQ(read.fact, FactKind::cordon);
    EXPECT_EQ(read.id.origin, "oo");
    EXPECT_EQ(read.id.sequence, 3U);
    EXPECT_EQ(read.payload, "what");
    for (std::size_t n = 0; n < bytes.size(); ++n)
        EXPECT_FALSE(decode_operations(BytesView(bytes).substr(0, n))) << n;
    EXPECT_TRUE(check_operation(fact));
    fact.payload = Bytes(5000, 'x');
    EXPECT_EQ(check_operation(fact).error().kind, Kind::invalid);
}

TEST(OperationCodecTest, what_a_newer_build_put_into_a_pin_is_handed_on) {
    auto operation = two_operations()[0];
    operation.pin_bytes = codec::encode_pin(operation.pin);
    put_proto_varint(operation.pin_bytes, 77, 1);
    const auto bytes = encode_operations({operation});
    const auto read = decode_operations(bytes);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read.value()[0].pin, operation.pin);
    EXPECT_EQ(read.value()[0].pin_bytes, operation.pin_bytes);
    EXPECT_EQ(encode_operations(read.value()), bytes);
}

TEST(OperationCodecTest, huge_counts_are_refused_without_allocating) {
    EXPECT_EQ(
        decode_operations(Bytes("\x02\0\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)).error().kind,
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
