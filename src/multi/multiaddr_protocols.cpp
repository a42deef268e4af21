#include "multi/multiaddr_protocols.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>

#include "base/encoding.hpp"
#include "multi/multibase.hpp"
#include "multi/multihash.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster::multi {
namespace {

constexpr std::array kProtocols{
    Protocol{4, "ip4", ValueKind::ip4, 4},
    Protocol{6, "tcp", ValueKind::port, 2},
    Protocol{33, "dccp", ValueKind::port, 2},
    Protocol{41, "ip6", ValueKind::ip6, 16},
    Protocol{42, "ip6zone", ValueKind::text, kLengthPrefixed},
    Protocol{43, "ipcidr", ValueKind::byte, 1},
    Protocol{53, "dns", ValueKind::text, kLengthPrefixed},
    Protocol{54, "dns4", ValueKind::text, kLengthPrefixed},
    Protocol{55, "dns6", ValueKind::text, kLengthPrefixed},
    Protocol{56, "dnsaddr", ValueKind::text, kLengthPrefixed},
    Protocol{132, "sctp", ValueKind::port, 2},
    Protocol{273, "udp", ValueKind::port, 2},
    Protocol{280, "webrtc-direct", ValueKind::none, 0},
    Protocol{281, "webrtc", ValueKind::none, 0},
    Protocol{290, "p2p-circuit", ValueKind::none, 0},
    Protocol{301, "udt", ValueKind::none, 0},
    Protocol{302, "utp", ValueKind::none, 0},
    Protocol{400, "unix", ValueKind::path, kLengthPrefixed},
    Protocol{421, "p2p", ValueKind::peer, kLengthPrefixed},
    Protocol{443, "https", ValueKind::none, 0},
    Protocol{448, "tls", ValueKind::none, 0},
    Protocol{449, "sni", ValueKind::text, kLengthPrefixed},
    Protocol{454, "noise", ValueKind::none, 0},
    Protocol{460, "quic", ValueKind::none, 0},
    Protocol{461, "quic-v1", ValueKind::none, 0},
    Protocol{465, "webtransport", ValueKind::none, 0},
    Protocol{466, "certhash", ValueKind::multihash, kLengthPrefixed},
    Protocol{477, "ws", ValueKind::none, 0},
    Protocol{478, "wss", ValueKind::none, 0},
    Protocol{480, "http", ValueKind::none, 0},
    Protocol{777, "memory", ValueKind::number64, 8},
};

template <class Number>
Result<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return fail(Kind::invalid, "not a number in range");
    return value;
}

Result<Bytes> address_to_bytes(int family, std::size_t size, std::string_view text) {
    Bytes out(size, '\0');
    if (inet_pton(family, std::string(text).c_str(), out.data()) != 1)
        return fail(Kind::invalid,
                    family == AF_INET ? "not an IPv4 address" : "not an IPv6 address");
    return out;
}

std::string address_to_text(int family, BytesView bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return inet_ntop(family, bytes.data(), text.data(), text.size());
}

/// Unpadded URL alphabet, the form certificate hashes are written in.
std::string base64url(BytesView bytes) {
    std::string text = base64_encode(bytes);
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

/// Names and paths: something, and nothing that would change the address when written as text.
Result<> check_text(std::string_view text, bool path) {
    if (text.empty() || text == "/") return fail(Kind::invalid, "empty value");
    // Addresses stand in files line by line, where such bytes would change them.
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || (c == ' ' && !path))
            return fail(Kind::invalid, "a control character or blank");
    if (path && text[0] != '/') return fail(Kind::invalid, "not an absolute path");
    if (path && text.back() == '/') return fail(Kind::invalid, "a path that ends with '/'");
    if (!path && text.find('/') != std::string_view::npos)
        return fail(Kind::invalid, "'/' in a name");
    return ok();
}

}  // namespace

const Protocol* find_protocol(std::string_view name) {
    if (name == "ipfs") name = "p2p";
    for (const Protocol& protocol : kProtocols)
        if (protocol.name == name) return &protocol;
    return nullptr;
}

const Protocol* find_protocol(std::uint64_t code) {
    for (const Protocol& protocol : kProtocols)
        if (protocol.code == code) return &protocol;
    return nullptr;
}

Result<Bytes> value_to_bytes(const Protocol& protocol, std::string_view text) {
    switch (protocol.kind) {
        case ValueKind::none:
            return Bytes{};
        case ValueKind::ip4:
            return address_to_bytes(AF_INET, 4, text);
        case ValueKind::ip6:
            return address_to_bytes(AF_INET6, 16, text);
        case ValueKind::port: {
            ICL_TRY(const auto port, parse_number<std::uint16_t>(text));
            return Bytes{static_cast<char>(port >> 8), static_cast<char>(port)};
        }
        case ValueKind::byte: {
            ICL_TRY(const auto value, parse_number<std::uint8_t>(text));
            return Bytes{static_cast<char>(value)};
        }
        case ValueKind::number64: {
            ICL_TRY(const auto value, parse_number<std::uint64_t>(text));
            Bytes out;
            put_be64(out, value);
            return out;
        }
        case ValueKind::text:
        case ValueKind::path: {
            ICL_TRY(check_text(text, protocol.kind == ValueKind::path));
            return Bytes(text);
        }
        case ValueKind::peer: {
            ICL_TRY(const auto id, PeerId::parse(text));
            return id.bytes();
        }
        case ValueKind::multihash: {
            ICL_TRY(auto bytes, multibase_decode(text));
            ICL_TRY(parse_multihash(bytes));
            return bytes;
        }
    }
    return fail(Kind::internal, "unknown value kind");
}

Result<std::string> value_to_text(const Protocol& protocol, BytesView bytes) {
    switch (protocol.kind) {
        case ValueKind::none:
            return std::string{};
        case ValueKind::ip4:
            return address_to_text(AF_INET, bytes);
        case ValueKind::ip6:
            return address_to_text(AF_INET6, bytes);
        case ValueKind::port: {
            const unsigned high = static_cast<std::uint8_t>(bytes[0]);
            return std::to_string(high << 8 | static_cast<std::uint8_t>(bytes[1]));
        }
        case ValueKind::byte:
            return std::to_string(static_cast<std::uint8_t>(bytes[0]));
        case ValueKind::number64:
            return std::to_string(get_be64(bytes));
        case ValueKind::text:
        case ValueKind::path: {
            ICL_TRY(check_text(bytes, protocol.kind == ValueKind::path));
            return std::string(bytes);
        }
        case ValueKind::peer: {
            ICL_TRY(const auto id, PeerId::from_bytes(bytes));
            return id.to_string();
        }
        case ValueKind::multihash: {
            ICL_TRY(parse_multihash(bytes));
            return "u" + base64url(bytes);
        }
    }
    return fail(Kind::internal, "unknown value kind");
}

}  // namespace ipfscluster::multi
