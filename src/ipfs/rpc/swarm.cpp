#include <algorithm>

#include "base/encoding.hpp"
#include "ipfs/rpc/handlers.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

const std::string kAgent = "ipfs-cluster-embedded/" + std::string(kClusterVersion);
constexpr Duration kConnectLimit = std::chrono::seconds(15);

/// The public key that an Ed25519 peer id carries inside; empty for other ids.
std::string public_key(const PeerId& peer) {
    const auto parts = parse_multihash(peer.bytes());
    if (!parts || parts.value().code != static_cast<std::uint64_t>(HashCode::identity)) return {};
    return base64_encode(parts.value().digest);
}

std::string id_row(const PeerId& peer, std::vector<std::string> addresses, const std::string& agent,
                   const std::vector<std::string>& protocols) {
    std::sort(addresses.begin(), addresses.end());
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("ID", peer);
        o.put("PublicKey", public_key(peer));
        o.put("Addresses", addresses);
        o.put("AgentVersion", agent);
        o.put("Protocols", protocols);
    }
    return row;
}

std::vector<std::string> texts(const std::vector<Multiaddr>& addresses, const PeerId& peer) {
    std::vector<std::string> out;
    for (const auto& address : addresses)
        out.push_back(address.peer_id() ? address.to_string()
                                        : address.with_peer(peer).to_string());
    return out;
}

Result<PeerId> parse_peer(const std::string& text) {
    auto peer = PeerId::parse(text);
    if (!peer) return fail(Kind::invalid, "invalid peer id");
    return peer;
}

std::vector<std::string> own_protocols() {
    return {"/ipfs/bitswap/1.1.0", "/ipfs/bitswap/1.2.0"};
}

}  // namespace

Async<> id(Call& call) {
    auto& node = call.node();
    auto* host = node.host();
    PeerId peer = node.self();
    if (!call.arguments().empty()) {
        ICL_CO_TRY(peer, parse_peer(call.arguments()[0]));
    }
    std::string row;
    if (peer == node.self()) {
        ICL_CO_TRY(const auto own, co_await node.id());
        row = id_row(peer, texts(own.addresses, peer), kAgent, own_protocols());
    } else if (host != nullptr && host->connected(peer)) {
        row = id_row(peer, texts(host->known_addresses(peer), peer), {}, {});
    } else {
        co_return fail(Kind::unavailable, "this node is not connected to " + peer.to_string());
    }
    co_return co_await call.emit_once(std::move(row));
}

Async<> swarm_peers(Call& call) {
    struct Connected {
        std::string address;
        PeerId peer;
    };
    std::vector<Connected> peers;
    if (auto* host = call.node().host()) {
        for (auto& peer : host->connected_peers()) {
            const auto known = host->known_addresses(peer);
            peers.push_back({known.empty() ? std::string() : known.front().to_string(), peer});
        }
    }
    std::sort(peers.begin(), peers.end(),
              [](const Connected& a, const Connected& b) { return a.address < b.address; });
    std::string row = peers.empty() ? "{\"Peers\":null}" : "{\"Peers\":[";
    for (std::size_t i = 0; i < peers.size(); ++i) {
        if (i > 0) row += ',';
        codec::JsonObject o(row);
        if (!peers[i].address.empty()) o.put("Addr", peers[i].address);
        o.put("Peer", peers[i].peer);
        o.key("Identify") +=
            R"({"ID":"","PublicKey":"","Addresses":null,"AgentVersion":"","Protocols":null})";
    }
    co_return co_await call.emit_once(row + (peers.empty() ? "" : "]}"));
}

Async<> swarm_connect(Call& call) {
    struct Wish {
        PeerId peer;
        Multiaddr address;
    };
    std::vector<Wish> wishes;
    for (const auto& argument : call.arguments()) {
        auto address = Multiaddr::parse(argument);
        if (!address) co_return fail(address.error().in("invalid peer address"));
        const auto peer = address.value().peer_id();
        if (!peer)
            co_return fail(Kind::invalid, "invalid peer address: \"" + argument +
                                              "\" does not end in /p2p/ and a peer id");
        wishes.push_back({*peer, address.value().without_peer()});
    }
    auto* host = call.node().host();
    if (host == nullptr) co_return fail(Kind::unavailable, "this node has no network");
    std::vector<std::string> lines;
    for (const auto& wish : wishes) {
        const std::string line = "connect " + wish.peer.to_string();
        auto done = co_await host->connect(wish.peer, std::vector<Multiaddr>(1, wish.address),
                                           kConnectLimit);
        if (!done) co_return fail(done.error().in(line + " failure"));
        lines.push_back(line + " success");
    }
    std::string row;
    codec::JsonObject(row).put("Strings", lines);
    co_return co_await call.emit_once(std::move(row));
}

}  // namespace ipfscluster::ipfs_rpc
