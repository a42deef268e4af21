#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ipfscluster {

/// Binary data. A std::string because RocksDB, protobuf, Beast and OpenSSL all meet it without a
/// copy.
using Bytes = std::string;
using BytesView = std::string_view;

inline std::span<const std::uint8_t> as_span(BytesView bytes) {
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
inline const unsigned char* as_uchar(BytesView bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// Big-endian fixed width integers, the key order of every table.
inline void put_be64(Bytes& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}
inline void put_be32(Bytes& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}
/// The caller has checked that `in` holds 8 (4) bytes.
inline std::uint64_t get_be64(BytesView in) {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
    return value;
}
inline std::uint32_t get_be32(BytesView in) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
    return value;
}

/// The smallest key greater than every key that starts with `prefix`; empty when there is none.
Bytes prefix_end(BytesView prefix);

}  // namespace ipfscluster
