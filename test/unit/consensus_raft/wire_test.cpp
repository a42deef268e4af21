#include "consensus/raft/wire.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"

namespace ipfscluster::raft {
namespace {

PeerId peer(char fill) {
    return PeerId::from_bytes(Bytes("\x00\x24\x08\x01\x12\x20", 6) + Bytes(32, fill)).value();
}

ClusterFacts facts_of(char fill) {
    ClusterFacts facts;
    storage::Batch batch;
    facts.set_cordon(batch, peer(fill), {component::Cordon::Kind::draining, true, Time{}});
    return facts;
}

TEST(raft_wire, hello_has_fixed_bytes) {
    const Hello hello{kWireVersion,   Purpose::messages,  0x0102030405060708,
                      Bytes(32, 'c'), 0x1112131415161718, 0x21222324};
    EXPECT_EQ(hex_encode(encode(hello)), "0201010203040506070820" + hex_encode(Bytes(32, 'c')) +
                                             "1112131415161718" + "21222324" + "0000000000000000");
    const auto back = decode_hello(encode(hello)).value();
    EXPECT_EQ(back.node, hello.node);
    EXPECT_EQ(back.cluster_id, hello.cluster_id);
    EXPECT_EQ(back.wanted, hello.wanted);
    EXPECT_EQ(back.feature_level, hello.feature_level);
}

TEST(raft_wire, of_another_version_only_the_version_is_read) {
    // Version 1 ended behind the cluster id; nobody knows what version 9 holds.
    const Bytes first = Bytes("\x01\x01", 2) + Bytes(8, 'n') + Bytes(1, 32) + Bytes(32, 'c');
    for (const auto& bytes : {first, Bytes("\x09", 1)}) {
        const auto hello = decode_hello(bytes);
        ASSERT_TRUE(hello) << hello.error().text;
        EXPECT_EQ(hello.value().version, static_cast<std::uint8_t>(bytes[0]));
        EXPECT_EQ(hello.value().node, 0u);
    }
    const auto reply = decode_hello_reply(Bytes("\x09\x01", 2));
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply.value().version, 9);
    EXPECT_EQ(reply.value().status, HelloStatus::wrong_version);
    EXPECT_FALSE(decode_hello_reply(Bytes("\x09", 1)));
}

TEST(raft_wire, a_hello_reply_returns_as_it_went) {
    HelloReply reply;
    reply.status = HelloStatus::wrong_cluster;
    reply.node = 7;
    reply.knows_opener = true;
    reply.text = "why";
    reply.feature_level = 9;
    const auto back = decode_hello_reply(encode(reply)).value();
    EXPECT_EQ(back.status, HelloStatus::wrong_cluster);
    EXPECT_TRUE(back.knows_opener);
    EXPECT_FALSE(back.has_cluster);
    EXPECT_EQ(back.feature_level, 9u);
    EXPECT_FALSE(back.lists_opener);
    reply.lists_opener = true;
    EXPECT_TRUE(decode_hello_reply(encode(reply)).value().lists_opener);
    EXPECT_EQ(back.text, "why");
}

TEST(raft_wire, snapshot_frames_return_as_they_went) {
    const SnapshotRequest request{{5, 6}, "key", 12, "digest"};
    const auto back = decode_snapshot_request(encode(request)).value();
    EXPECT_EQ(back.token, request.token);
    EXPECT_EQ(back.after, "key");
    EXPECT_EQ(back.rows, 12u);
    const SnapshotPieceFrame piece{"rows", "last", 3, true};
    const auto piece_back = decode_snapshot_piece(encode(piece)).value();
    EXPECT_EQ(piece_back.rows, "rows");
    EXPECT_TRUE(piece_back.last);
    SnapshotEnd end{4, "d", Bytes(32, 'c'), {{9, {peer('a'), 3, true}}}, facts_of('a')};
    const auto end_back = decode_snapshot_end(encode(end)).value();
    EXPECT_EQ(end_back.nodes, end.nodes);
    EXPECT_EQ(end_back.facts.cordons(), end.facts.cordons());
    EXPECT_EQ(end_back.facts.cordons().size(), 1u);
}

TEST(raft_wire, a_membership_change_and_its_answer_return_as_they_went) {
    const ChangeRequest request{ChangeOp::add_learner, 77, peer('b').bytes(), 3};
    const auto back = decode_change_request(encode(request)).value();
    EXPECT_EQ(back.op, ChangeOp::add_learner);
    EXPECT_EQ(back.node, 77u);
    EXPECT_EQ(back.context, peer('b').bytes());
    EXPECT_EQ(back.feature_level, 3u);
    const auto reply = decode_change_reply(encode(ChangeReply{ChangeVerdict::refused, "why"}));
    EXPECT_EQ(reply.value().verdict, ChangeVerdict::refused);
    EXPECT_EQ(reply.value().text, "why");
    EXPECT_FALSE(decode_change_request(Bytes(1, 3) + Bytes(13, '\0')));
    // Every member would end when it applies one.
    EXPECT_FALSE(decode_change_request(encode(ChangeRequest{ChangeOp::add_learner, 77, "x", 3})));
    EXPECT_FALSE(decode_change_request(encode(ChangeRequest{ChangeOp::add_voter, 77, "", 3})));
    EXPECT_FALSE(decode_change_reply(Bytes(1, 3) + Bytes(1, '\0')));
}

/// As earlier builds of this version end.
Bytes without_end(Bytes bytes, std::size_t count) {
    bytes.resize(bytes.size() - count);
    return bytes;
}

TEST(raft_wire, what_is_said_about_another_node_returns_or_is_not_there) {
    Hello hello;
    hello.about = 5;
    EXPECT_EQ(decode_hello(encode(hello)).value().about, 5u);
    EXPECT_EQ(decode_hello(without_end(encode(hello), 8)).value().about, 0u);
    EXPECT_FALSE(decode_hello(without_end(encode(hello), 7)));
    HelloReply reply;
    reply.answers_about = true;
    reply.about = "peer";
    const auto back = decode_hello_reply(encode(reply)).value();
    EXPECT_TRUE(back.answers_about);
    EXPECT_EQ(back.about, "peer");
    EXPECT_FALSE(decode_hello_reply(without_end(encode(reply), 6)).value().answers_about);
    EXPECT_FALSE(decode_hello_reply(without_end(encode(reply), 5)));
}

TEST(raft_wire, every_truncation_is_refused) {
    HelloReply reply;
    reply.text = "text";
    SnapshotEnd end{4, "d", Bytes(32, 'c'), {{9, {peer('a'), 3, true}}}, facts_of('a')};
    const std::vector<std::pair<Bytes, std::function<bool(BytesView)>>> cases = {
        {without_end(encode(Hello{}), 8),
         [](BytesView in) { return decode_hello(in).has_value(); }},
        {without_end(encode(reply), 2),
         [](BytesView in) { return decode_hello_reply(in).has_value(); }},
        {encode(SnapshotRequest{{1, 2}, "k", 3, "d"}),
         [](BytesView in) { return decode_snapshot_request(in).has_value(); }},
        {encode(ChangeRequest{ChangeOp::remove, 1, "c"}),
         [](BytesView in) { return decode_change_request(in).has_value(); }},
        {encode(ChangeReply{ChangeVerdict::later, "t"}),
         [](BytesView in) { return decode_change_reply(in).has_value(); }},
        {encode(SnapshotPieceFrame{"r", "k", 1, true}),
         [](BytesView in) { return decode_snapshot_piece(in).has_value(); }},
        {encode(end), [](BytesView in) { return decode_snapshot_end(in).has_value(); }},
    };
    for (const auto& [bytes, decode] : cases) {
        EXPECT_TRUE(decode(bytes));
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(decode(BytesView(bytes).substr(0, size))) << size;
    }
    // A length far beyond the input asks for no memory.
    EXPECT_FALSE(
        decode_hello(Bytes("\x02\x01\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x01", 19)));
}

TEST(raft_wire, node_ids_depend_on_peer_and_incarnation) {
    EXPECT_NE(make_node_id(peer('a'), "x"), make_node_id(peer('b'), "x"));
    EXPECT_NE(make_node_id(peer('a'), "x"), make_node_id(peer('a'), "y"));
    EXPECT_EQ(make_node_id(peer('a'), "x"), make_node_id(peer('a'), "x"));
}

TEST(raft_wire, a_cluster_id_is_that_of_the_set) {
    EXPECT_EQ(make_cluster_id({peer('a'), peer('b')}),
              make_cluster_id({peer('b'), peer('a'), peer('a')}));
    EXPECT_NE(make_cluster_id({peer('a')}), make_cluster_id({peer('a'), peer('b')}));
    const auto plain = make_cluster_id({peer('a'), peer('b')});
    EXPECT_EQ(make_cluster_id({peer('a'), peer('b')}, ""), plain);
    EXPECT_NE(make_cluster_id({peer('a'), peer('b')}, "one import"), plain);
    EXPECT_NE(make_cluster_id({peer('a'), peer('b')}, "one import"),
              make_cluster_id({peer('a'), peer('b')}, "two import"));
    const auto lone = make_lone_cluster_id(peer('a'), Bytes(32, 'i'));
    EXPECT_EQ(make_lone_cluster_id(peer('a'), Bytes(32, 'i'), ""), lone);
    EXPECT_NE(make_lone_cluster_id(peer('a'), Bytes(32, 'j')), lone);
    EXPECT_NE(make_lone_cluster_id(peer('b'), Bytes(32, 'i')), lone);
    EXPECT_NE(make_lone_cluster_id(peer('a'), Bytes(32, 'i'), "one import"), lone);
    EXPECT_NE(make_cluster_id({peer('a')}), lone);
}

}  // namespace
}  // namespace ipfscluster::raft
