#include "multi/multiaddr.hpp"

#include "base/assert.hpp"
#include "base/varint.hpp"
#include "multi/multiaddr_protocols.hpp"

namespace ipfscluster {
namespace {

using multi::find_protocol;
using multi::kLengthPrefixed;
using multi::Protocol;
using multi::ValueKind;

constexpr std::size_t kMultiaddrTextMax = 4096;
constexpr std::size_t kMultiaddrBytesMax = 2048;
constexpr std::size_t kComponentsMax = 32;

/// One component in binary form; the views point into the address.
struct RawComponent {
    const Protocol* protocol;
    BytesView value;
    BytesView whole;
};

Result<RawComponent> take_component(BytesView& in) {
    BytesView rest = in;
    const auto code = take_minimal_uvarint(rest);
    if (!code) return fail(Kind::invalid, "multiaddr: bad protocol code");
    const Protocol* protocol = find_protocol(code.value());
    if (protocol == nullptr)
        return fail(Kind::invalid,
                    "multiaddr: unknown protocol code " + std::to_string(code.value()));
    std::uint64_t size = protocol->size;
    if (size == kLengthPrefixed) {
        const auto length = take_minimal_uvarint(rest);
        if (!length) return fail(Kind::invalid, "multiaddr: bad length");
        size = length.value();
    }
    if (size > rest.size())
        return fail(Kind::invalid, "multiaddr: " + std::string(protocol->name) + " is cut off");
    RawComponent component{protocol, rest.substr(0, size), {}};
    rest.remove_prefix(size);
    component.whole = in.substr(0, in.size() - rest.size());
    in = rest;
    return component;
}

void put_component(Bytes& out, const Protocol& protocol, BytesView value) {
    put_uvarint(out, protocol.code);
    if (protocol.size == kLengthPrefixed) put_uvarint(out, value.size());
    out.append(value);
}

/// Removes the text up to the next '/' from `in`, which starts behind one.
std::string_view take_segment(std::string_view& in) {
    const std::size_t end = in.find('/');
    const std::string_view segment = in.substr(0, end);
    in.remove_prefix(end == std::string_view::npos ? in.size() : end + 1);
    return segment;
}

/// The components of an address that was checked when it was built.
std::vector<RawComponent> split(BytesView bytes) {
    std::vector<RawComponent> out;
    while (!bytes.empty()) out.push_back(take_component(bytes).value());
    return out;
}

Error bad_value(const Protocol& protocol, std::string_view value, const Error& cause) {
    return {Kind::invalid, "multiaddr: /" + std::string(protocol.name) + "/" +
                               std::string(value.substr(0, 128)) + ": " + cause.text};
}

}  // namespace

Result<Multiaddr> Multiaddr::parse(std::string_view text) {
    if (text.size() > kMultiaddrTextMax) return fail(Kind::invalid, "multiaddr: too long");
    if (text.empty() || text[0] != '/')
        return fail(Kind::invalid, "multiaddr: \"" + std::string(text.substr(0, 128)) +
                                       "\" does not start with '/'");
    while (!text.empty() && text.back() == '/') text.remove_suffix(1);
    if (text.empty()) return fail(Kind::invalid, "multiaddr: empty");
    text.remove_prefix(1);
    Bytes bytes;
    std::size_t count = 0;
    while (!text.empty()) {
        if (++count > kComponentsMax) return fail(Kind::invalid, "multiaddr: too many components");
        const std::string_view name = take_segment(text);
        const Protocol* protocol = find_protocol(name);
        if (protocol == nullptr)
            return fail(Kind::invalid,
                        "multiaddr: unknown protocol \"" + std::string(name.substr(0, 64)) + "\"");
        std::string value;
        if (protocol->kind != ValueKind::none && text.empty())
            return fail(Kind::invalid, "multiaddr: /" + std::string(name) + " needs a value");
        if (protocol->kind == ValueKind::path) {
            value = "/" + std::string(text);
            text = {};
        } else if (protocol->kind != ValueKind::none) {
            value = take_segment(text);
        }
        const auto encoded = multi::value_to_bytes(*protocol, value);
        if (!encoded) return fail(bad_value(*protocol, value, encoded.error()));
        put_component(bytes, *protocol, encoded.value());
    }
    if (bytes.size() > kMultiaddrBytesMax) return fail(Kind::invalid, "multiaddr: too long");
    return Multiaddr(std::move(bytes));
}

Result<Multiaddr> Multiaddr::from_bytes(BytesView bytes) {
    if (bytes.empty()) return fail(Kind::invalid, "multiaddr: empty");
    if (bytes.size() > kMultiaddrBytesMax) return fail(Kind::invalid, "multiaddr: too long");
    BytesView rest = bytes;
    for (std::size_t count = 0; !rest.empty(); ++count) {
        if (count == kComponentsMax) return fail(Kind::invalid, "multiaddr: too many components");
        ICL_TRY(const auto component, take_component(rest));
        const auto text = multi::value_to_text(*component.protocol, component.value);
        if (!text) return fail(bad_value(*component.protocol, "", text.error()));
        // The text form has no end mark for a path, so nothing can follow one.
        if (component.protocol->kind == ValueKind::path && !rest.empty())
            return fail(Kind::invalid, "multiaddr: something follows a path");
    }
    return Multiaddr(Bytes(bytes));
}

std::string Multiaddr::to_string() const {
    std::string out;
    for (const Component& component : components()) {
        out += "/" + component.protocol;
        if (component.value.empty()) continue;
        if (component.value[0] != '/') out += "/";
        out += component.value;
    }
    return out;
}

std::vector<Multiaddr::Component> Multiaddr::components() const {
    std::vector<Component> out;
    for (const RawComponent& raw : split(bytes_))
        out.push_back({std::string(raw.protocol->name),
                       multi::value_to_text(*raw.protocol, raw.value).value()});
    return out;
}

std::optional<std::string> Multiaddr::value_of(std::string_view protocol) const {
    for (const RawComponent& raw : split(bytes_))
        if (raw.protocol->name == protocol)
            return multi::value_to_text(*raw.protocol, raw.value).value();
    return std::nullopt;
}

std::optional<PeerId> Multiaddr::peer_id() const {
    std::optional<PeerId> id;
    for (const RawComponent& raw : split(bytes_))
        if (raw.protocol->kind == ValueKind::peer) id = PeerId::from_bytes(raw.value).value();
    return id;
}

Multiaddr Multiaddr::without_peer() const {
    const auto parts = split(bytes_);
    if (parts.empty() || parts.back().protocol->kind != ValueKind::peer) return *this;
    return Multiaddr(bytes_.substr(0, bytes_.size() - parts.back().whole.size()));
}

Multiaddr Multiaddr::with_peer(const PeerId& id) const {
    ICL_ASSERT(!id.empty(), "an address cannot end with the empty peer id");
    Bytes bytes = without_peer().bytes_;
    put_component(bytes, *find_protocol("p2p"), id.bytes());
    return Multiaddr(std::move(bytes));
}

Result<TcpEndpoint> to_tcp_endpoint(const Multiaddr& address) {
    auto parts = address.components();
    std::string zone;
    if (!parts.empty() && parts[0].protocol == "ip6zone") {
        zone = "%" + parts[0].value;
        parts.erase(parts.begin());
    }
    TcpEndpoint endpoint;
    if (!parts.empty() && parts[0].protocol == "unix") {
        endpoint.unix_path = parts[0].value;
        return endpoint;
    }
    const auto is_host = [](const std::string& name) {
        return name == "ip4" || name == "ip6" || name == "dns" || name == "dns4" || name == "dns6";
    };
    if (parts.size() < 2 || !is_host(parts[0].protocol) || parts[1].protocol != "tcp")
        return fail(Kind::invalid,
                    "multiaddr: " + address.to_string() + " is neither TCP nor a unix socket");
    endpoint.host = parts[0].value + zone;
    endpoint.port = static_cast<std::uint16_t>(std::stoul(parts[1].value));
    return endpoint;
}

}  // namespace ipfscluster
