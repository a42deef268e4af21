#include "base/varint.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

TEST(Varint, round_trips_at_every_length) {
    for (int bits = 0; bits < 64; ++bits) {
        for (const std::uint64_t value :
             {std::uint64_t{1} << bits, (std::uint64_t{1} << bits) - 1}) {
            Bytes bytes;
            put_uvarint(bytes, value);
            BytesView in = bytes;
            const auto back = take_uvarint(in);
            ASSERT_TRUE(back);
            EXPECT_EQ(back.value(), value);
            EXPECT_TRUE(in.empty());
        }
    }
}

TEST(Varint, refuses_what_is_cut_short_or_too_large_and_takes_nothing) {
    for (const Bytes& bytes :
         {Bytes(), Bytes("\x80"), Bytes(9, '\xff'), Bytes(11, '\x80'), Bytes(9, '\xff') + '\x02'}) {
        BytesView in = bytes;
        const auto value = take_uvarint(in);
        ASSERT_FALSE(value);
        EXPECT_EQ(value.error().kind, Kind::corrupt);
        EXPECT_EQ(in.size(), bytes.size());
    }
}

TEST(Varint, multiformats_take_the_shortest_form_only) {
    const Bytes overlong("\xab\x00", 2);
    BytesView in = overlong;
    EXPECT_EQ(take_minimal_uvarint(in).error().kind, Kind::corrupt);
    EXPECT_EQ(in.size(), 2u);
    EXPECT_EQ(take_uvarint(in).value(), 43u);
    const Bytes shortest("\x00\x80\x01", 3);
    in = shortest;
    EXPECT_EQ(take_minimal_uvarint(in).value(), 0u);
    EXPECT_EQ(take_minimal_uvarint(in).value(), 128u);
}

TEST(Varint, zigzag_follows_protobuf) {
    EXPECT_EQ(zigzag(0), 0u);
    EXPECT_EQ(zigzag(-1), 1u);
    EXPECT_EQ(zigzag(1), 2u);
    EXPECT_EQ(zigzag(-2), 3u);
    EXPECT_EQ(unzigzag(zigzag(INT64_MIN)), INT64_MIN);
}

TEST(Bytes, prefix_end_is_the_first_key_behind_a_prefix) {
    EXPECT_EQ(prefix_end("ab"), "ac");
    EXPECT_EQ(prefix_end(Bytes("a\xff", 2)), "b");
    EXPECT_EQ(prefix_end("\xff\xff"), "");
}

}  // namespace
}  // namespace ipfscluster
