#include "consensus/raft/wire.hpp"

#include "base/varint.hpp"

namespace ipfscluster::raft {

namespace {

constexpr std::size_t kFrameHeaderBytes = 4;

void put_u8(Bytes& out, std::uint8_t value) {
    out.push_back(static_cast<char>(value));
}

/// Reads fields in order; the first that is missing makes all later ones empty and `done` fail.
class Fields {
 public:
    Fields(std::string_view what, BytesView in) : what_(what), in_(in) {}
    std::uint8_t u8() {
        if (in_.empty()) return broken(), std::uint8_t{0};
        const auto value = static_cast<std::uint8_t>(in_[0]);
        in_.remove_prefix(1);
        return value;
    }
    std::uint32_t be32() {
        if (in_.size() < 4) return broken(), std::uint32_t{0};
        const auto value = get_be32(in_);
        in_.remove_prefix(4);
        return value;
    }
    std::uint64_t be64() {
        if (in_.size() < 8) return broken(), 0;
        const auto value = get_be64(in_);
        in_.remove_prefix(8);
        return value;
    }
    std::uint64_t number() {
        auto value = take_uvarint(in_);
        if (!value) return broken(), 0;
        return value.value();
    }
    Bytes bytes() {
        const auto value = take_sized(in_, in_.size(), what_);
        if (!value) return broken(), Bytes{};
        return Bytes(value.value());
    }
    /// A cluster id: absent or of its one length.
    Bytes cluster_id() {
        auto value = bytes();
        if (!value.empty() && value.size() != kClusterIdBytes) broken();
        return value;
    }
    bool empty() const { return in_.empty(); }
    Result<> done() const {
        if (broken_) return fail(Kind::corrupt, "raft stream: malformed " + std::string(what_));
        return ok();
    }

