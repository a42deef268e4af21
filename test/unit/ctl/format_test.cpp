#include "cli/ctl/format.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::ctl {
namespace {

const std::string kCid = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
const std::string kA = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const std::string kB = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";

PeerId id(const std::string& text) {
    return PeerId::parse(text).value();
}
Time at(const char* text) {
    return parse_rfc3339(text).value();
}

TEST(Format, peers) {
    PeerInfo peer;
    peer.id = id(kA);
    peer.peername = "alpha";
    peer.cluster_peers = {id(kA), id(kB)};
    peer.addresses = {Multiaddr::parse("/ip4/127.0.0.1/tcp/9096").value(),
                      Multiaddr::parse("/ip4/10.0.0.1/tcp/9096").value()};
    peer.ipfs.error = "connection refused";
    EXPECT_EQ(text_of(peer), kA + " | alpha | Sees 1 other peers\n  > Addresses:\n"
                                  "    - /ip4/10.0.0.1/tcp/9096\n    - /ip4/127.0.0.1/tcp/9096\n"
                                  "  > IPFS ERROR: connection refused\n");
    peer.ipfs.error.clear();
    peer.ipfs.id = id(kB);
    EXPECT_NE(text_of(peer).find("  > IPFS: " + kB + "\n"), std::string::npos);
    peer.error = "dial failed";
    EXPECT_EQ(text_of(peer), kA + " | ERROR: dial failed\n");
}

TEST(Format, what_is_told_about_a_peer_stands_behind_what_it_says_itself) {
    PeerInfo peer;
    peer.id = id(kA);
    peer.error = "dial failed";
    peer.note.away_since = at("2026-01-31T12:00:00Z");
    peer.note.cordon = "leaving";
    peer.note.cordon_since = at("2026-01-31T11:00:00Z");
    peer.note.left = 17;
    const std::string lines =
        "  > Away since 2026-01-31T12:00:00Z\n"
        "  > Leaving since 2026-01-31T11:00:00Z, 17 pins left\n";
    EXPECT_EQ(text_of(peer), kA + " | ERROR: dial failed\n" + lines);
    peer.error.clear();
    peer.note = {};
    const auto plain = text_of(peer);
    EXPECT_EQ(plain.find("since"), std::string::npos);
    peer.note.cordon = "cordoned";
    peer.note.cordon_since = at("2026-01-31T11:00:00Z");
    EXPECT_EQ(text_of(peer), plain + "  > Cordoned since 2026-01-31T11:00:00Z\n");
    // Through JSON as well.
    const auto read = codec::parse_json<PeerInfo>(codec::to_json(peer));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(text_of(read.value()), text_of(peer));
}

TEST(Format, what_a_peer_that_is_emptied_has) {
    DrainReport report;
    report.peer = id(kA);
    report.kind = "draining";
    report.since = at("2026-01-31T12:00:00Z");
    report.pins = 12;
    report.everywhere = 4;
    report.blocked = 1;
    report.stuck.push_back({Cid::parse(kCid).value(), "no room"});
    EXPECT_EQ(text_of(report),
              kA +
                  " | DRAINING since 2026-01-31T12:00:00Z | AWAY\n"
                  "  > Pins: 12 | Kept for others: unknown | Held by every peer: 4 | Stores: "
                  "unknown\n"
                  "  > Cannot move: 1 | Wait for long: 0\n    - " +
                  kCid + ": no room\n");
    report.alive = true;
    report.kept = 3;
    report.bytes = 2'000'000;
    report.everything = true;
    report.moved = 7;
    EXPECT_NE(text_of(report).find(" | EVERYTHING\n"), std::string::npos);
    EXPECT_NE(text_of(report).find("  > Moved: 7\n"), std::string::npos);
    const auto read = codec::parse_json<DrainReport>(codec::to_json(report));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(text_of(read.value()), text_of(report));
    EXPECT_EQ(read.value().left(), 15u);
}

TEST(Format, status) {
    GlobalPinInfo status;
    status.cid = Cid::parse(kCid).value();
    status.name = "holiday photos";
    auto& alpha = status.peer_map[id(kA)];
    alpha.peername = "alpha";
    alpha.status = TrackerStatus::pinned;
    alpha.timestamp = at("2026-01-31T12:00:00Z");
    auto& beta = status.peer_map[id(kB)];
    beta.peername = "beta";
    beta.status = TrackerStatus::pin_error;
    beta.error = "context deadline exceeded";
    beta.timestamp = at("2026-01-31T12:00:05.25Z");
    beta.attempt_count = 3;
    beta.priority_pin = true;
    beta.fetched_blocks = 12;
    beta.fetched_bytes = 3'000'000;
    EXPECT_EQ(text_of(status),
              kCid +
                  " | holiday photos:\n"
                  "    > alpha                : PINNED | 2026-01-31T12:00:00Z | Attempts: 0 | "
                  "Priority: false\n"
                  "    > beta                 : PIN_ERROR: context deadline exceeded | "
                  "2026-01-31T12:00:05.25Z | Attempts: 3 | Priority: true | Fetched: 12 blocks, "
                  "3000000 bytes\n");
}

TEST(Format, pins) {
    Pin pin;
    pin.cid = Cid::parse(kCid).value();
    pin.options.name = "photos";
    pin.options.replication_min = 2;
    pin.options.replication_max = 3;
    pin.allocations = {id(kB), id(kA)};
    pin.options.metadata = {{"a", "b"}};
    pin.options.expire_at = at("2026-02-01T12:00:00Z");
    pin.timestamp = at("2026-01-31T12:00:00Z");
    EXPECT_EQ(text_of(pin), kCid + " | photos | PIN | Repl. Factor: 2--3 | Allocations: [" + kA +
                                " " + kB +
                                "] | Recursive | Metadata: yes | Exp: 2026-02-01 12:00:00 | Added: "
                                "2026-01-31 12:00:00\n");
    Pin direct;
    direct.cid = pin.cid;
    direct.options.mode = PinMode::direct;
    direct.options.replication_min = direct.options.replication_max = -1;
    direct.max_depth = 0;
    EXPECT_EQ(text_of(direct),
              kCid +
                  " |  | PIN-DIRECT | Repl. Factor: -1 | Allocations: [everywhere] "
                  "| Direct | Metadata: no | Exp: ∞ | Added: unknown\n");
}

TEST(Format, garbage_collection_and_metrics) {
    GlobalRepoGc gc;
    auto& alpha = gc.peer_map[id(kA)];
    alpha.peername = "alpha";
    alpha.keys = {{Cid::parse(kCid).value(), ""}, {{}, "could not remove block"}};
    gc.peer_map[id(kB)] = {id(kB), "beta", {}, "connection refused"};
    EXPECT_EQ(text_of(gc), "alpha          \n  > CIDs:\n    - " + kCid +
                               "\n    - ERROR: could not remove block\n"
                               "beta            | ERROR: connection refused\n  > CIDs:\n");
    Metric metric;
    metric.name = "freespace";
    metric.peer = id(kA);
    metric.weight = 10'000'000'000;
    metric.expire = at("2026-01-31T12:00:18Z");
    const Time now = at("2026-01-31T12:00:00Z");
    EXPECT_EQ(text_of(metric, now), kA + " | freespace: 10 GB | Expires in: 18 seconds from now\n");
    EXPECT_EQ(text_of(Alert{metric, now - std::chrono::minutes(1)}, now + std::chrono::minutes(2)),
              kA + ": freespace. Expired at: 1 minute ago. Triggered at: 3 minutes ago\n");
    metric.name = "clock";
    metric.value = "its clock is wrong";
    metric.expire = kTimeUnset;
    EXPECT_EQ(text_of(Alert{metric, now - std::chrono::minutes(1)}, now),
              kA + ": clock: its clock is wrong. Triggered at: 1 minute ago\n");
}

TEST(Format, errors_and_json) {
    EXPECT_EQ(error_block(404, "gone", false),
              "An error occurred:\n  Code: 404\n  Message: gone\n");
    EXPECT_EQ(error_block(404, "a<b", true),
              "{\n    \"code\": 404,\n    \"message\": \"a\\u003cb\"\n}\n");
    EXPECT_EQ(text_of(AddedOutput{"", Cid::parse(kCid).value(), 0, 0, {}}),
              "added " + kCid + " \n");
}

TEST(Format, graph) {
    ConnectGraph graph;
    graph.cluster_id = id(kA);
    graph.cluster_links = {{id(kA), {id(kB)}}, {id(kB), {id(kA)}}};
    graph.id_to_peername = {{id(kA), "alpha"}, {id(kB), "beta"}};
    graph.cluster_trust_links = {{id(kB), true}};
    graph.cluster_to_ipfs = {{id(kA), id(kB)}};
    const std::string dot = dot_graph(graph, false);
    EXPECT_TRUE(dot.starts_with("digraph cluster {\n"));
    EXPECT_NE(
        dot.find("C0 [label=< <B> alpha </B> <BR/> <B> 12*AJU5SA </B> > group=\"" + kA + "\""),
        std::string::npos);
    EXPECT_NE(dot.find("C0 -> T1\nT1 -> C0\n"), std::string::npos) << dot;
    EXPECT_NE(dot.find("C0 -> I0\nT1 -> I1 [ style=\"dotted\" ]\n"), std::string::npos) << dot;
    EXPECT_TRUE(dot.ends_with("}"));
}

}  // namespace
}  // namespace ipfscluster::ctl
