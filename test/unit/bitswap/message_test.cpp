#include "bitswap/message.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/varint.hpp"

namespace ipfscluster::bitswap {
namespace {

Cid cid_of(BytesView data, Codec codec = Codec::raw) {
    return Cid::v1(codec, multihash_digest(HashCode::sha2_256, data).value());
}

Message decode(BytesView framed) {
    auto length = take_uvarint(framed);
    EXPECT_TRUE(length);
    EXPECT_EQ(length.value(), framed.size());
    auto message = decode_message(framed);
    EXPECT_TRUE(message) << message.error().text;
    return message.value();
}

TEST(BitswapMessage, carries_wants_blocks_and_presences_unchanged) {
    Message out;
    out.full = true;
    out.wants = {{cid_of("a"), 7, false, WantType::have, true},
                 {cid_of("b", Codec::dag_pb), 1, true, WantType::block, false},
                 {Cid::v0(multihash_digest(HashCode::sha2_256, "c").value()), 2147483647, false,
                  WantType::block, true}};
    out.blocks = {{cid_of("raw data"), "raw data"},
                  {Cid::v0(multihash_digest(HashCode::sha2_256, "old").value()), "old"},
                  {Cid::v1(Codec::dag_pb, multihash_digest(HashCode::blake2b_256, "other").value()),
                   "other"}};
    out.presences = {{cid_of("h"), true}, {cid_of("d"), false}};
    out.pending_bytes = 12345;
    const auto in = decode(encode_message(out));
    EXPECT_TRUE(in.full);
    EXPECT_EQ(in.wants, out.wants);
    EXPECT_EQ(in.presences, out.presences);
    EXPECT_EQ(in.pending_bytes, 12345);
    ASSERT_EQ(in.blocks.size(), 3u);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(in.blocks[i].cid, out.blocks[i].cid);
        EXPECT_EQ(in.blocks[i].data, out.blocks[i].data);
    }
}

TEST(BitswapMessage, is_written_with_the_bytes_of_the_schema) {
    // Written out by hand from the schema: wantlist { entry { block, priority 1, wantType Have,
    // sendDontHave } }.
    Message out;
    const auto cid = cid_of("x");
    out.wants = {{cid, 1, false, WantType::have, true}};
    ASSERT_EQ(cid.bytes().size(), 36u);
    Bytes entry = "\x0a\x24" + cid.bytes() + Bytes("\x10\x01\x20\x01\x28\x01");
    Bytes wantlist = "\x0a" + Bytes(1, static_cast<char>(entry.size())) + entry;
    Bytes body = "\x0a" + Bytes(1, static_cast<char>(wantlist.size())) + wantlist;
    EXPECT_EQ(encode_message(out), Bytes(1, static_cast<char>(body.size())) + body);

    Message answer;
    answer.presences = {{cid, false}};
    entry = "\x0a\x24" + cid.bytes() + Bytes("\x10\x01");
    body = Bytes("\x0a\x00", 2) + "\x22" + Bytes(1, static_cast<char>(entry.size())) + entry;
    EXPECT_EQ(encode_message(answer), Bytes(1, static_cast<char>(body.size())) + body);

    Message block;
    block.blocks = {{cid, "x"}};
    const Bytes payload = Bytes("\x0a\x04\x01\x55\x12\x20") + "\x12\x01x";
    body = Bytes("\x0a\x00", 2) + "\x1a" + Bytes(1, static_cast<char>(payload.size())) + payload;
    EXPECT_EQ(encode_message(block), Bytes(1, static_cast<char>(body.size())) + body);
}

TEST(BitswapMessage, blocks_of_protocol_1_0_have_version_0) {
    const auto in = decode_message(Bytes("\x12\x03") + "old");
    ASSERT_TRUE(in);
    ASSERT_EQ(in.value().blocks.size(), 1u);
    EXPECT_EQ(in.value().blocks[0].cid,
              Cid::v0(multihash_digest(HashCode::sha2_256, "old").value()));
}

TEST(BitswapMessage, unknown_fields_are_passed_over) {
    Message out;
    out.presences = {{cid_of("h"), true}};
    auto framed = encode_message(out);
    const Bytes body = framed.substr(1) + Bytes("\x98\x06\x05") + Bytes("\xa2\x06\x02zz");
    const auto in = decode_message(body);
    ASSERT_TRUE(in) << in.error().text;
    EXPECT_EQ(in.value().presences, out.presences);
}

TEST(BitswapMessage, every_cut_is_an_error_or_a_shorter_message_and_never_more) {
    Message out;
    out.wants = {{cid_of("a"), 7, false, WantType::have, true}};
    out.blocks = {{cid_of("raw data"), "raw data"}};
    out.presences = {{cid_of("h"), true}};
    const auto framed = encode_message(out);
    const Bytes body = framed.substr(framed.size() > 129 ? 2 : 1);
    for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
        const auto in = decode_message(BytesView(body).substr(0, bytes));
        if (!in) continue;
        EXPECT_LE(in.value().wants.size() + in.value().blocks.size() + in.value().presences.size(),
                  2u);
    }
}

TEST(BitswapMessage, a_block_prefix_that_is_no_cid_is_refused) {
    // Version 0 with another hash, then with another codec: both have no CID.
    for (const Bytes& prefix : {Bytes("\x00\x70\xa0\xe4\x02\x20", 6), Bytes("\x00\x55\x12\x20", 4),
                                Bytes("\x00\x70\x16\x20", 4)}) {
        const Bytes block =
            "\x0a" + Bytes(1, static_cast<char>(prefix.size())) + prefix + "\x12\x01x";
        const Bytes body = "\x1a" + Bytes(1, static_cast<char>(block.size())) + block;
        EXPECT_EQ(decode_message(body).error().kind, Kind::corrupt) << hex_encode(prefix);
    }
}

TEST(BitswapMessage, nonsense_is_refused) {
    for (const Bytes& bad : {Bytes("\x0a\x05\x0a\x03\x0a\x01\x00", 7), Bytes("\xff"), Bytes("\x0b"),
                             Bytes("\x0a\x7f"), Bytes("\x22\x02\x10\x01")})
        EXPECT_EQ(decode_message(bad).error().kind, Kind::corrupt) << hex_encode(bad);
}

}  // namespace
}  // namespace ipfscluster::bitswap