 private:
    void broken() {
        broken_ = true;
        in_ = {};
    }
    std::string_view what_;
    BytesView in_;
    bool broken_ = false;
};

SnapshotToken take_token(Fields& in) {
    SnapshotToken token;
    token.lease = in.be64();
    token.node = in.be64();
    return token;
}

}  // namespace

Bytes chain_digest(BytesView digest, BytesView rows) {
    return sha256(Bytes(digest) + sha256(rows));
}

Bytes encode_frame(FrameType type, BytesView payload) {
    Bytes out;
    out.reserve(kFrameHeaderBytes + 1 + payload.size());
    put_be32(out, static_cast<std::uint32_t>(payload.size() + 1));
    put_u8(out, static_cast<std::uint8_t>(type));
    out += payload;
    return out;
}

Bytes encode(const Hello& value) {
    Bytes out;
    put_u8(out, value.version);
    put_u8(out, static_cast<std::uint8_t>(value.purpose));
    put_be64(out, value.node);
    put_sized(out, value.cluster_id);
    put_be64(out, value.wanted);
    put_be32(out, value.feature_level);
    put_be64(out, value.about);
    return out;
}

Bytes encode(const HelloReply& value) {
    Bytes out;
    put_u8(out, value.version);
    put_u8(out, static_cast<std::uint8_t>(value.status));
    put_be64(out, value.node);
    put_sized(out, value.cluster_id);
    put_u8(out,
           static_cast<std::uint8_t>((value.has_cluster ? 1 : 0) | (value.knows_opener ? 2 : 0) |
                                     (value.lists_opener ? 4 : 0)));
    put_sized(out, value.text);
    put_be32(out, value.feature_level);
    put_u8(out, value.answers_about ? 1 : 0);
    put_sized(out, value.about);
    return out;
}

Bytes encode(const SnapshotToken& value) {
    Bytes out;
    put_be64(out, value.lease);
    put_be64(out, value.node);
    return out;
}

Bytes encode(const SnapshotRequest& value) {
    Bytes out = encode(value.token);
    put_sized(out, value.after);
    put_uvarint(out, value.rows);
    put_sized(out, value.digest);
    return out;
}

Bytes encode(const SnapshotPieceFrame& value) {
    Bytes out;
    put_sized(out, value.rows);
    put_sized(out, value.last_key);
    put_uvarint(out, value.row_count);
    put_u8(out, value.last ? 1 : 0);
    return out;
}

Bytes encode(const SnapshotEnd& value) {
    Bytes out;
    put_uvarint(out, value.rows);
    put_sized(out, value.digest);
    put_sized(out, value.cluster_id);
    put_sized(out, encode_node_table(value.nodes));
    put_sized(out, value.facts.encode());
    return out;
}

Bytes encode(const ChangeRequest& value) {
    Bytes out;
    put_u8(out, static_cast<std::uint8_t>(value.op));
    put_be64(out, value.node);
    put_sized(out, value.context);
    put_be32(out, value.feature_level);
    return out;
}

Bytes encode(const ChangeReply& value) {
    Bytes out;
    put_u8(out, static_cast<std::uint8_t>(value.verdict));
    put_sized(out, value.text);
    return out;
}

Result<Hello> decode_hello(BytesView bytes) {
    Fields in("hello", bytes);
    Hello out;
    out.version = in.u8();
    ICL_TRY(in.done());
    // What follows in another version is unknown; the caller refuses it by name.
    if (out.version != kWireVersion) return out;
    out.purpose = static_cast<Purpose>(in.u8());
    out.node = in.be64();
    out.cluster_id = in.cluster_id();
    out.wanted = in.be64();
    out.feature_level = in.be32();
    // Earlier builds of this version end here.
    if (!in.empty()) out.about = in.be64();
    ICL_TRY(in.done());
    return out;
}

Result<HelloReply> decode_hello_reply(BytesView bytes) {
    Fields in("hello reply", bytes);
    HelloReply out;
    out.version = in.u8();
    out.status = static_cast<HelloStatus>(in.u8());
    ICL_TRY(in.done());
    if (out.version != kWireVersion) return out;
    out.node = in.be64();
    out.cluster_id = in.cluster_id();
    const auto flags = in.u8();
    out.has_cluster = (flags & 1) != 0;
    out.knows_opener = (flags & 2) != 0;
    out.lists_opener = (flags & 4) != 0;
    out.text = in.bytes();
    out.feature_level = in.be32();
    if (!in.empty()) {
        out.answers_about = in.u8() != 0;
        out.about = in.bytes();
    }
    ICL_TRY(in.done());
    return out;
}

Result<SnapshotToken> decode_snapshot_token(BytesView bytes) {
    Fields in("snapshot token", bytes);
    auto out = take_token(in);
    ICL_TRY(in.done());
    return out;
}

Result<SnapshotRequest> decode_snapshot_request(BytesView bytes) {
    Fields in("snapshot request", bytes);
    SnapshotRequest out;
    out.token = take_token(in);
    out.after = in.bytes();
    out.rows = in.number();
    out.digest = in.bytes();
    ICL_TRY(in.done());
    return out;
}

Result<SnapshotPieceFrame> decode_snapshot_piece(BytesView bytes) {
    Fields in("snapshot piece", bytes);
    SnapshotPieceFrame out;
    out.rows = in.bytes();
    out.last_key = in.bytes();
    out.row_count = in.number();
    out.last = in.u8() != 0;
    ICL_TRY(in.done());
    return out;
}

Result<SnapshotEnd> decode_snapshot_end(BytesView bytes) {
    Fields in("snapshot end", bytes);
    SnapshotEnd out;
    out.rows = in.number();
    out.digest = in.bytes();
    out.cluster_id = in.cluster_id();
    const auto table = in.bytes();
    const auto facts = in.bytes();
    ICL_TRY(in.done());
    ICL_TRY(auto nodes, decode_node_table(table));
    out.nodes = std::move(nodes);
    ICL_TRY(out.facts, ClusterFacts::decode(facts));
    return out;
}

Result<ChangeRequest> decode_change_request(BytesView bytes) {
    Fields in("change request", bytes);
    ChangeRequest out;
    const auto op = in.u8();
    out.node = in.be64();
    out.context = in.bytes();
    out.feature_level = in.be32();
    ICL_TRY(in.done());
    if (op > static_cast<std::uint8_t>(ChangeOp::add_learner))
        return fail(Kind::corrupt, "raft stream: unknown membership change " + std::to_string(op));
    out.op = static_cast<ChangeOp>(op);
    // In the log it would end every member, at each start.
    if (out.op != ChangeOp::remove && !PeerId::from_bytes(out.context))
        return fail(Kind::corrupt, "raft stream: an addition of nobody");
    return out;
}

Result<ChangeReply> decode_change_reply(BytesView bytes) {
    Fields in("change reply", bytes);
    ChangeReply out;
    const auto verdict = in.u8();
    out.text = in.bytes();
    ICL_TRY(in.done());
    if (verdict > static_cast<std::uint8_t>(ChangeVerdict::refused))
        return fail(Kind::corrupt, "raft stream: unknown verdict " + std::to_string(verdict));
    out.verdict = static_cast<ChangeVerdict>(verdict);
    return out;
}

Async<std::optional<Frame>> FrameStream::read(std::size_t bytes_max) {
    while (true) {
        if (buffer_.size() >= kFrameHeaderBytes) {
            const std::size_t size = get_be32(buffer_);
            if (size == 0 || size > bytes_max)
                co_return fail(Kind::corrupt,
                               "raft stream: a frame of " + std::to_string(size) + " bytes");
            if (buffer_.size() >= kFrameHeaderBytes + size) {
                const auto type = static_cast<std::uint8_t>(buffer_[kFrameHeaderBytes]);
                if (type < 1 || type > static_cast<std::uint8_t>(FrameType::change_reply))
                    co_return fail(Kind::corrupt,
                                   "raft stream: unknown frame type " + std::to_string(type));
                Frame frame{static_cast<FrameType>(type),
                            buffer_.substr(kFrameHeaderBytes + 1, size - 1)};
                buffer_.erase(0, kFrameHeaderBytes + size);
                co_return std::optional<Frame>(std::move(frame));
            }
        }
        auto chunk = co_await stream_->read();
        if (!chunk) co_return fail(chunk.error());
        if (chunk.value().empty()) {
            if (buffer_.empty()) co_return std::optional<Frame>{};
            co_return fail(Kind::corrupt, "raft stream: ended inside a frame");
        }
        buffer_ += chunk.value();
    }
}

Async<Bytes> FrameStream::expect(FrameType type, std::size_t bytes_max) {
    auto frame = co_await read(bytes_max);
    if (!frame) co_return fail(frame.error());
    if (!frame.value()) co_return fail(Kind::unavailable, "raft stream: closed by the peer");
    if (frame.value()->type == FrameType::error)
        co_return fail(Kind::retryable, "raft stream: " + frame.value()->payload);
    if (frame.value()->type != type)
        co_return fail(Kind::corrupt, "raft stream: unexpected frame type " +
                                          std::to_string(static_cast<int>(frame.value()->type)));
    co_return std::move(frame.value()->payload);
}

}  // namespace ipfscluster::raft
