#include "codec/pin_proto.hpp"

#include "fuzz.hpp"
#include "support/pins.hpp"
#include "unit/codec/samples.hpp"

// A stored pin that is read and written again is read the same.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        const auto bytes = codec::encode_pin(codec::test::Samples(seed).pin());
        if (bytes.size() < 4096) out.push_back(bytes);
    }
    out.push_back(codec::encode_pin(test::pin_on(test::cid(1), {test::peer(1), test::peer(2)})));
    return out;
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto cid = test::cid(1);
    const auto pin = codec::decode_pin(cid, fuzz::view(data, size));
    if (!pin) return 0;
    const auto bytes = codec::encode_pin(pin.value());
    const auto again = codec::decode_pin(cid, bytes);
    fuzz::require(again.has_value(), "a pin is read again");
    fuzz::require(codec::encode_pin(again.value()) == bytes, "a pin is written the same");
    fuzz::require(again.value() == pin.value(), "a pin loses nothing");
    return 0;
}
