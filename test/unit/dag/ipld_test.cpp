#include "dag/ipld.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "dag/links.hpp"

namespace ipfscluster::dag {
namespace {

constexpr auto kPb = static_cast<std::uint64_t>(Codec::dag_pb);
constexpr auto kCbor = static_cast<std::uint64_t>(Codec::dag_cbor);
constexpr auto kJson = static_cast<std::uint64_t>(Codec::dag_json);

constexpr const char* kEverything =
    R"([1,-1,0,9223372036854775807,-9223372036854775808,1.5,1e21,1e-7,0.000001,true,false,null,)"
    R"("é\n\u0001\"",{"b":1,"aa":2,"a":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"},)"
    R"("bytes":{"/":{"bytes":"AQID"}}}])";

/// What Kubo 0.43 makes of a document: `dag put --store-codec dag-cbor` and its `dag get`.
struct Vector {
    const char* json;
    const char* cbor;  ///< hexadecimal
    const char* cid;
    const char* shown;
};
const Vector kVectors[] = {
    {R"({"hello":"world"})", "a16568656c6c6f65776f726c64",
     "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae", R"({"hello":"world"})"},
    {kEverything,
     "8e0120001b7fffffffffffffff3b7ffffffffffffffffb3ff8000000000000fb444b1ae4d6e2ef50fb3e7ad7f29a"
     "bcaf48fb3eb0c6f7a0b5ed8df5f4f665c3a90a0122a46161d82a582300122059948439065f29619ef41280cbb932"
     "be52c56d99c5966b65e0111239f098bbef6162016261610265627974657343010203",
     "bafyreianrdivird4surta27rq65k2ru4j7tbfad64acv3imr3fylutrpqi",
     R"([1,-1,0,9223372036854775807,-9223372036854775808,1.5,1e+21,1e-7,0.000001,true,false,null,)"
     R"("é\n\u0001\"",{"a":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"},"aa":2,"b":1,)"
     R"("bytes":{"/":{"bytes":"AQID"}}}])"},
    {R"({"/":"x","b":1})", "a2612f6178616201",
     "bafyreifigahwcitbm76dwwmenaq6bgke4lbh4qakrglc63jymltbxkpou4", R"({"/":"x","b":1})"},
    {"1.0", "fb3ff0000000000000", "bafyreihtx752fmf3zafbys5dtr4jxohb53yi3qtzfzf6wd5274jwtn5agu",
     "1"},
    {R"({"a":"\ud83d\ude00"})", "a1616164f09f9880",
     "bafyreiczf3f6wwlpz6t2ea252mnbqbee74eh7jivxglfi777akodgpekfa", R"({"a":"😀"})"},
};

TEST(Ipld, documents_become_kubos_cbor_and_back) {
    for (const auto& vector : kVectors) {
        const auto node = decode_ipld(kJson, vector.json);
        ASSERT_TRUE(node) << vector.json << ": " << node.error().text;
        const auto cbor = encode_ipld(kCbor, node.value()).value();
        EXPECT_EQ(hex_encode(cbor), vector.cbor);
        const auto cid = CidBuilder{1, HashCode::sha2_256}.make(Codec::dag_cbor, cbor).value();
        EXPECT_EQ(cid.to_string(), vector.cid);
        const auto read = decode_ipld(kCbor, cbor);
        ASSERT_TRUE(read) << read.error().text;
        EXPECT_EQ(encode_ipld(kJson, read.value()).value(), vector.shown);
    }
}

TEST(Ipld, dag_pb_keeps_what_is_absent_and_sorts_links) {
    const auto node = decode_ipld(
        kJson,
        R"({"Data":{"/":{"bytes":"CAE"}},"Links":[)"
        R"({"Hash":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"},"Name":"z","Tsize":5},)"
        R"({"Hash":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"},"Name":"a"},)"
        R"({"Hash":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"}}]})");
    const auto block = encode_ipld(kPb, node.value());
    ASSERT_TRUE(block) << block.error().text;
    EXPECT_EQ(
        hex_encode(block.value()),
        "12240a22122059948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef12270a2212"
        "2059948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef12016112290a22122059"
        "948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef12017a18050a020801");
    const auto shown = encode_ipld(kJson, decode_ipld(kPb, block.value()).value()).value();
    EXPECT_EQ(
        shown,
        R"({"Data":{"/":{"bytes":"CAE"}},"Links":[)"
        R"({"Hash":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"},"Name":null,"Tsize":null},)"
        R"({"Hash":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"},"Name":"a","Tsize":null},)"
        R"({"Hash":{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"},"Name":"z","Tsize":5}]})");
    EXPECT_EQ(encode_ipld(kJson, decode_ipld(kPb, "").value()).value(),
              R"({"Data":null,"Links":[]})");
}

TEST(Ipld, bad_documents_are_refused) {
    for (const char* text : {"",
                             "{",
                             "[1",
                             "[1,]",
                             "{\"a\"}",
                             "{\"a\":1,\"a\":2}",
                             "\"x\" y",
                             "01",
                             "1.",
                             "+1",
                             ".5",
                             "1e",
                             "18446744073709551615",
                             "9223372036854775808",
                             "-9223372036854775809",
                             "nul",
                             "\"\\x\"",
                             "\"\x01\"",
                             "\"\xff\"",
                             "{\"/\":\"nonsense\"}",
                             "{\"/\":{\"bytes\":\"*\"}}",
                             "1e400"})
        EXPECT_FALSE(decode_ipld(kJson, text)) << text;
    for (const char* hex : {"", "81", "a10102", "a2616101616102", "c001", "f97e00",
                            "fb7ff0000000000000", "9f01ff", "e0", "0101"})
        EXPECT_FALSE(decode_ipld(kCbor, hex_decode(hex).value())) << hex;
    const auto number = decode_ipld(kJson, "1").value();
    EXPECT_FALSE(encode_ipld(kPb, number));
    EXPECT_FALSE(encode_ipld(static_cast<std::uint64_t>(Codec::raw), number));
    EXPECT_EQ(encode_ipld(0x51, number).error().kind, Kind::unsupported);
    EXPECT_FALSE(encode_ipld(kPb, decode_ipld(kJson, R"({"Links":[{"Name":"a"}]})").value()));
}

TEST(Ipld, nesting_and_number_of_values_are_bounded) {
    EXPECT_TRUE(decode_ipld(kJson, std::string(100, '[') + std::string(100, ']')));
    EXPECT_FALSE(decode_ipld(kJson, std::string(100'000, '[')));
    EXPECT_FALSE(decode_ipld(kCbor, std::string(100'000, '\x81')));
    std::string many = "[0";
    for (std::size_t i = 0; i <= kIpldItemsMax; ++i) many += ",0";
    EXPECT_EQ(decode_ipld(kJson, many + "]").error().kind, Kind::unsupported);
}

TEST(Ipld, links_of_a_dag_json_block_are_followed) {
    const std::string block =
        R"({"a":[{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"}],"b":{"/":"bafkqaaa"}})";
    const auto cid = CidBuilder{1, HashCode::sha2_256}.make(Codec::dag_json, block).value();
    const auto links = child_links(cid, block);
    ASSERT_TRUE(links) << links.error().text;
    EXPECT_EQ(links.value().size(), 2u);
}

}  // namespace
}  // namespace ipfscluster::dag
