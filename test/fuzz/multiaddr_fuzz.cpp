#include "fuzz.hpp"
#include "multi/multiaddr.hpp"

// An address that is accepted comes out of its own text and bytes again.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (const char* text :
         {"/ip4/127.0.0.1/tcp/9096/p2p/12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg",
          "/ip6/fe80::1/tcp/0/ws", "/ip6zone/eth0/ip6/::/udp/1/quic-v1",
          "/dns4/a.example/tcp/443/wss",
          "/dnsaddr/bootstrap.libp2p.io/ipfs/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
          "/unix/var/run/x.sock", "/ip4/1.2.3.4/tcp/1/p2p-circuit",
          "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234"}) {
        out.push_back(text);
        if (auto address = Multiaddr::parse(text)) out.push_back(address.value().bytes());
    }
    return out;
}

namespace {
void check(const Multiaddr& address) {
    const auto by_bytes = Multiaddr::from_bytes(address.bytes());
    require(by_bytes && by_bytes.value() == address, "an address is read from its bytes");
    const auto by_text = Multiaddr::parse(address.to_string());
    require(by_text.has_value(), "the text of an address is an address");
    require(by_text.value() == address, "an address is read from its text");
    (void)address.components();
    (void)to_tcp_endpoint(address);
    const auto bare = address.without_peer();
    if (const auto peer = address.peer_id()) {
        const auto again = bare.with_peer(*peer);
        require(again.peer_id() == *peer, "an address keeps the peer it was given");
    }
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    if (const auto address = Multiaddr::parse(in)) fuzz::check(address.value());
    if (const auto address = Multiaddr::from_bytes(in)) fuzz::check(address.value());
    return 0;
}
