#pragma once
#include "base/varint.hpp"

/// The protobuf wire, as much of it as fixed, deterministic messages need: pins, keys, dag-pb,
/// UnixFS, bitswap. No message here has a schema that changes, and most of their bytes decide a
/// hash, so each is written field by field.
namespace ipfscluster {

/// Fields at their default are left out by the caller.
inline void put_proto_varint(Bytes& out, std::uint32_t field, std::uint64_t value) {
    put_uvarint(out, std::uint64_t{field} << 3);
    put_uvarint(out, value);
}
/// Key and length of a bytes field; the caller appends the `size` bytes.
inline void put_proto_head(Bytes& out, std::uint32_t field, std::uint64_t size) {
    put_uvarint(out, std::uint64_t{field} << 3 | 2);
    put_uvarint(out, size);
}
inline void put_proto_bytes(Bytes& out, std::uint32_t field, BytesView value) {
    put_proto_head(out, field, value.size());
    out.append(value);
}

struct ProtoField {
    std::uint32_t number = 0;
    enum class Type : std::uint8_t {
        varint = 0,
        fixed64 = 1,
        bytes = 2,
        fixed32 = 5
    } type = Type::varint;
    std::uint64_t value = 0;  ///< of a varint
    BytesView bytes;          ///< of the others; points into the message

    /// Whether this is field `n`, as a number or as bytes.
    bool is_number(std::uint32_t n) const { return number == n && type == Type::varint; }
    bool is_bytes(std::uint32_t n) const { return number == n && type == Type::bytes; }
};
/// Removes the next field from a message; `corrupt` when it is cut short or of a group type.
Result<ProtoField> take_proto_field(BytesView& in);

}  // namespace ipfscluster
