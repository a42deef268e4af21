#include "base/encoding.hpp"
#include "fuzz.hpp"
#include "multi/multibase.hpp"

// Every encoding gives back what it was given, and what decodes is stable: decoding the encoded
// form of it gives it again.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {"f00ff",    "bafkqaaa",   "z6Mk",       "k51qzi5uqu5d", "mAAEC",
            "uAAEC",    "MAAECAw==",  "VCPNM8",     "TCPNM8",       "00FFaa",
            "aGVsbG8=", "a%20b+c%2F", "Zabcdefghi", "k0000",        "1111z"};
}

namespace {
void check_encoders(BytesView in) {
    require(hex_decode(hex_encode(in)).value() == in, "hex");
    require(base64_decode(base64_encode(in)).value() == in, "base64");
    require(base32_decode(base32_encode(in)).value() == in, "base32");
    require(url_unescape(url_escape(in), false).value() == in, "percent encoding");
    if (in.size() <= 512) {  // quadratic
        require(base58_decode(base58_encode(in)).value() == in, "base58");
        require(multibase_decode("z" + base58_encode(in)).value() == in, "multibase z");
    }
    require(multibase_decode("b" + base32_encode(in)).value() == in, "multibase b");
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    fuzz::check_encoders(in);
    (void)multibase_decode(in);
    (void)base58_decode(in);
    if (const auto bytes = base32_decode(in))
        fuzz::require(base32_decode(base32_encode(bytes.value())).value() == bytes.value(),
                      "base32 text");
    (void)hex_decode(in);
    (void)base64_decode(in);
    for (const bool plus : {false, true})
        if (const auto text = url_unescape(in, plus))
            fuzz::require(text.value().size() <= in.size(), "unescaping does not make text longer");
    return 0;
}
