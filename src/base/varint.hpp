#pragma once
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster {

/// Longest unsigned varint accepted (multiformats' limit is 9 bytes; protobuf's is 10).
inline constexpr std::size_t kVarintBytesMax = 10;

/// Appends `value` in LEB128 (protobuf and multiformats `uvarint`).
void put_uvarint(Bytes& out, std::uint64_t value);

/// Reads one uvarint from the front of `in` and removes it. Fails with `corrupt` on a truncated or
/// overlong number; `in` is unchanged then.
Result<std::uint64_t> take_uvarint(BytesView& in);

/// The same for multiformats (CIDs, multihashes, multiaddresses), where only the shortest form of a
/// number is valid: otherwise one value would have many binary forms.
Result<std::uint64_t> take_minimal_uvarint(BytesView& in);

/// Bytes that `put_uvarint` writes for `value`.
constexpr std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
}

/// A byte string behind its length.
inline void put_sized(Bytes& out, BytesView bytes) {
    put_uvarint(out, bytes.size());
    out.append(bytes);
}
/// Removes one of at most `max` bytes from the front of `in`; `corrupt` says what it was to be.
Result<BytesView> take_sized(BytesView& in, std::uint64_t max, std::string_view what);

/// Zigzag as in protobuf's sint32/sint64.
constexpr std::uint64_t zigzag(std::int64_t v) {
    return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) {
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

}  // namespace ipfscluster
