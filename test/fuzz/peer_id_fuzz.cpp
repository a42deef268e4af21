#include "fuzz.hpp"
#include "multi/peer_id.hpp"

// A peer id that is accepted comes out of its own text and bytes again.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (const char* text : {"12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg",
                             "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
                             "k51qzi5uqu5dhmzyv3zac033i7rl9hkgczxyl81lwoukda2htteop7d3x0y1mf"}) {
        out.push_back(text);
        if (auto id = PeerId::parse(text)) out.push_back(id.value().bytes());
    }
    return out;
}

namespace {
void check(const PeerId& id) {
    require(!id.empty(), "an accepted id is not empty");
    const auto by_bytes = PeerId::from_bytes(id.bytes());
    require(by_bytes && by_bytes.value() == id, "an id is read from its bytes");
    const auto by_text = PeerId::parse(id.to_string());
    require(by_text && by_text.value() == id, "an id is read from its text");
    require(id.short_name().size() <= 6, "a short name is short");
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    if (const auto id = PeerId::parse(in)) fuzz::check(id.value());
    if (const auto id = PeerId::from_bytes(in)) fuzz::check(id.value());
    return 0;
}
