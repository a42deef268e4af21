#include "consensus/raft/wire.hpp"

#include "coroutine.hpp"
#include "support/pins.hpp"

// What peers say to each other about raft: hellos, snapshot transfers, the table of nodes. The
// first byte chooses the decoder; 0 is a stream of frames.
namespace ipfscluster::fuzz {
namespace {

template <class T, Result<T> (*kDecode)(BytesView)>
void check(BytesView in) {
    const auto value = kDecode(in);
    if (!value) return;
    const auto bytes = raft::encode(value.value());
    const auto again = kDecode(bytes);
    require(again && raft::encode(again.value()) == bytes, "a value is read again");
}

void check_nodes(BytesView in) {
    if (const auto record = raft::decode_node_record(in)) {
        const auto again = raft::decode_node_record(raft::encode_node_record(record.value()));
        require(again && again.value() == record.value(), "a node record is read again");
    }
    if (const auto table = raft::decode_node_table(in)) {
        const auto again = raft::decode_node_table(raft::encode_node_table(table.value()));
        require(again && again.value() == table.value(), "a node table is read again");
    }
}

void check_facts(BytesView in) {
    if (const auto fact = raft::decode_cordon_fact(in)) {
        const auto bytes = raft::encode_cordon_fact(fact.value());
        const auto again = raft::decode_cordon_fact(bytes);
        require(again && raft::encode_cordon_fact(again.value()) == bytes, "a fact is read again");
    }
    if (const auto facts = raft::ClusterFacts::decode(in)) {
        const auto again = raft::ClusterFacts::decode(facts.value().encode());
        require(again && again.value().encode() == facts.value().encode(), "facts are read again");
    }
}

Async<std::size_t> read_frames(net::StreamPtr stream) {
    raft::FrameStream frames(std::move(stream));
    for (std::size_t bytes = 0;;) {
        auto frame = co_await frames.read();
        if (!frame) co_return fail(frame.error());
        if (!frame.value()) co_return bytes;
        bytes += raft::encode_frame(frame.value()->type, frame.value()->payload).size();
    }
}

void check_stream(BytesView in) {
    SimWorld world(1);
    const auto bytes = run(world, read_frames(std::make_unique<InputStream>(in)));
    if (bytes) require(bytes.value() == in.size(), "a clean end leaves nothing unread");
}

using Check = void (*)(BytesView);
constexpr Check kChecks[] = {
    check_stream,
    check<raft::Hello, raft::decode_hello>,
    check<raft::HelloReply, raft::decode_hello_reply>,
    check<raft::SnapshotToken, raft::decode_snapshot_token>,
    check<raft::SnapshotRequest, raft::decode_snapshot_request>,
    check<raft::SnapshotPieceFrame, raft::decode_snapshot_piece>,
    check<raft::SnapshotEnd, raft::decode_snapshot_end>,
    check_nodes,
    check_facts,
};
constexpr std::size_t kCheckCount = std::size(kChecks);
}  // namespace

std::vector<Bytes> seeds() {
    using namespace raft;
    const Hello hello{1, Purpose::join, 0x0102030405060708, Bytes(32, 'c')};
    HelloReply reply;
    reply.status = HelloStatus::refused;
    reply.text = "why";
    const NodeTable table{{9, {test::peer(1), 3, true}}, {10, {test::peer(2), 1, false}}};
    const CordonFact fact{test::peer(1), {component::Cordon::Kind::draining, true, Time{}}};
    ClusterFacts facts;
    storage::Batch batch;
    facts.set_cordon(batch, fact.peer, fact.cordon);
    facts.raise_feature_level(batch, 2);
    const SnapshotEnd end{4, "d", Bytes(32, 'c'), table, facts};
    const SnapshotPieceFrame piece{"rows", "last", 3, true};
    return {chosen(0, encode_frame(FrameType::hello, encode(hello)) +
                          encode_frame(FrameType::error, "no")),
            chosen(0, Bytes("\xff\xff\xff\xff\x03", 5)),
            chosen(1, encode(hello)),
            chosen(2, encode(reply)),
            chosen(3, encode(SnapshotToken{5, 6})),
            chosen(4, encode(SnapshotRequest{{5, 6}, "key", 12, "digest"})),
            chosen(5, encode(piece)),
            chosen(6, encode(end)),
            chosen(7, encode_node_table(table)),
            chosen(7, encode_node_record(table.at(9))),
            chosen(8, encode_cordon_fact(fact)),
            chosen(8, facts.encode())};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster::fuzz;
    auto in = view(data, size);
    const auto choice = take_byte(in);
    kChecks[choice % kCheckCount](in);
    return 0;
}
