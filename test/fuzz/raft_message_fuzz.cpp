#include "base/encoding.hpp"
#include "base/varint.hpp"
#include "consensus/raft/engine.hpp"
#include "fuzz.hpp"

// Bytes the engine's library decodes: envelopes of messages, configurations, membership entries.
namespace ipfscluster::fuzz {
namespace {

void put_field(Bytes& out, std::uint32_t field, std::uint64_t value) {
    put_uvarint(out, std::uint64_t{field} << 3);
    put_uvarint(out, value);
}
void put_field(Bytes& out, std::uint32_t field, BytesView value) {
    put_uvarint(out, std::uint64_t{field} << 3 | 2);
    put_uvarint(out, value.size());
    out.append(value);
}

/// An eraftpb.Message with a snapshot of these members.
Bytes message() {
    Bytes metadata;
    put_field(metadata, 1, raft::make_conf_state({1, 2, 3}, {4}));
    put_field(metadata, 2, 100);
    put_field(metadata, 3, 7);
    Bytes snapshot;
    put_field(snapshot, 1, "token");
    put_field(snapshot, 2, metadata);
    Bytes out;
    put_field(out, 1, 7);
    put_field(out, 2, 2);
    put_field(out, 3, 1);
    put_field(out, 4, 8);
    put_field(out, 9, snapshot);
    return out;
}
}  // namespace

std::vector<Bytes> seeds() {
    Bytes change_v1;
    put_field(change_v1, 2, 1);
    put_field(change_v1, 3, 77);
    put_field(change_v1, 4, "context");
    Bytes single;
    put_field(single, 1, 2);
    put_field(single, 2, 78);
    Bytes change;
    put_field(change, 2, single);
    put_field(change, 3, "context");
    return {message(), raft::make_conf_state({1, 2, 3}, {4}), change_v1, change};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    (void)raft::read_message(in);
    if (const auto members = raft::read_conf_state(in)) {
        std::vector<raft::NodeId> voters, learners;
        for (const auto& member : members.value())
            (member.learner ? learners : voters).push_back(member.id);
        const auto again = raft::read_conf_state(raft::make_conf_state(voters, learners));
        fuzz::require(again && again.value() == members.value(), "members are read again");
    }
    for (const auto type :
         {raft::EntryType::normal, raft::EntryType::change_v1, raft::EntryType::change})
        (void)raft::read_change({2, 1, type, Bytes(in)});
    return 0;
}
