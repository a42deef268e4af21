#pragma once
#include <optional>

#include "consensus/raft/cluster_facts.hpp"
#include "consensus/raft/identity.hpp"
#include "net/host.hpp"

namespace ipfscluster::raft {

/// The stream protocol between peers of one cluster. Both sides first say who they are (Hello,
/// HelloReply); what follows depends on the purpose. Every frame: length u32 BE of what follows,
/// type u8, payload.
inline constexpr const char* kRaftProtocol = "/ipfscluster-cpp/raft/1";
/// Of the hellos, which begin every stream: peers of different versions refuse each other by name.
/// The first byte of a hello and the first two of a reply stay what they are in all versions.
inline constexpr std::uint8_t kWireVersion = 2;
/// Longest frame accepted, header excluded.
inline constexpr std::size_t kFrameBytesMax = 16 * 1024 * 1024;
/// A stream begins with a hello, which is short and comes soon: nobody is known before it.
inline constexpr std::size_t kHelloBytesMax = 64 * 1024;
inline constexpr Duration kHelloLimit = std::chrono::seconds(5);

enum class FrameType : std::uint8_t {
    hello = 1,
    hello_reply = 2,
    message = 3,
    snapshot_request = 4,
    snapshot_piece = 5,
    snapshot_end = 6,
    error = 7,
    change_request = 8,
    change_reply = 9,
};

struct Frame {
    FrameType type;
    Bytes payload;
};

enum class Purpose : std::uint8_t {
    messages = 1,  ///< engine messages, opener to acceptor
    probe = 2,     ///< nothing follows: who are you, do you know me?
    join = 3,      ///< the opener lost its data and asks to be a member again
    snapshot = 4,  ///< one snapshot_request follows, then pieces
    change = 5,    ///< one change_request to the leader follows, which answers with a change_reply
};

struct Hello {
    std::uint8_t version = kWireVersion;
    Purpose purpose = Purpose::messages;
    NodeId node = 0;                  ///< 0: has no identity yet
    Bytes cluster_id;                 ///< empty: not known yet
    NodeId wanted = 0;                ///< the node that is meant; 0: whoever is there
    std::uint32_t feature_level = 0;  ///< that the opener's build knows
    NodeId about = 0;                 ///< a probe asks whose node this is; 0: it does not
};

enum class HelloStatus : std::uint8_t {
    ok = 0,
    wrong_version = 1,
    wrong_cluster = 2,
    removed = 3,       ///< the opener's node was removed from the cluster
    not_ready = 4,     ///< the acceptor has not founded or joined yet
    refused = 5,       ///< the text says why
    another_node = 6,  ///< the acceptor is not the node that was wanted (any more)
    lost = 7,  ///< the opener's log lacks what its node acknowledged to the acceptor, which leads
};

struct HelloReply {
    std::uint8_t version = kWireVersion;
    HelloStatus status = HelloStatus::ok;
    NodeId node = 0;
    Bytes cluster_id;
    bool has_cluster = false;  ///< it is a member of a running cluster
    bool knows_opener =
        false;  ///< messages of the opener's peer have been accepted, or it was added
    bool lists_opener = false;  ///< the opener's peer is in its table of nodes, also when removed
    std::string text;
    std::uint32_t feature_level = 0;  ///< that the acceptor's build knows
    bool answers_about = false;       ///< false: it is no member, or of a build that cannot
    Bytes about;                      ///< the peer of the node that was asked about; empty: unknown
};

/// Names a leased snapshot at the node that made it.
struct SnapshotToken {
    std::uint64_t lease = 0;
    NodeId node = 0;
    friend bool operator==(const SnapshotToken&, const SnapshotToken&) = default;
};

struct SnapshotRequest {
    SnapshotToken token;
    Bytes after;             ///< last row key received; empty: from the start
    std::uint64_t rows = 0;  ///< received so far
    Bytes digest;            ///< running digest of what was received so far
};

struct SnapshotPieceFrame {
    Bytes rows;
    Bytes last_key;
    std::uint64_t row_count = 0;
    bool last = false;
};

/// After the last piece: what the whole must add up to and what is not in the rows.
struct SnapshotEnd {
    std::uint64_t rows = 0;
    Bytes digest;
    Bytes cluster_id;
    NodeTable nodes;
    ClusterFacts facts;
};

/// A member asks the leader for a membership change.
struct ChangeRequest {
    ChangeOp op = ChangeOp::remove;
    NodeId node = 0;
    Bytes context;                    ///< additions: the peer id
    std::uint32_t feature_level = 0;  ///< additions: that the newcomer's build knows
};

enum class ChangeVerdict : std::uint8_t {
    accepted = 0,  ///< it is in the leader's log; no promise that it will be committed
    later = 1,     ///< nothing happened; the same may work soon
    refused = 2,   ///< nothing happened: the state of the cluster forbids it
};

struct ChangeReply {
    ChangeVerdict verdict = ChangeVerdict::accepted;
    std::string text;  ///< why not
};

/// The digest after one more piece.
Bytes chain_digest(BytesView digest, BytesView rows);

Bytes encode_frame(FrameType type, BytesView payload);
Bytes encode(const Hello& value);
Bytes encode(const HelloReply& value);
Bytes encode(const SnapshotToken& value);
Bytes encode(const SnapshotRequest& value);
Bytes encode(const SnapshotPieceFrame& value);
Bytes encode(const SnapshotEnd& value);
Bytes encode(const ChangeRequest& value);
Bytes encode(const ChangeReply& value);
// Each fails with `corrupt` naming the frame.
// Of a hello or reply of another version only the version (and the status) is read.
Result<Hello> decode_hello(BytesView bytes);
Result<HelloReply> decode_hello_reply(BytesView bytes);
Result<SnapshotToken> decode_snapshot_token(BytesView bytes);
Result<SnapshotRequest> decode_snapshot_request(BytesView bytes);
Result<SnapshotPieceFrame> decode_snapshot_piece(BytesView bytes);
Result<SnapshotEnd> decode_snapshot_end(BytesView bytes);
Result<ChangeRequest> decode_change_request(BytesView bytes);
Result<ChangeReply> decode_change_reply(BytesView bytes);

/// Frames over a stream. Owns the stream; one reader and one writer at a time.
class FrameStream {
 public:
    explicit FrameStream(net::StreamPtr stream) : stream_(std::move(stream)) {}
    const PeerId& remote() const { return stream_->remote(); }
    /// Nothing at the clean end between frames; `corrupt` on a frame that is cut, too long or of no
    /// known type.
    Async<std::optional<Frame>> read(std::size_t bytes_max = kFrameBytesMax);
    /// As read, but the end or another type is an error; an error frame gives its text, as
    /// `retryable`: the other side has answered.
    Async<Bytes> expect(FrameType type, std::size_t bytes_max = kFrameBytesMax);
    Async<> write(Bytes frames) { return stream_->write(std::move(frames)); }
    Async<> close_write() { return stream_->close_write(); }
    void reset() { stream_->reset(); }

 private:
    net::StreamPtr stream_;
    Bytes buffer_;
};

}  // namespace ipfscluster::raft
