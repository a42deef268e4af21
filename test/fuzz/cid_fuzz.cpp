#include "fuzz.hpp"
#include "multi/cid.hpp"

// A CID that is accepted comes out of its own text and bytes again; equal bytes are equal CIDs.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (const char* text :
         {"QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
          "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
          "zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA", "bafkqaaa", "f01551100"}) {
        out.push_back(text);
        if (auto cid = Cid::parse(text)) out.push_back(cid.value().bytes());
    }
    return out;
}

namespace {
void check(const Cid& cid) {
    require(cid.defined(), "an accepted CID is defined");
    const auto by_bytes = Cid::from_bytes(cid.bytes());
    require(by_bytes && by_bytes.value() == cid, "a CID is read from its bytes");
    const auto by_text = Cid::parse(cid.to_string());
    require(by_text && by_text.value() == cid, "a CID is read from its text");
    const auto hash = parse_multihash(cid.multihash());
    require(hash.has_value(), "a CID holds a multihash");
    require(hash.value().digest.size() <= kDigestBytesMax, "a digest is bounded");
    (void)codec_name(cid.codec());
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    if (const auto cid = Cid::parse(in)) fuzz::check(cid.value());
    if (const auto cid = Cid::from_bytes(in)) {
        fuzz::require(cid.value().bytes() == in, "a CID keeps its bytes");
        fuzz::check(cid.value());
    }
    auto rest = in;
    if (const auto cid = Cid::take(rest)) {
        fuzz::check(cid.value());
        fuzz::require(
            in.starts_with(cid.value().bytes()) && rest == in.substr(cid.value().bytes().size()),
            "taking a CID removes exactly its bytes");
    }
    return 0;
}
