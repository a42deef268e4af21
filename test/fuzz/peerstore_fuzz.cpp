#include "config/peerstore.hpp"

#include "fuzz.hpp"

// The peerstore file: what is kept is written and read again; bad lines become warnings.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {
        "/ip4/1.2.3.4/tcp/9096/p2p/12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg\n"
        "/dns4/a.example/tcp/1/p2p/12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg\n",
        "# comment\r\n\n/ip4/1.2.3.4/tcp/1\n/dnsaddr/x.example\n/bad/\n"
        "/ip6/::1/tcp/2/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN"};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    config::Warnings warnings;
    const auto addresses = config::parse_peerstore(fuzz::view(data, size), warnings);
    const auto text = config::peerstore_text(addresses);
    config::Warnings none;
    const auto again = config::parse_peerstore(text, none);
    fuzz::require(none.empty(), "what we write has no bad lines");
    fuzz::require(config::peerstore_text(again) == text, "addresses are written the same");
    return 0;
}
