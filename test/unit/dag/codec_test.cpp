#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "content.hpp"
#include "dag/car.hpp"
#include "dag/dag_cbor.hpp"
#include "dag/hamt.hpp"
#include "dag/links.hpp"
#include "dag/murmur3.hpp"
#include "dag/node_view.hpp"

namespace ipfscluster::dag {
namespace {

Cid raw_cid(BytesView data) {
    return CidBuilder{1, HashCode::sha2_256}.make(Codec::raw, data).value();
}

std::vector<Cid> some_cids(std::size_t count) {
    std::vector<Cid> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(raw_cid(std::to_string(i)));
    return out;
}

TEST(DagPb, round_trips_and_writes_links_before_data) {
    const PbNode node{{{raw_cid("a"), "x", 1}, {raw_cid("b"), "", 1u << 30}}, Bytes("data")};
    const auto bytes = encode_dag_pb(node);
    EXPECT_EQ(bytes[0], 0x12);
    const auto back = decode_dag_pb(bytes).value();
    ASSERT_EQ(back.links.size(), 2u);
    EXPECT_EQ(back.links[1].cid, node.links[1].cid);
    EXPECT_EQ(back.links[0].name, "x");
    EXPECT_EQ(back.links[1].tsize, 1u << 30);
    EXPECT_EQ(back.data, node.data);
    EXPECT_EQ(encode_dag_pb(back), bytes);
    EXPECT_FALSE(decode_dag_pb("").value().data.has_value());
}

TEST(DagPb, accepts_data_first_but_not_in_the_middle) {
    const auto link = encode_dag_pb({{{raw_cid("a"), "x", 1}}, std::nullopt});
    const Bytes data("\x0a\x01z", 3);
    EXPECT_TRUE(decode_dag_pb(data + link + link));
    EXPECT_EQ(decode_dag_pb(link + data + link).error().kind, Kind::corrupt);
    EXPECT_EQ(decode_dag_pb(data + data).error().kind, Kind::corrupt);
}

TEST(DagPb, refuses_links_without_a_cid_and_unknown_fields) {
    EXPECT_EQ(decode_dag_pb(Bytes("\x12\x02\x18\x01", 4)).error().kind, Kind::corrupt);
    EXPECT_EQ(decode_dag_pb(Bytes("\x1a\x01z", 3)).error().kind, Kind::corrupt);
    EXPECT_EQ(decode_dag_pb(Bytes("\x08\x01", 2)).error().kind, Kind::corrupt);
    EXPECT_EQ(decode_dag_pb(Bytes("\x12\x05\x0a\x03"
                                  "abc",
                                  7))
                  .error()
                  .kind,
              Kind::corrupt);
}

TEST(Unixfs, reads_packed_and_unpacked_block_sizes) {
    UnixfsData message;
    message.block_sizes = {300, 2};
    message.file_size = 302;
    const auto bytes = encode_unixfs(message);
    EXPECT_EQ(hex_encode(bytes), "080218ae0220ac022002");
    EXPECT_EQ(decode_unixfs(bytes).value().block_sizes, message.block_sizes);
    const auto packed = hex_decode("080218ae022203ac0202").value();
    EXPECT_EQ(decode_unixfs(packed).value().block_sizes, message.block_sizes);
    EXPECT_EQ(decode_unixfs(hex_decode("0806").value()).error().kind, Kind::corrupt);
    EXPECT_EQ(decode_unixfs("").error().kind, Kind::corrupt);
}

TEST(Unixfs, a_leaf_is_the_node_over_its_message) {
    for (const std::size_t size : {0u, 1u, 127u, 128u, 20'000u}) {
        const auto content = Content(size).take(size);
        UnixfsData message;
        if (size > 0) message.data = content;
        message.file_size = size;
        EXPECT_EQ(encode_unixfs_leaf(UnixfsType::file, content),
                  encode_dag_pb({}, encode_unixfs(message)));
    }
}

TEST(Unixfs, sizes_that_do_not_add_up_are_corrupt) {
    const auto view = [](UnixfsData message, std::vector<PbLink> links) {
        const auto block = encode_dag_pb(links, encode_unixfs(message));
        return view_node(CidBuilder{}.make(Codec::dag_pb, block).value(), block);
    };
    UnixfsData message;
    message.block_sizes = {3};
    EXPECT_EQ(view(message, {}).error().kind, Kind::corrupt);
    message.file_size = 4;
    EXPECT_EQ(view(message, {{raw_cid("abc"), "", 3}}).error().kind, Kind::corrupt);
    message.file_size = 3;
    EXPECT_EQ(view(message, {{raw_cid("abc"), "", 3}}).value().file_size, 3u);
    message.block_sizes = {~0ull, 1};
    message.file_size.reset();
    EXPECT_EQ(view(message, {{raw_cid("abc"), "", 3}, {raw_cid("abc"), "", 3}}).error().kind,
              Kind::corrupt);
}

TEST(Murmur3, known_values) {
    // First 64 bits of MurmurHash3_x64_128 with seed 0.
    EXPECT_EQ(murmur3_x64_64(""), 0u);
    EXPECT_EQ(murmur3_x64_64("hello"), 0xcbd8a7b341bd9b02u);
    EXPECT_EQ(murmur3_x64_64("hello, world"), 0x342fac623a5ebc8eu);
    EXPECT_EQ(murmur3_x64_64("The quick brown fox jumps over the lazy dog."), 0xcd99481f9ee902c9u);
}

TEST(Hamt, takes_the_bits_of_the_hash_from_the_top) {
    HamtShard shard;
    shard.bits = 8;
    shard.prefix_size = 2;
    EXPECT_EQ(shard.slot_prefix(0x0102'0304'0506'07ff, 0).value(), "01");
    EXPECT_EQ(shard.slot_prefix(0x0102'0304'0506'07ff, 56).value(), "FF");
    EXPECT_EQ(shard.slot_prefix(0, 64).error().kind, Kind::corrupt);
    shard.bits = 3;
    shard.prefix_size = 1;
    EXPECT_EQ(shard.slot_prefix(0xe000'0000'0000'0000, 0).value(), "7");
}

TEST(DagCbor, link_maps_are_canonical_and_read_back) {
    for (const std::size_t count : {0u, 1u, 11u, 300u}) {
        const auto cids = some_cids(count);
        const auto bytes = encode_link_map(cids);
        EXPECT_EQ(decode_link_map(bytes).value(), cids);
        EXPECT_EQ(dag_cbor_links(bytes).value(), cids);
    }
    EXPECT_EQ(hex_encode(encode_link_map({})), "a0");
    EXPECT_EQ(hex_encode(encode_link_map(some_cids(1))).substr(0, 16), "a16130d82a582500");
}

TEST(DagCbor, finds_links_inside_other_values) {
    const auto cids = some_cids(2);
    auto link = encode_link_map({cids[0]}).substr(3);
    // {"a": [1, link, {"b": link}], "c": -1.5 as float64, "d": null}
    const auto block = hex_decode(
                           "a3616183"
                           "01")
                           .value() +
                       link + hex_decode("a16162").value() + link +
                       hex_decode("6163fbbff80000000000006164f6").value();
    EXPECT_EQ(dag_cbor_links(block).value(), (std::vector<Cid>{cids[0], cids[0]}));
}

TEST(DagCbor, refuses_what_is_not_one_whole_item) {
    for (const auto* hex :
         {"", "a1", "a16161", "0000", "5f", "9f", "c100", "d82a00", "d82a4101",
          "9b7fffffffffffffff", "bb7fffffffffffffff", "bbffffffffffffffff", "1c"}) {
        const auto links = dag_cbor_links(hex_decode(hex).value());
        ASSERT_FALSE(links) << hex;
        EXPECT_EQ(links.error().kind, Kind::corrupt) << hex;
    }
    EXPECT_EQ(dag_cbor_links(Bytes(200, '\x81') + "\x01").error().kind, Kind::corrupt);
    EXPECT_TRUE(dag_cbor_links(Bytes(100, '\x81') + "\x01"));
}

Bytes car_of(const std::vector<Bytes>& contents) {
    auto file = car_start({raw_cid(contents.at(0))});
    for (const auto& data : contents) file += car_section_head(raw_cid(data), data.size()) + data;
    return file;
}

TEST(Car, reads_back_what_it_wrote_from_pieces_of_any_size) {
    const std::vector<Bytes> contents{"one", Content(1).take(5000), "", "three"};
    const auto file = car_of(contents);
    for (const std::size_t step : {1u, 7u, 4096u, 100'000u}) {
        CarReader reader;
        std::vector<Bytes> read;
        for (std::size_t at = 0; at < file.size(); at += step) {
            reader.feed(BytesView(file).substr(at, step));
            while (true) {
                auto block = reader.next();
                ASSERT_TRUE(block) << block.error().text;
                if (!block.value()) break;
                read.push_back(block.value()->data);
            }
        }
        EXPECT_TRUE(reader.finish());
        EXPECT_EQ(read, contents);
        EXPECT_EQ(reader.roots().value(), std::vector<Cid>{raw_cid("one")});
    }
}

TEST(Car, refuses_a_changed_block_a_cut_file_and_version_2) {
    auto file = car_of({"one", "two"});
    file.back() ^= 1;
    CarReader changed;
    changed.feed(file);
    ASSERT_TRUE(changed.next());
    EXPECT_EQ(changed.next().error().kind, Kind::corrupt);

    CarReader cut;
    cut.feed(BytesView(file).substr(0, file.size() - 1));
    ASSERT_TRUE(cut.next());
    EXPECT_FALSE(cut.next().value().has_value());
    EXPECT_EQ(cut.finish().error().kind, Kind::corrupt);

    CarReader second;
    second.feed(hex_decode("0aa16776657273696f6e02").value());
    EXPECT_EQ(second.next().error().kind, Kind::unsupported);

    CarReader empty;
    EXPECT_EQ(empty.finish().error().kind, Kind::corrupt);
}

TEST(Car, refuses_a_section_longer_than_a_block) {
    CarReader reader;
    reader.feed(car_start({raw_cid("x")}) + hex_decode("ffffffff0f").value());
    EXPECT_EQ(reader.next().error().kind, Kind::corrupt);
}

/// Every cut and every changed byte of valid inputs gives a value or an error, never anything
/// worse.
TEST(Decoders, survive_damaged_input) {
    UnixfsData message;
    message.type = UnixfsType::hamt_shard;
    message.data = "\x01\x02";
    message.hash_type = 0x22;
    message.fanout = 256;
    const auto pb =
        encode_dag_pb({{raw_cid("a"), "00x", 1}, {raw_cid("b"), "FF", 9}}, encode_unixfs(message));
    const auto cbor = encode_link_map(some_cids(30));
    const auto car = car_of({"one", "two"});
    std::size_t refused = 0;
    const auto feed = [&](BytesView in) {
        const auto cid = CidBuilder{}.make(Codec::dag_pb, pb).value();
        refused += !view_node(cid, Bytes(in));
        refused += !dag_cbor_links(in);
        refused += !decode_link_map(in);
        refused += !decode_car_header(in);
        CarReader reader;
        reader.feed(in);
        for (auto block = reader.next(); block && block.value();) block = reader.next();
    };
    for (const auto& valid : {pb, cbor, car}) {
        for (std::size_t size = 0; size <= valid.size(); ++size)
            feed(BytesView(valid).substr(0, size));
        for (std::size_t at = 0; at < valid.size(); ++at)
            for (const auto change : {0x01, 0x80, 0xff}) {
                auto damaged = valid;
                damaged[at] ^= static_cast<char>(change);
                feed(damaged);
            }
    }
    EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace ipfscluster::dag
