#include "fuzz.hpp"
#include "multi/key_pair.hpp"

// A key that is accepted gives a valid peer id, and the same one each time.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    const auto key = ed25519_from_seed(Bytes(32, 's')).private_key;
    // An RSA envelope around DER that is none, for the lengths inside.
    const Bytes der("\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01\x00\xc3", 13);
    return {key, Bytes("\x08\x00\x12\x0d", 4) + der,
            Bytes("\x08\x01\x12\x60", 4) + key.substr(4) + key.substr(36)};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    if (const auto key = parse_private_key(in)) {
        fuzz::require(PeerId::from_bytes(key.value().id.bytes()).has_value(), "the id is one");
        const auto again = parse_private_key(key.value().private_key);
        fuzz::require(again && again.value().id == key.value().id, "a key is read again");
    }
    return 0;
}
