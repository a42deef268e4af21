#pragma once
#include "base/bytes.hpp"
#include "base/varint.hpp"

/// The little of the protobuf wire format that fixed, deterministic messages need.
namespace ipfscluster::codec {

/// Fields at their default are left out by the caller.
inline void put_proto_varint(Bytes& out, std::uint32_t field, std::uint64_t value) {
    put_uvarint(out, std::uint64_t{field} << 3);
    put_uvarint(out, value);
}
inline void put_proto_bytes(Bytes& out, std::uint32_t field, BytesView value) {
    put_uvarint(out, std::uint64_t{field} << 3 | 2);
    put_uvarint(out, value.size());
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
    std::uint64_t value = 0;  ///< of varint and fixed fields
    BytesView bytes;          ///< of length-delimited fields; points into the message
};
/// Removes the next field from a message; `corrupt` when it is cut short or of a group type.
Result<ProtoField> take_proto_field(BytesView& in);

}  // namespace ipfscluster::codec
