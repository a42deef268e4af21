#include "blockstore/crc32c.hpp"

#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace ipfscluster::blockstore {
namespace {

constexpr std::uint32_t kPolynomialReversed = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1) != 0 ? value >> 1 ^ kPolynomialReversed : value >> 1;
        table[i] = value;
    }
    return table;
}
constexpr auto kTable = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(BytesView data, std::uint32_t crc) {
    std::uint64_t value = ~crc;
    const char* at = data.data();
    std::size_t left = data.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        value = _mm_crc32_u64(value, word);
    }
    auto low = static_cast<std::uint32_t>(value);
    for (; left > 0; ++at, --left) low = _mm_crc32_u8(low, static_cast<unsigned char>(*at));
    return ~low;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(BytesView data, std::uint32_t crc) {
    std::uint32_t value = ~crc;
    for (const char c : data)
        value = kTable[(value ^ static_cast<unsigned char>(c)) & 0xff] ^ value >> 8;
    return ~value;
}

std::uint32_t crc32c(BytesView data, std::uint32_t crc) {
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return crc32c_sse42(data, crc);
#endif
    return crc32c_portable(data, crc);
}

}  // namespace ipfscluster::blockstore
