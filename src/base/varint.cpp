#include "base/varint.hpp"

namespace ipfscluster {

void put_uvarint(Bytes& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

Result<std::uint64_t> take_uvarint(BytesView& in) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < in.size() && i < kVarintBytesMax; ++i) {
        const auto byte = static_cast<std::uint8_t>(in[i]);
        if (i == 9 && byte > 1) return fail(Kind::corrupt, "varint larger than 64 bits");
        value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            in.remove_prefix(i + 1);
            return value;
        }
    }
    return fail(Kind::corrupt,
                in.size() < kVarintBytesMax ? "varint cut short" : "varint too long");
}

Result<std::uint64_t> take_minimal_uvarint(BytesView& in) {
    BytesView rest = in;
    ICL_TRY(const auto value, take_uvarint(rest));
    const auto size = in.size() - rest.size();
    if (size > 1 && in[size - 1] == '\0') return fail(Kind::corrupt, "varint longer than needed");
    in = rest;
    return value;
}

Result<BytesView> take_sized(BytesView& in, std::uint64_t max, std::string_view what) {
    ICL_TRY(const auto size, take_uvarint(in));
    if (size > max || size > in.size())
        return fail(Kind::corrupt, std::string(what) + ": " + std::to_string(size) +
                                       " bytes are too many or not there");
    const auto bytes = in.substr(0, size);
    in.remove_prefix(size);
    return bytes;
}

}  // namespace ipfscluster
