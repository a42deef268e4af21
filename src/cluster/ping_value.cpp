#include "cluster/ping_value.hpp"

#include <boost/json.hpp>

namespace ipfscluster::cluster {

std::string to_json(const PingValue& value) {
    boost::json::object out;
    out["peer_name"] = value.peername;
    if (!value.ipfs.id.empty()) {
        out["ipfs_id"] = value.ipfs.id.to_string();
        boost::json::array addresses;
        for (const auto& a : value.ipfs.addresses)
            addresses.push_back(boost::json::string(a.to_string()));
        out["ipfs_addresses"] = std::move(addresses);
    }
    if (value.ttl) out["ttl"] = format_go_duration(*value.ttl);
    out["outside"] = value.outside;
    return boost::json::serialize(out);
}

std::optional<PingValue> parse_ping(std::string_view text) {
    boost::json::error_code ec;
    const auto json = boost::json::parse(text, ec);
    if (ec || !json.is_object()) return std::nullopt;
    const auto& object = json.as_object();
    const auto string_of = [&](std::string_view key) -> std::optional<std::string_view> {
        const auto* found = object.if_contains(key);
        if (found == nullptr || !found->is_string()) return std::nullopt;
        return std::string_view(found->as_string());
    };
    PingValue out;
    if (const auto name = string_of("peer_name")) out.peername = std::string(*name);
    if (const auto id = string_of("ipfs_id"))
        if (auto parsed = PeerId::parse(*id)) out.ipfs.id = parsed.value();
    if (const auto* v = object.if_contains("ipfs_addresses"); v && v->is_array())
        for (const auto& entry : v->as_array())
            if (entry.is_string())
                if (auto a = Multiaddr::parse(std::string_view(entry.as_string())))
                    out.ipfs.addresses.push_back(a.value());
    if (const auto* v = object.if_contains("outside"); v && v->is_bool())
        out.outside = v->as_bool();
    if (const auto ttl = string_of("ttl"))
        if (const auto parsed = parse_go_duration(*ttl);
            parsed && parsed.value() > Duration::zero() && parsed.value() <= kPingTtlMax)
            out.ttl = parsed.value();
    return out;
}

}  // namespace ipfscluster::cluster
