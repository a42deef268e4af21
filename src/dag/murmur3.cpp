#include "dag/murmur3.hpp"

#include <algorithm>
#include <bit>

namespace ipfscluster::dag {
namespace {

constexpr std::uint64_t kC1 = 0x87c37b91114253d5;
constexpr std::uint64_t kC2 = 0x4cf5ad432745937f;

std::uint64_t load_le(const char* at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
        value |= std::uint64_t{static_cast<std::uint8_t>(at[i])} << (8 * i);
    return value;
}

std::uint64_t mix1(std::uint64_t k) {
    return std::rotl(k * kC1, 31) * kC2;
}
std::uint64_t mix2(std::uint64_t k) {
    return std::rotl(k * kC2, 33) * kC1;
}

std::uint64_t finish(std::uint64_t h) {
    h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
    return h ^ h >> 33;
}

}  // namespace

std::uint64_t murmur3_x64_64(BytesView data) {
    const auto length = data.size();
    std::uint64_t h1 = 0;
    std::uint64_t h2 = 0;
    for (; data.size() >= 16; data.remove_prefix(16)) {
        h1 ^= mix1(load_le(data.data(), 8));
        h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= mix2(load_le(data.data() + 8, 8));
        h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (data.size() > 8) h2 ^= mix2(load_le(data.data() + 8, data.size() - 8));
    if (!data.empty()) h1 ^= mix1(load_le(data.data(), std::min<std::size_t>(data.size(), 8)));

    h1 ^= length;
    h2 ^= length;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    return h1 + h2;
}

}  // namespace ipfscluster::dag
