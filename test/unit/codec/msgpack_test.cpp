#include "codec/msgpack.hpp"

#include <gtest/gtest.h>

#include "codec/wire.hpp"
#include "unit/codec/samples.hpp"

namespace ipfscluster::codec {
namespace {
using test::hex;

template <class F>
std::string written(F write) {
    Bytes out;
    Writer writer(out);
    write(writer);
    return hex_encode(out);
}

TEST(Msgpack, signed_numbers_use_signed_widths) {
    const std::pair<std::int64_t, std::string> cases[] = {
        {0, "00"},
        {127, "7f"},
        {-1, "ff"},
        {-32, "e0"},
        {-33, "d0df"},
        {-128, "d080"},
        {128, "d10080"},
        {32767, "d17fff"},
        {32768, "d200008000"},
        {-129, "d1ff7f"},
        {-32769, "d2ffff7fff"},
        {INT32_MAX, "d27fffffff"},
        {INT64_C(2147483648), "d30000000080000000"},
        {INT64_MIN, "d38000000000000000"},
        {INT64_MAX, "d37fffffffffffffff"}};
    for (const auto& [value, expected] : cases) {
        EXPECT_EQ(written([v = value](Writer& w) { w.signed_int(v); }), expected) << value;
        const auto bytes = hex(expected);
        EXPECT_EQ(Reader(bytes).signed_int().value(), value);
    }
}

TEST(Msgpack, unsigned_numbers_use_unsigned_widths) {
    const std::pair<std::uint64_t, std::string> cases[] = {
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65536, "ce00010000"},
        {UINT64_C(4294967296), "cf0000000100000000"},
        {UINT64_MAX, "cfffffffffffffffff"}};
    for (const auto& [value, expected] : cases) {
        EXPECT_EQ(written([v = value](Writer& w) { w.unsigned_int(v); }), expected) << value;
        const auto bytes = hex(expected);
        EXPECT_EQ(Reader(bytes).unsigned_int().value(), value);
    }
}

TEST(Msgpack, strings_never_use_str8_or_bin) {
    EXPECT_EQ(written([](Writer& w) { w.raw(std::string(31, 'a')); }).substr(0, 2), "bf");
    EXPECT_EQ(written([](Writer& w) { w.raw(std::string(32, 'a')); }).substr(0, 6), "da0020");
    EXPECT_EQ(written([](Writer& w) { w.raw(std::string(255, 'a')); }).substr(0, 6), "da00ff");
    EXPECT_EQ(written([](Writer& w) { w.raw(std::string(65536, 'a')); }).substr(0, 10),
              "db00010000");
}

TEST(Msgpack, all_string_forms_are_accepted) {
    for (const char* text : {"a26869", "d9026869", "da00026869", "db000000026869", "c4026869",
                             "c500026869", "c6000000026869"}) {
        const auto bytes = hex(text);
        EXPECT_EQ(Reader(bytes).raw().value(), "hi") << text;
    }
}

TEST(Msgpack, any_width_of_a_number_is_accepted_and_range_checked) {
    for (const char* text : {"05", "cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005",
                             "d10005", "d200000005", "d30000000000000005"}) {
        const auto bytes = hex(text);
        EXPECT_EQ(Reader(bytes).signed_int().value(), 5) << text;
        EXPECT_EQ(Reader(bytes).unsigned_int().value(), 5U) << text;
    }
    const auto negative = hex("ff");
    EXPECT_FALSE(Reader(negative).unsigned_int());
    const auto huge = hex("cfffffffffffffffff");
    EXPECT_FALSE(Reader(huge).signed_int());
    EXPECT_FALSE(from_msgpack<int>(hex("d30000000100000000")));
}

TEST(Scanner, finds_the_end_byte_by_byte) {
    const auto bytes = hex("82 a1 61 93 01 02 c0 a1 62 da0003 616263") + "rest";
    Scanner scanner;
    for (std::size_t size = 0; size < bytes.size() - 4; ++size)
        ASSERT_FALSE(scanner.scan(BytesView(bytes).substr(0, size)).value()) << size;
    EXPECT_EQ(*scanner.scan(bytes).value(), bytes.size() - 4);
    scanner.reset();
    EXPECT_EQ(*scanner.scan(hex("c0")).value(), 1U);
}

TEST(Scanner, refuses_what_is_too_long_before_it_arrives) {
    Scanner scanner(1000);
    EXPECT_FALSE(scanner.scan(hex("db7fffffff")));
    Scanner count(1000);
    EXPECT_FALSE(count.scan(hex("ddffffffff")));
    Scanner pairs(1000);
    EXPECT_FALSE(pairs.scan(hex("dfffffffff")));
}

TEST(Scanner, refuses_deep_nesting_and_the_unused_byte) {
    Scanner deep;
    EXPECT_FALSE(deep.scan(Bytes(100, '\x91')));
    Scanner unused;
    EXPECT_FALSE(unused.scan(hex("91c1")));
    Scanner flat;
    EXPECT_TRUE(flat.scan(Bytes(kMsgpackDepthMax, '\x91') + '\x01').value());
}

TEST(Reader, skips_extensions_and_nested_values) {
    const auto bytes = hex("94 d40500 c7030561 6263 82 01 02 03 90 c0 07");
    Reader reader(bytes);
    ASSERT_TRUE(reader.skip());
    EXPECT_EQ(reader.signed_int().value(), 7);
    EXPECT_TRUE(reader.at_end());
}

TEST(Reader, every_truncation_is_an_error_and_says_where) {
    test::Samples samples(7);
    const auto bytes = to_msgpack(samples.row());
    for (std::size_t size = 0; size < std::min<std::size_t>(bytes.size(), 3000); ++size) {
        const auto cut = from_msgpack<PinInfo>(BytesView(bytes).substr(0, size));
        ASSERT_FALSE(cut) << size;
        EXPECT_EQ(cut.error().kind, Kind::corrupt);
        EXPECT_NE(cut.error().text.find("[pos "), std::string::npos) << cut.error().text;
    }
}

TEST(Reader, random_bytes_never_do_harm) {
    std::mt19937_64 random(42);
    for (int round = 0; round < 20000; ++round) {
        Bytes bytes(random() % 64, '\0');
        for (auto& c : bytes) c = static_cast<char>(random());
        (void)from_msgpack<Pin>(bytes);
        (void)from_msgpack<PinInfo>(bytes);
        (void)from_msgpack<PeerInfo>(bytes);
        (void)from_msgpack<Empty>(bytes);
    }
}

TEST(Reader, flipped_bytes_of_a_real_message_never_do_harm) {
    test::Samples samples(9);
    std::mt19937_64 random(1);
    for (int round = 0; round < 300; ++round) {
        auto bytes = to_msgpack(samples.row());
        for (int flips = 0; flips < 4; ++flips)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        (void)from_msgpack<PinInfo>(bytes);
    }
}

}  // namespace
}  // namespace ipfscluster::codec
