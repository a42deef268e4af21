#pragma once
#include <string>

#include "base/varint.hpp"

namespace ipfscluster::dag::wire {

/// The two protobuf wire types dag-pb and UnixFS use, and the ones skipped in unknown fields.
enum class Type : std::uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Field {
    std::uint64_t number = 0;
    Type type = Type::varint;
    std::uint64_t value = 0;  ///< of varint
    BytesView bytes;          ///< of bytes, fixed32 and fixed64; points into the input
};

/// Takes one field from the front of `in`. `corrupt` on truncation or a wire type not in `Type`.
inline Result<Field> take_field(BytesView& in) {
    ICL_TRY(auto key, take_uvarint(in));
    Field field{key >> 3, static_cast<Type>(key & 7), 0, {}};
    std::uint64_t size = 0;
    switch (field.type) {
        case Type::varint: {
            ICL_TRY(auto value, take_uvarint(in));
            field.value = value;
            return field;
        }
        case Type::bytes: {
            ICL_TRY(auto length, take_uvarint(in));
            size = length;
            break;
        }
        case Type::fixed64:
            size = 8;
            break;
        case Type::fixed32:
            size = 4;
            break;
        default:
            return fail(Kind::corrupt, "protobuf wire type " + std::to_string(key & 7));
    }
    if (size > in.size()) return fail(Kind::corrupt, "protobuf field is truncated");
    field.bytes = in.substr(0, size);
    in.remove_prefix(size);
    return field;
}

/// Bytes that `put_uvarint` writes for `value`.
constexpr std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
}

inline void put_varint_field(Bytes& out, std::uint64_t number, std::uint64_t value) {
    put_uvarint(out, number << 3);
    put_uvarint(out, value);
}

/// Key and length of a bytes field; the caller appends the `size` bytes.
inline void put_bytes_head(Bytes& out, std::uint64_t number, std::uint64_t size) {
    put_uvarint(out, number << 3 | 2);
    put_uvarint(out, size);
}

}  // namespace ipfscluster::dag::wire
