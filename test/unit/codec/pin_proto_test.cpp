#include "codec/pin_proto.hpp"

#include <gtest/gtest.h>

#include "unit/codec/samples.hpp"

namespace ipfscluster::codec {
namespace {
using test::hex;

// The two values inside the DAG node that a Go peer wrote.
const std::string kAlphaHex =
    "0a22" + test::kCidHex +
    "1001 2001 321f 0801 1001 1a05 616c706861 5208 0a026b31 12027631 5208 0a026b32 12027632"
    "38 80e2cfaa06";

TEST(PinProto, recursive_pin_with_metadata_matches_go) {
    Pin pin;
    pin.cid = test::cid0();
    pin.timestamp = test::at(1700000000, 999);
    pin.options.replication_min = pin.options.replication_max = -1;
    pin.options.name = "alpha";
    pin.options.metadata = {{"k2", "v2"}, {"k1", "v1"}};
    EXPECT_EQ(hex_encode(encode_pin(pin)), hex_encode(hex(kAlphaHex)));
    auto read = decode_pin(pin.cid, hex(kAlphaHex)).value();
    pin.timestamp = test::at(1700000000);
    EXPECT_EQ(read, pin);
}

TEST(PinProto, direct_pin_with_allocation_and_expiry_matches_go) {
    const auto cid =
        Cid::parse("bafkreidivzimqfqtoqxkrpge6bjyhlvxqs3rhe73owtmdulaxr5do5in7u").value();
    const auto bytes = hex("0a24" + hex_encode(cid.bytes()) + "1001 1a26" + test::kPeerHex +
                           "3210 0802 1004 1a04 62657461 40 80d18fc107 38 80e2cfaa06");
    EXPECT_EQ(bytes.size(), 0x68U);
    const auto pin = decode_pin(cid, bytes).value();
    EXPECT_EQ(pin.options.name, "beta");
    EXPECT_EQ(pin.options.mode, PinMode::direct);
    EXPECT_EQ(pin.options.replication_min, 1);
    EXPECT_EQ(pin.options.replication_max, 2);
    EXPECT_EQ(pin.allocations, std::vector<PeerId>{test::peer()});
    EXPECT_EQ(encode_pin(pin), bytes);
}

TEST(PinProto, everything_but_mode_user_allocations_and_fractions_survives) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        test::Samples s(seed);
        auto pin = s.pin();
        const auto read = decode_pin(pin.cid, encode_pin(pin)).value();
        pin.options.user_allocations.clear();
        pin.options.mode = pin.max_depth == 0 ? PinMode::direct : PinMode::recursive;
        const auto cut = [](Time t) {
            return t < kTimeUnset ? kTimeUnset : truncate_to_seconds(t);
        };
        pin.timestamp = cut(pin.timestamp);
        pin.options.expire_at = cut(pin.options.expire_at);
        EXPECT_EQ(read, pin) << seed;
        EXPECT_EQ(encode_pin(read), encode_pin(pin));
    }
}

TEST(PinProto, legacy_metadata_is_read_and_the_sorted_list_wins) {
    // Options: sorted {a: new}, then legacy map {a: old, b: kept}.
    const auto options = "5208 0a0161 12036e6577" + std::string("3208 0a0161 12036f6c64") +
                         "3209 0a0162 12046b657074";
    const auto bytes = hex("321f" + options);
    const auto pin = decode_pin(test::cid0(), bytes).value();
    EXPECT_EQ(pin.options.metadata,
              (std::map<std::string, std::string>{{"a", "new"}, {"b", "kept"}}));
}

TEST(PinProto, unreadable_reference_counts_as_none_but_a_bad_peer_is_corrupt) {
    EXPECT_FALSE(decode_pin(test::cid0(), hex("1001 2a03 010203")).value().reference.defined());
    const auto bad = decode_pin(test::cid0(), hex("1a03 010203"));
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().kind, Kind::corrupt);
    EXPECT_NE(bad.error().text.find("allocation"), std::string::npos);
    EXPECT_FALSE(decode_pin(test::cid0(), hex("1009")));
}

TEST(PinProto, truncations_and_flips_never_do_harm) {
    test::Samples s(5);
    std::mt19937_64 random(3);
    for (int round = 0; round < 300; ++round) {
        auto bytes = encode_pin(s.pin());
        (void)decode_pin(test::cid0(), BytesView(bytes).substr(0, random() % (bytes.size() + 1)));
        for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
        (void)decode_pin(test::cid0(), bytes);
    }
    EXPECT_FALSE(decode_pin(test::cid0(), Bytes(kPinProtoBytesMax + 1, '\0')));
}

}  // namespace
}  // namespace ipfscluster::codec
