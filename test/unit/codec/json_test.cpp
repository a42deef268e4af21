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

TEST(Json, a_member_tells_its_note_only_while_there_is_one) {
    PeerInfo info;
    info.note.cordon_since = test::at(9);  // nothing without a cordon
    EXPECT_TRUE(to_json(info).ends_with(R"("peername":""})")) << to_json(info);
    info.note = {"draining", test::at(1772359200), 0, test::at(1772359201)};
    const auto text = to_json(info);
    EXPECT_TRUE(text.ends_with(
        R"("peername":"","cordon":"draining","cordon_since":"2026-03-01T10:00:00Z","left":0,)"
        R"("away_since":"2026-03-01T10:00:01Z"})"))
        << text;
    EXPECT_EQ(to_json(parse_json<PeerInfo>(text).value()), text);
}

TEST(Json, a_drain_report_shows_unknown_numbers_as_null) {
    DrainReport report;
    const std::string zero =
        R"({"kind":"","since":"0001-01-01T00:00:00Z","everything":false,"alive":false,"left":0,)"
        R"("pins":0,"kept":null,"everywhere":0,"moved":null,"bytes":null,"blocked":0,"waiting":0,)"
        R"("stuck":[]})";
    EXPECT_EQ(to_json(report), zero);
    EXPECT_EQ(to_json(parse_json<DrainReport>(zero).value()), zero);
    report = {.peer = test::peer(),
              .kind = "leaving",
              .since = test::at(1772359200),
              .everything = true,
              .alive = true,
              .pins = 3,
              .everywhere = 4,
              .kept = 5,
              .moved = 6,
              .bytes = 0,
              .blocked = 1,
              .waiting = 2,
              .stuck = {{test::cid0(), "full"}}};
    const std::string full =
        R"({"id":")" + kPeer +
        R"(","kind":"leaving","since":"2026-03-01T10:00:00Z","everything":true,"alive":true,)"
        R"("left":8,"pins":3,"kept":5,"everywhere":4,"moved":6,"bytes":0,"blocked":1,)"
        R"("waiting":2,)"
        R"("stuck":[{"cid":")" +
        kCid + R"(","reason":"full"}]})";
    EXPECT_EQ(to_json(report), full);
    EXPECT_EQ(to_json(parse_json<DrainReport>(full).value()), full);
}

TEST(Json, metrics_and_alerts_count_nanoseconds) {
    const Metric metric{"ping", test::peer(), "{}", test::at(1, 5), true, -2, true, test::at(3)};
    const auto fields = R"({"name":"ping","peer":")" + kPeer +
                        R"(","value":"{}","expire":1000000005,"valid":true,"weight":-2,)"
                        R"("partitionable":true,"received_at":3000000000)";
    EXPECT_EQ(to_json(metric), fields + "}");
    const auto alert = fields + R"(,"triggered_at":"2026-03-01T10:00:00Z"})";
    EXPECT_EQ(to_json(Alert{metric, test::at(1772359200)}), alert);
    EXPECT_EQ(to_json(parse_json<Alert>(alert).value()), alert);
    EXPECT_EQ(to_json(Metric{}), R"({"name":"","value":"","expire":0,"valid":false,"weight":0,)"
                                 R"("partitionable":false,"received_at":0})");
}

TEST(Json, the_graph_and_collections_of_all_peers) {
    const auto id = test::peer();
    const ConnectGraph graph{id, {{id, "a"}}, {{id, {id}}}, {{id, {}}}, {{id, true}}, {{id, id}}};
    const auto text = R"({"cluster_id":"P","id_to_peername":{"P":"a"},"ipfs_links":{"P":["P"]},)"
                      R"("cluster_links":{"P":[]},"cluster_trust_links":{"P":true},)"
                      R"("cluster_to_ipfs":{"P":"P"}})";
    std::string expected;
    for (const char c : std::string_view(text)) c == 'P' ? expected += kPeer : expected += c;
    EXPECT_EQ(to_json(graph), expected);
    EXPECT_EQ(to_json(parse_json<ConnectGraph>(expected).value()), expected);

    const GlobalRepoGc collected{{{id, {id, "a", {{test::cid0(), "in use"}, {}}, "half"}}}};
    const auto rows = R"({"peer_map":{")" + kPeer + R"(":{"peer":")" + kPeer +
                      R"(","peername":"a","keys":[{"key":")" + kCid +
                      R"(","error":"in use"},{"key":null}],"error":"half"}}})";
    EXPECT_EQ(to_json(collected), rows);
    EXPECT_EQ(to_json(parse_json<GlobalRepoGc>(rows).value()), rows);
    EXPECT_EQ(to_json(RepoGc{}), R"({"peername":"","keys":[]})");
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
    EXPECT_EQ(parse_json<Pin>(R"({"mode":"nonsense","max_depth":null})").value().max_depth, 0);
    EXPECT_EQ(parse_json<Pin>(R"({"max_depth":-1,"mode":"direct"})").value().max_depth, -1);
}

TEST(Json, errors_name_the_field) {
    const auto bad = parse_json<Pin>(R"({"cid":"nonsense"})");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().kind, Kind::invalid);
    EXPECT_NE(bad.error().text.find("cid"), std::string::npos);
    EXPECT_EQ(parse_json<Pin>(R"({"type":"nonsense"})").error().text,
              "JSON: type: unknown word \"nonsense\"");
    EXPECT_FALSE(parse_json<Pin>(R"({"replication_factor_min":99999999999})"));
    EXPECT_FALSE(parse_json<Pin>("{"));
    EXPECT_FALSE(parse_json<Pin>("[]"));
    EXPECT_FALSE(parse_json<Pin>(std::string(1000, '[')));
}

}  // namespace
}  // namespace ipfscluster::codec
