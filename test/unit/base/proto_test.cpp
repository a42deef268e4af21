#include "base/proto.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

TEST(Proto, fields_come_back_with_number_and_type) {
    Bytes message;
    put_proto_varint(message, 1, 300);
    put_proto_bytes(message, 2, "data");
    message += Bytes("\x1d\x01\x02\x03\x04", 5);                  // 3: fixed32
    message += Bytes("\x21\x01\x02\x03\x04\x05\x06\x07\x08", 9);  // 4: fixed64
    BytesView in = message;
    const auto number = take_proto_field(in).value();
    EXPECT_TRUE(number.is_number(1));
    EXPECT_FALSE(number.is_bytes(1));
    EXPECT_EQ(number.value, 300U);
    const auto bytes = take_proto_field(in).value();
    EXPECT_TRUE(bytes.is_bytes(2));
    EXPECT_EQ(bytes.bytes, "data");
    for (const std::uint32_t skipped : {3U, 4U}) {
        const auto field = take_proto_field(in).value();
        EXPECT_EQ(field.number, skipped);
        EXPECT_FALSE(field.is_number(skipped) || field.is_bytes(skipped));
    }
    EXPECT_TRUE(in.empty());
}

TEST(Proto, what_no_message_may_hold_is_corrupt) {
    for (const Bytes& bad :
         {Bytes("\x02\x01"), Bytes("\x0b", 1), Bytes("\x12\x05 four", 6), Bytes("\x0d\x01", 2),
          Bytes("\x08", 1), Bytes("\x88\x80\x80\x80\x80\x80\x01\x01", 8)}) {
        BytesView in = bad;
        const auto field = take_proto_field(in);
        ASSERT_FALSE(field);
        EXPECT_EQ(field.error().kind, Kind::corrupt);
    }
}

TEST(Varint, a_sized_string_keeps_within_its_bound_and_its_buffer) {
    Bytes out;
    put_sized(out, "abc");
    put_sized(out, "");
    BytesView in = out;
    EXPECT_EQ(take_sized(in, 3, "name").value(), "abc");
    EXPECT_EQ(take_sized(in, 0, "name").value(), "");
    EXPECT_TRUE(in.empty());
    in = out;
    const auto long_one = take_sized(in, 2, "name");
    ASSERT_FALSE(long_one);
    EXPECT_EQ(long_one.error().text, "name: 3 bytes are too many or not there");
    in = BytesView(out).substr(0, 3);
    EXPECT_FALSE(take_sized(in, 100, "name"));
    for (const std::uint64_t value : {0ULL, 127ULL, 128ULL, ~0ULL}) {
        Bytes bytes;
        put_uvarint(bytes, value);
        EXPECT_EQ(varint_size(value), bytes.size());
    }
}

}  // namespace
}  // namespace ipfscluster
