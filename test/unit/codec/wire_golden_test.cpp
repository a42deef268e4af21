#include <gtest/gtest.h>

#include "unit/codec/samples.hpp"

// Bytes that Go peers were seen to send.
namespace ipfscluster::codec {
namespace {
using test::hex;
using test::kCidHex;
using test::kPeerHex;

template <class T>
std::string bytes_of(const T& value) {
    return hex_encode(to_msgpack(value));
}
std::string packed(std::string_view text) {
    return hex_encode(hex(text));
}

TEST(WireGolden, pin_with_a_cid_only) {
    Pin pin;
    pin.cid = test::cid0();
    pin.type = PinType{};
    pin.max_depth = 0;
    EXPECT_EQ(bytes_of(pin), packed("81 a163 da0022 " + kCidHex));
    const auto read = from_msgpack<Pin>(to_msgpack(pin)).value();
    EXPECT_EQ(read.cid, pin.cid);
    EXPECT_EQ(read.max_depth, 0);
    EXPECT_EQ(read.type, PinType::bad);
}

TEST(WireGolden, peer_ids_are_raw_bytes_and_no_peer_is_nil) {
    EXPECT_EQ(bytes_of(test::peer()), packed("da0026 " + kPeerHex));
    EXPECT_EQ(bytes_of(PeerId()), "c0");
    EXPECT_EQ(from_msgpack<PeerId>(hex("a0")).value(), PeerId());
    EXPECT_EQ(from_msgpack<PeerId>(hex("c4 26 " + kPeerHex)).value(), test::peer());
}

TEST(WireGolden, zero_structs) {
    EXPECT_EQ(bytes_of(PinInfo{}), "81a163c0");
    EXPECT_EQ(bytes_of(RepoGc{}), "81a16bc0");
    EXPECT_EQ(bytes_of(Empty{}), "80");
    EXPECT_EQ(bytes_of(RepoStat{}), "81a17300");
    EXPECT_EQ(bytes_of(Cid()), "c0");
}

TEST(WireGolden, block_with_its_size) {
    const auto hash = "1220" + std::string(64, '4');
    const NodeWithMeta node{"hi", Cid::v1(Codec::raw, hex(hash)), 300};
    EXPECT_EQ(bytes_of(node), packed("83 a164 a26869 a163 da0024 0155 " + hash + " a173 cd012c"));
}

TEST(WireGolden, what_a_peer_that_is_emptied_holds) {
    EXPECT_EQ(bytes_of(HeldHere{}), packed("82 a16e 00 a16b 00"));
    const HeldHere held{1, 2, 300, 4, {test::cid0()}, true, 5};
    EXPECT_EQ(bytes_of(held), packed("87 a16e 01 a16b 02 a162 cd012c a177 04 a27769 91 da0022" +
                                     kCidHex + " a165 c3 a16d 05"));
    EXPECT_EQ(bytes_of(from_msgpack<HeldHere>(to_msgpack(held)).value()), bytes_of(held));
}

TEST(WireGolden, a_peer_and_a_status_row_with_every_field) {
    const auto id = " da0026" + kPeerHex;
    const auto cid = " da0022" + kCidHex;
    const std::string address = " a8047f000001060fa1";
    const auto at = Multiaddr::parse("/ip4/127.0.0.1/tcp/4001").value();
    const auto who = test::peer();
    const PeerInfo info{who, {at}, {who}, {at}, "1", "2", "3", "4", {who, {at}, "5"}, "6"};
    EXPECT_EQ(bytes_of(info),
              packed("8a a169" + id + "a161 91" + address + "a26370 91" + id + "a3637061 91" +
                     address + "a176 a131 a163 a132 a27276 a133 a165 a134 a26970 83 a169" + id +
                     "a161 91" + address + "a165 a135 a2706e a136"));
    const PinInfo row{
        test::cid0(), "n",
        who,          {who},
        {at},         test::at(1),
        {{"k", "v"}}, {"p", who, {at}, TrackerStatus::pinned, test::at(2), "e", 3, true, 4, 5}};
    EXPECT_EQ(
        bytes_of(row),
        packed("de0011 a163" + cid + "a16d a16e a170" + id + "a16f 91" + id + "a167 91" + address +
               "a174 a400000001 a26d64 81 a16b a176 a2706e a170 a169" + id + "a26961 91" + address +
               "a27374 10 a27473 a400000002 a165 a165 a161 03 a179 c3 a26662 04 a26679 05"));
    EXPECT_EQ(bytes_of(from_msgpack<PinInfo>(to_msgpack(row)).value()), bytes_of(row));
    EXPECT_EQ(bytes_of(PeerInfo{}), packed("81 a26970 80"));
    EXPECT_EQ(bytes_of(Version{}), packed("81 a176 a0"));
    EXPECT_EQ(bytes_of(RepoGcKey{test::cid0(), "e"}), packed("82 a16b" + cid + "a165 a165"));
}

TEST(WireGolden, ping_and_free_space_metrics) {
    Metric ping{"ping", test::peer(), "{}", kTimeUnset, true, 0, false, kTimeUnset};
    ping.expire = Time(std::chrono::nanoseconds(0x17979cfe362a0000));
    EXPECT_EQ(bytes_of(ping), packed("85 a16e a470696e67 a170 da0026" + kPeerHex +
                                     "a176 a27b7d a165 d317979cfe362a0000 a164 c3"));
    Metric space{"freespace", test::peer(), "9999999000", ping.expire,
                 true,        9999999000,   false,        kTimeUnset};
    EXPECT_EQ(bytes_of(space), packed("86 a16e a9667265657370616365 a170 da0026" + kPeerHex +
                                      "a176 aa39393939393939303030 a165 d317979cfe362a0000 a164 c3"
                                      "a177 d300000002540be018"));
}

TEST(WireGolden, times_are_raw_time_stamps) {
    EXPECT_EQ(bytes_of(test::at(1700000000)), packed("a4 6553f100"));
    EXPECT_EQ(bytes_of(test::at(1700000000, 123456789)), packed("a8 1d6f3454 6553f100"));
    EXPECT_EQ(bytes_of(kTimeUnset), "c0");
    EXPECT_EQ(from_msgpack<Time>(hex("d6ff 6553f100")).value(), test::at(1700000000));
    EXPECT_EQ(from_msgpack<Time>(hex("c70cff 00000005 ffffffffffffffff")).value(), test::at(-1, 5));
    // Go's zero time, year 1.
    EXPECT_EQ(from_msgpack<Time>(hex("ac 00000000 fffffff1886e0900")).value(), kTimeUnset);
}

TEST(WireGolden, addresses_are_binary) {
    EXPECT_EQ(bytes_of(Multiaddr::parse("/ip4/127.0.0.1/tcp/4001").value()),
              packed("a8 047f000001060fa1"));
}

TEST(WireGolden, enumerations_keep_their_sign) {
    EXPECT_EQ(bytes_of(TrackerStatus::unpinned), "d10080");
    EXPECT_EQ(bytes_of(PinType::all), "1e");
}

TEST(WireGolden, unknown_keys_and_nil_fields_are_ignored) {
    const auto bytes = hex("84 a3787878 93010203 a163 da0022" + kCidHex + "a16e c0 a174 02");
    const auto pin = from_msgpack<Pin>(bytes).value();
    EXPECT_EQ(pin.cid, test::cid0());
    EXPECT_EQ(pin.type, PinType::data);
    EXPECT_EQ(from_msgpack<Pin>(hex("c0")).value().cid, Cid());
}

TEST(WireGolden, bad_values_name_their_field) {
    const auto bad = from_msgpack<Pin>(hex("81 a163 a3010203"));
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().text.find("\"c\""), std::string::npos) << bad.error().text;
    EXPECT_FALSE(from_msgpack<Pin>(hex("90")));
    EXPECT_FALSE(from_msgpack<Pin>(hex("81 a174 05")));
}

TEST(WireGolden, an_unusable_address_of_a_peer_is_left_out) {
    const auto info = from_msgpack<PeerInfo>(
                          hex("82 a169 da0026" + kPeerHex + "a161 92 a3fdff7f a8047f000001060fa1"))
                          .value();
    ASSERT_EQ(info.addresses.size(), 1U);
    EXPECT_EQ(info.addresses[0].to_string(), "/ip4/127.0.0.1/tcp/4001");
}

}  // namespace
}  // namespace ipfscluster::codec
