#include "client/host_list.hpp"

#include <charconv>

namespace ipfscluster::client {
namespace {

Result<http::ClientConfig> parse_multiaddr_host(std::string_view text) {
    ICL_TRY(auto address, Multiaddr::parse(text));
    if (address.peer_id() || address.value_of("dnsaddr"))
        return fail(Kind::unsupported, "HTTP over libp2p is not supported by this build");
    return http::client_config_for(address);
}

Result<http::ClientConfig> parse_plain_host(std::string_view text) {
    http::ClientConfig config;
    config.port = kRestPort;
    if (text.starts_with("https://")) {
        config.tls = true;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    }
    while (!text.empty() && text.back() == '/') text.remove_suffix(1);
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return fail(Kind::invalid, "missing ]");
        config.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        config.host = text.substr(0, colon);
        if (colon != std::string_view::npos) port = text.substr(colon);
    }
    if (config.host.empty() || config.host.find_first_of("/?#@ ") != std::string::npos)
        return fail(Kind::invalid, "no host name or multiaddress");
    if (port.empty()) return config;
    port.remove_prefix(1);
    const char* const end = port.data() + port.size();
    const auto [rest, error] = std::from_chars(port.data(), end, config.port);
    if (error != std::errc{} || rest != end || config.port == 0)
        return fail(Kind::invalid, "bad port");
    return config;
}

}  // namespace

Result<std::vector<http::ClientConfig>> parse_hosts(std::string_view list) {
    std::vector<http::ClientConfig> hosts;
    while (true) {
        const std::size_t comma = list.find(',');
        const std::string_view item = list.substr(0, comma);
        auto host = item.starts_with('/') ? parse_multiaddr_host(item) : parse_plain_host(item);
        if (!host)
            return fail(host.error().in("host \"" + std::string(item.substr(0, 128)) + "\""));
        if (hosts.size() == kHostsMax) return fail(Kind::invalid, "host: too many addresses");
        hosts.push_back(std::move(host.value()));
        if (comma == std::string_view::npos) return hosts;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace ipfscluster::client
