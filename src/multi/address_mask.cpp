#include "multi/address_mask.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace ipfscluster {

namespace {

/// The address's IP in network byte order: 4 or 16 bytes, empty when it has none.
Bytes ip_of(const Multiaddr& address) {
    unsigned char raw[sizeof(in6_addr)];
    const auto as_bytes = [&raw](std::size_t size) {
        return Bytes(reinterpret_cast<const char*>(raw), size);
    };
    if (const auto ip4 = address.value_of("ip4"); ip4 && inet_pton(AF_INET, ip4->c_str(), raw) == 1)
        return as_bytes(sizeof(in_addr));
    if (const auto ip6 = address.value_of("ip6");
        ip6 && inet_pton(AF_INET6, ip6->c_str(), raw) == 1)
        return as_bytes(sizeof(in6_addr));
    return {};
}

}  // namespace

bool covers(const Multiaddr& rule, const Multiaddr& address) {
    const auto mask = rule.value_of("ipcidr");
    if (!mask) return rule == address;
    std::size_t bits = 0;
    const auto read = std::from_chars(mask->data(), mask->data() + mask->size(), bits);
    const auto network = ip_of(rule), ip = ip_of(address);
    if (read.ec != std::errc{} || ip.empty() || network.size() != ip.size() || bits > 8 * ip.size())
        return false;
    const auto whole = bits / 8;
    if (network.compare(0, whole, ip, 0, whole) != 0) return false;
    if (bits % 8 == 0) return true;
    const auto differ =
        static_cast<unsigned char>(network[whole]) ^ static_cast<unsigned char>(ip[whole]);
    return differ >> (8 - bits % 8) == 0;
}

}  // namespace ipfscluster
