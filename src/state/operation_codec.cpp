#include "state/operation_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/varint.hpp"
#include "codec/pin_proto.hpp"

namespace ipfscluster::state {

namespace {

/// Version 1 had no feature level: its readers needed none.
constexpr std::uint8_t kVersionWithoutLevel = 1;
constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kFactBytesMax = 4096;
/// What an operation takes beside its parts, at most about.
constexpr std::size_t kNumbersBytes = 64;
/// Operations of an entry that room is made for at once: as many as its bytes hold of usual ones.
constexpr std::size_t kUsualOperationBytes = 64;

bool is_fact(std::uint8_t kind) {
    return kind == static_cast<std::uint8_t>(FactKind::feature_level) ||
           kind == static_cast<std::uint8_t>(FactKind::cordon);
}

void put_operation(Bytes& out, const LoggedOperation& op) {
    const bool fact = op.fact != FactKind::none;
    out.push_back(fact ? static_cast<char>(op.fact) : static_cast<char>(op.kind));
    put_sized(out, op.id.origin);
    put_uvarint(out, op.id.sequence);
    if (fact) return put_sized(out, op.payload);
    put_uvarint(out, op.expected_index + 1);
    put_uvarint(out, static_cast<std::uint64_t>(op.only_if_expired_by.time_since_epoch().count()));
    put_sized(out, op.pin.cid.bytes());
    if (op.kind != LoggedOperation::Kind::pin) return;
    put_sized(out, op.pin_bytes.empty() ? codec::encode_pin(op.pin) : op.pin_bytes);
}

Result<> take_operation(BytesView& in, LoggedOperation& op) {
    if (in.empty()) return fail(Kind::corrupt, "operations cut short");
    const auto kind = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    const bool fact = is_fact(kind);
    if (kind != 1 && kind != 2 && !fact)
        return fail(Kind::unsupported,
                    fmt::format("operation of kind {} was made by a newer version", kind));
    ICL_TRY(const auto origin, take_sized(in, kOriginBytesMax, "operation: origin"));
    op.id.origin = Bytes(origin);
    ICL_TRY(op.id.sequence, take_uvarint(in));
    if (fact) {
        op.fact = static_cast<FactKind>(kind);
        ICL_TRY(const auto payload, take_sized(in, kFactBytesMax, "operation: payload"));
        op.payload = Bytes(payload);
        return ok();
    }
    op.kind = static_cast<LoggedOperation::Kind>(kind);
    ICL_TRY(const auto expected, take_uvarint(in));
    static_assert(kAnyIndex + 1 == 0);  // so 0 stands for "any"
    op.expected_index = expected - 1;
    ICL_TRY(const auto expired_by, take_uvarint(in));
    if (expired_by > static_cast<std::uint64_t>(INT64_MAX))
        return fail(Kind::corrupt, "operation: time out of range");
    op.only_if_expired_by = Time(Duration(static_cast<std::int64_t>(expired_by)));
    ICL_TRY(const auto cid_bytes, take_sized(in, kCidBytesMax, "operation: CID"));
    auto cid = Cid::from_bytes(cid_bytes);
    if (!cid) return fail(Kind::corrupt, "operation: " + cid.error().text);
    if (op.kind == LoggedOperation::Kind::unpin) {
        op.pin.cid = std::move(cid.value());
        return ok();
    }
    ICL_TRY(const auto pin, take_sized(in, codec::kPinProtoBytesMax, "operation: pin"));
    auto decoded = codec::decode_pin(std::move(cid.value()), pin);
    if (!decoded) return fail(Kind::corrupt, "operation: " + decoded.error().text);
    op.pin = std::move(decoded.value());
    op.pin_bytes = Bytes(pin);
    return ok();
}

}  // namespace

Bytes encode_operations(const std::vector<const LoggedOperation*>& operations) {
    std::uint32_t level = 0;
    std::size_t size = kNumbersBytes;
    for (const auto* op : operations) {
        level = std::max(level, op->level);
        size += kNumbersBytes + op->id.origin.size() + op->payload.size() +
                op->pin.cid.bytes().size() + op->pin_bytes.size();
    }
    Bytes out;
    out.reserve(size);
    out.push_back(static_cast<char>(kVersion));
    put_uvarint(out, level);
    put_uvarint(out, operations.size());
    for (const auto* op : operations) put_operation(out, *op);
    return out;
}

Bytes encode_operations(const std::vector<LoggedOperation>& operations) {
    std::vector<const LoggedOperation*> all;
    for (const auto& op : operations) all.push_back(&op);
    return encode_operations(all);
}

Result<> check_operation(const LoggedOperation& operation) {
    const auto encoded = encode_operations(std::vector(1, &operation));
    auto back = decode_operations(encoded, operation.level);
    if (!back) return fail(Kind::invalid, back.error().text);
    return ok();
}

Result<std::vector<LoggedOperation>> decode_operations(BytesView bytes, std::uint32_t known_level) {
    if (bytes.empty()) return fail(Kind::corrupt, "operations cut short");
    const auto version = static_cast<std::uint8_t>(bytes.front());
    if (version == 0 || version > kVersion)
        return fail(Kind::unsupported,
                    fmt::format("operations in format {} were made by a newer version", version));
    bytes.remove_prefix(1);
    std::uint64_t level = 0;
    if (version != kVersionWithoutLevel) {
        ICL_TRY(level, take_uvarint(bytes));
    }
    if (level > known_level)
        return fail(Kind::unsupported,
                    fmt::format("an entry of the log needs feature level {}, this build knows "
                                "levels up to {}: install a newer build",
                                level, known_level));
    ICL_TRY(const auto count, take_uvarint(bytes));
    if (count > kOperationsPerEntryMax)
        return fail(Kind::corrupt, fmt::format("{} operations in one entry", count));
    std::vector<LoggedOperation> operations;
    operations.reserve(std::min<std::uint64_t>(count, bytes.size() / kUsualOperationBytes + 1));
    for (std::uint64_t i = 0; i < count; ++i) {
        // Read into its place: an operation is large.
        auto& op = operations.emplace_back();
        ICL_TRY(take_operation(bytes, op));
        op.level = static_cast<std::uint32_t>(level);
    }
    if (!bytes.empty()) return fail(Kind::corrupt, "bytes left over after the operations");
    return operations;
}

}  // namespace ipfscluster::state
