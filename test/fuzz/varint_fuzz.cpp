#include "base/varint.hpp"

#include "fuzz.hpp"

// A number that is read was written in the one shortest form; on an error nothing is removed.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (int shift = 0; shift < 64; shift += 7) {
        Bytes text;
        put_uvarint(text, std::uint64_t{1} << shift);
        put_uvarint(text, ~std::uint64_t{0} >> shift);
        out.push_back(text);
    }
    return out;
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    auto in = fuzz::view(data, size);
    while (!in.empty()) {
        const auto before = in;
        const auto number = take_uvarint(in);
        if (!number) {
            fuzz::require(in == before, "an error removes nothing");
            break;
        }
        Bytes again;
        put_uvarint(again, number.value());
        const auto used = before.substr(0, before.size() - in.size());
        fuzz::require(used.size() <= kVarintBytesMax, "a number is bounded");
        BytesView rest = again;
        fuzz::require(take_uvarint(rest).value() == number.value() && rest.empty(),
                      "a number is read as it was written");
        fuzz::require(zigzag(unzigzag(number.value())) == number.value(), "zigzag");
    }
    return 0;
}
