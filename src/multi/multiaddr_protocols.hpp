#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster::multi {

/// How a protocol's value is written in text and in bytes (multiformats table of multiaddr
/// protocols).
enum class ValueKind { none, ip4, ip6, port, byte, text, path, peer, multihash, number64 };

struct Protocol {
    std::uint64_t code;
    std::string_view name;
    ValueKind kind;
    /// Bytes of the value; 0 with `none`; kLengthPrefixed when a varint says it.
    std::size_t size;
};
inline constexpr std::size_t kLengthPrefixed = SIZE_MAX;

/// nullptr when the protocol is unknown. "ipfs" is the old name of "p2p".
const Protocol* find_protocol(std::string_view name);
const Protocol* find_protocol(std::uint64_t code);

/// Text to the value's bytes, without a length prefix; `invalid` without context.
Result<Bytes> value_to_bytes(const Protocol& protocol, std::string_view text);
/// The reverse; checks the bytes.
Result<std::string> value_to_text(const Protocol& protocol, BytesView bytes);

}  // namespace ipfscluster::multi
