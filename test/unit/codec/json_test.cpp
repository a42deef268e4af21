#include "codec/json.hpp"

#include <gtest/gtest.h>

#include "unit/codec/samples.hpp"

namespace ipfscluster::codec {
namespace {

const std::string kPeer = "12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg";
const std::string kCid = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";

TEST(Json, pin_has_gos_fields_in_gos_order) {
    Pin pin;
    pin.cid = test::cid0();
    pin.allocations = {test::peer()};
    pin.timestamp = parse_rfc3339("2026-03-01T10:00:00Z").value();
    pin.options.replication_min = 1;
    pin.options.replication_max = 2;
    pin.options.name = "logo";
    pin.options.metadata = {{"team", "web"}};
    EXPECT_EQ(
        to_json(pin),
        R"({"replication_factor_min":1,"replication_factor_max":2,"name":"logo","mode":"recursive",)"
        R"("shard_size":0,"user_allocations":[],"expire_at":"0001-01-01T00:00:00Z","metadata":{"team":"web"},)"
        R"("pin_update":null,"origins":[],"cid":")" +
            kCid + R"(","type":"pin","allocations":[")" + kPeer +
            R"("],"max_depth":-1,"reference":null,"timestamp":"2026-03-01T10:00:00Z"})");
    EXPECT_EQ(parse_json<Pin>(to_json(pin)).value(), pin);
}

TEST(Json, global_status_nests_the_short_form) {
    PinInfo row;
    row.cid = test::cid0();
    row.name = "logo";
    row.peer = test::peer();
    row.info.peername = "node-b";
    row.info.status = TrackerStatus::remote;
    const auto expected =
        R"({"cid":")" + kCid +
        R"(","name":"logo","allocations":[],"origins":[],"created":"0001-01-01T00:00:00Z",)"
        R"("metadata":{},"peer_map":{")" +
        kPeer +
        R"(":{"peername":"node-b","status":"remote","timestamp":"0001-01-01T00:00:00Z","error":"",)"
        R"("attempt_count":0,"priority_pin":false}}})";
    GlobalPinInfo global;
    global.add(row);
    EXPECT_EQ(to_json(global), expected);
    std::string local;
    append_global(local, row);
    EXPECT_EQ(local, expected);
    EXPECT_EQ(to_json(parse_json<GlobalPinInfo>(expected).value()), expected);
}

TEST(Json, running_pin_tells_what_it_has_fetched) {
    PinInfoShort info;
    info.status = TrackerStatus::pinning;
    info.fetched_blocks = 7;
    info.fetched_bytes = 1 << 20;
    const auto text = to_json(info);
    EXPECT_TRUE(
        text.ends_with(R"("priority_pin":false,"fetched_blocks":7,"fetched_bytes":1048576})"))
        << text;
    const auto whole = R"({"cid":")" + kCid + R"(","peer_map":{")" + kPeer + "\":" + text + "}}";
    const auto back = parse_json<GlobalPinInfo>(whole);
    ASSERT_TRUE(back);
    EXPECT_EQ(to_json(back.value().peer_map.begin()->second), text);
}

TEST(Json, identity_leaves_out_an_unknown_ipfs_id) {
    PeerInfo info;
    info.id = test::peer();
    info.version = "1.1.6";
    info.ipfs.error = "down";
    EXPECT_EQ(to_json(info),
              R"({"id":")" + kPeer +
                  R"(","addresses":[],"cluster_peers":[],"cluster_peers_addresses":[],)"
                  R"("version":"1.1.6","commit":"","rpc_protocol_version":"","error":"",)"
                  R"("ipfs":{"addresses":[],"error":"down"},"peername":""})");
}

TEST(Json, smaller_documents) {
    EXPECT_EQ(to_json(JsonError{404, "pin is not part of the pinset"}),
              R"({"code":404,"message":"pin is not part of the pinset"})");
    EXPECT_EQ(to_json(Version{"1.1.6"}), R"({"version":"1.1.6"})");
    EXPECT_EQ(to_json(RepoStat{1, UINT64_MAX}),
              R"({"RepoSize":1,"StorageMax":18446744073709551615})");
    EXPECT_EQ(to_json(AddedOutput{"a", {}, 5, 0, {}}), R"({"name":"a","cid":null,"bytes":5})");
    EXPECT_EQ(
        to_json(AddedOutput{"", test::cid0(), 0, 19, {test::peer()}}),
        R"({"name":"","cid":")" + kCid + R"(","size":19,"allocations":[")" + kPeer + R"("]})");
    EXPECT_EQ(to_json(RepoGcKey{}), R"({"key":null})");
    EXPECT_EQ(to_json(BandwidthByProtocol{{"", {1, 2, 0.5, 3}}}),
              R"({"":{"total_in":1,"total_out":2,"rate_in":0.5,"rate_out":3}})");
}

TEST(Json, text_is_escaped_as_go_does_and_bad_utf8_replaced) {
    std::string out;
    append_json(out,
                std::string_view("<a&b>\"\\\n\x01\xe2\x80\xa8 \xc3\xa4 \xff \xed\xa0\x80\x7f"));
    EXPECT_EQ(out,
              "\"\\u003ca\\u0026b\\u003e\\\"\\\\\\n\\u0001\\u2028 \xc3\xa4 \\ufffd "
              "\\ufffd\\ufffd\\ufffd\x7f\"");
}

TEST(Json, map_keys_are_sorted_by_their_text) {
    test::Samples s(1);
    GlobalPinInfo g;
    for (int i = 0; i < 20; ++i) g.peer_map[s.peer()] = {};
    const auto text = to_json(g);
    std::string last;
    for (auto at = text.find("12D3"); at != std::string::npos; at = text.find("\"12D3", at + 1)) {
        const auto key = text.substr(at + (text[at] == '"' ? 1 : 0), 52);
        EXPECT_LT(last, key);
        last = key;
    }
}

TEST(Json, random_values_survive) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        test::Samples s(seed);
        const auto pin = s.pin();
        EXPECT_EQ(parse_json<Pin>(to_json(pin)).value(), pin) << seed;
        const auto global = to_json(s.global());
        EXPECT_EQ(to_json(parse_json<GlobalPinInfo>(global).value()), global);
        const auto info = to_json(s.peer_info());
        EXPECT_EQ(to_json(parse_json<PeerInfo>(info).value()), info);
        const auto metric = to_json(s.metric());
        EXPECT_EQ(to_json(parse_json<Metric>(metric).value()), metric);
    }
}

TEST(Json, nulls_and_missing_fields_are_zero) {
    const auto pin =
        parse_json<Pin>(R"({"cid":")" + kCid + R"(","allocations":null,"metadata":null})").value();
    EXPECT_EQ(pin.max_depth, -1);
    EXPECT_EQ(pin.type, PinType::data);
    EXPECT_EQ(parse_json<Pin>(R"({"mode":"direct"})").value().max_depth, 0);
}

TEST(Json, errors_name_the_field) {
    const auto bad = parse_json<Pin>(R"({"cid":"nonsense"})");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().kind, Kind::invalid);
    EXPECT_NE(bad.error().text.find("cid"), std::string::npos);
    EXPECT_FALSE(parse_json<Pin>(R"({"type":"nonsense"})"));
    EXPECT_FALSE(parse_json<Pin>(R"({"replication_factor_min":99999999999})"));
    EXPECT_FALSE(parse_json<Pin>("{"));
    EXPECT_FALSE(parse_json<Pin>("[]"));
    EXPECT_FALSE(parse_json<Pin>(std::string(1000, '[')));
}

}  // namespace
}  // namespace ipfscluster::codec
