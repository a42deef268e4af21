#include <sodium.h>

#include <array>

#include "base/assert.hpp"
#include "base/encoding.hpp"
#include "config/config.hpp"

namespace ipfscluster::config {

std::string generate_secret() {
    ICL_ASSERT(sodium_init() >= 0, "libsodium does not start");
    std::array<char, 32> bytes;
    randombytes_buf(bytes.data(), bytes.size());
    return hex_encode({bytes.data(), bytes.size()});
}

Result<std::string> check_secret(std::string_view hex) {
    const auto bytes = hex_decode(hex);
    if (!bytes) return fail(Kind::invalid, "must be hexadecimal");
    if (!bytes.value().empty() && bytes.value().size() != 32)
        return fail(Kind::invalid, "must have 64 hexadecimal digits (32 bytes)");
    return hex_encode(bytes.value());
}

}  // namespace ipfscluster::config
