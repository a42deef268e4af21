#include "config/flat_file.hpp"

#include <array>
#include <boost/json.hpp>

#include "config/config.hpp"
#include "config/json_text.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 13> kFlatKeys = {"id",
                                                        "private_key",
                                                        "cluster_peers",
                                                        "bootstrap",
                                                        "leave_on_shutdown",
                                                        "cluster_multiaddress",
                                                        "api_listen_multiaddress",
                                                        "ipfs_proxy_listen_multiaddress",
                                                        "ipfs_node_multiaddress",
                                                        "consensus_data_folder",
                                                        "state_sync_seconds",
                                                        "replication_factor",
                                                        "monitoring_interval"};
constexpr std::array<std::string_view, 12> kSections = {
    "source",      "cluster", "consensus", "api",      "ipfs_connector", "state",
    "pin_tracker", "monitor", "allocator", "informer", "observations",   "datastore"};
constexpr std::int64_t kSecondsMax = 1'000'000'000;

/// Reads typed values and names the old key in the first error.
class FlatReader {
 public:
    explicit FlatReader(const json::object& flat) : flat_(flat) {}

    /// Null when the key is absent or null.
    const json::value* find(std::string_view key) const {
        const auto* value = flat_.if_contains(key);
        return value == nullptr || value->is_null() ? nullptr : value;
    }
    std::string text(std::string_view key) {
        const auto* value = find(key);
        if (value == nullptr) return {};
        if (value->is_string()) return std::string(value->get_string());
        refuse(key, "must be a string");
        return {};
    }
    bool flag(std::string_view key) {
        const auto* value = find(key);
        if (value == nullptr) return false;
        if (value->is_bool()) return value->get_bool();
        refuse(key, "must be true or false");
        return false;
    }
    std::int64_t number(std::string_view key) {
        const auto* value = find(key);
        if (value == nullptr) return 0;
        if (!value->is_int64() || value->get_int64() > kSecondsMax ||
            value->get_int64() < -kSecondsMax) {
            refuse(key, "must be an integer of usual size");
            return 0;
        }
        return value->get_int64();
    }
    /// An address in its modern text form; empty when absent.
    std::string address(std::string_view key) {
        const auto given = text(key);
        if (given.empty()) return {};
        const auto parsed = Multiaddr::parse(given);
        if (parsed) return parsed.value().to_string();
        refuse(key, parsed.error().text);
        return {};
    }
    /// Addresses that each end in a peer id.
    Addresses peers(std::string_view key) {
        Addresses out;
        const auto* value = find(key);
        if (value == nullptr) return out;
        if (!value->is_array()) {
            refuse(key, "must be an array of addresses");
            return out;
        }
        for (const auto& element : value->get_array()) {
            if (!element.is_string()) {
                refuse(key, "must be an array of addresses");
                return out;
            }
            auto parsed = peer_address(std::string(element.get_string()));
            if (!parsed) {
                refuse(key, parsed.error().text);
                return out;
            }
            out.push_back(std::move(parsed.value()));
        }
        return out;
    }
    Result<> result() const {
        if (!error_.empty()) return fail(Kind::invalid, error_);
        return ok();
    }

 private:
    /// `…/ipfs/<id>` is `…/p2p/<id>`; a bare id at the end is understood, too.
    static Result<Multiaddr> peer_address(const std::string& text) {
        auto parsed = Multiaddr::parse(text);
        if (parsed && parsed.value().peer_id()) return parsed;
        const auto slash = text.rfind('/');
        if (slash != std::string::npos && slash > 0 && PeerId::parse(text.substr(slash + 1))) {
            auto with_name = Multiaddr::parse(text.substr(0, slash) + "/p2p" + text.substr(slash));
            if (with_name) return with_name;
        }
        if (!parsed) return fail(parsed.error());
        return fail(Kind::invalid, text + " has no peer id at its end");
    }
    void refuse(std::string_view key, const std::string& what) {
        if (error_.empty()) error_ = std::string(key) + ": " + what;
    }

    const json::object& flat_;
    std::string error_;
};

std::string seconds(std::int64_t count, std::int64_t usual) {
    return std::to_string(count > 0 ? count : usual) + "s";
}

}  // namespace

bool is_flat_file(const json::object& file) {
    for (const auto section : kSections)
        if (file.contains(section)) return false;
    for (const auto key : kFlatKeys)
        if (file.contains(key)) return true;
    return false;
}

Result<FlatExtras> flat_extras(const json::object& flat) {
    FlatReader reader(flat);
    FlatExtras extras;
    extras.peers = reader.peers("cluster_peers");
    extras.bootstrap = reader.peers("bootstrap");
    if (!extras.peers.empty()) extras.bootstrap.clear();
    ICL_TRY(reader.result());
    return extras;
}

Result<json::object> modern_sections(const json::object& flat) {
    InitOptions usual;
    usual.ipfs = IpfsChoice::kubo;
    ICL_TRY(const auto defaults, default_config_json(usual));
    ICL_TRY(auto out, parse_json_object(defaults));
    ICL_TRY(const auto extras, flat_extras(flat));
    FlatReader reader(flat);

    auto& cluster = out["cluster"].get_object();
    cluster["secret"] = "";
    cluster["disable_repinning"] = false;  // it pinned anew when a peer went down
    cluster["leave_on_shutdown"] = reader.flag("leave_on_shutdown");
    const auto listen = reader.address("cluster_multiaddress");
    cluster["listen_multiaddress"] = listen.empty() ? "/ip4/0.0.0.0/tcp/9096" : listen;
    cluster["state_sync_interval"] = seconds(reader.number("state_sync_seconds"), 60);
    auto copies = reader.number("replication_factor");
    if (copies == 0) copies = -1;
    cluster["replication_factor_min"] = cluster["replication_factor_max"] = copies;
    const auto interval = seconds(reader.number("monitoring_interval"), 15);
    cluster["monitor_ping_interval"] = interval;
    out["monitor"].get_object()["pubsubmon"].get_object()["check_interval"] = interval;

    auto& raft = out["consensus"].get_object()["raft"].get_object();
    json::array founders;
    for (const auto& peer : extras.peers)
        founders.emplace_back(peer.peer_id().value_or(PeerId()).to_string());
    raft["init_peerset"] = std::move(founders);
    // The old default; what it may hold of that version is refused by its content.
    auto data = reader.text("consensus_data_folder");
    if (!data.empty()) raft["data_folder"] = data;

    auto& api = out["api"].get_object();
    api.erase("pinsvcapi");
    if (const auto address = reader.address("api_listen_multiaddress"); !address.empty())
        api["restapi"].get_object()["http_listen_multiaddress"] = address;
    auto& proxy = api["ipfsproxy"].get_object();
    if (const auto address = reader.address("ipfs_proxy_listen_multiaddress"); !address.empty())
        proxy["listen_multiaddress"] = address;
    if (const auto address = reader.address("ipfs_node_multiaddress"); !address.empty()) {
        proxy["node_multiaddress"] = address;
        out["ipfs_connector"].get_object()["ipfshttp"].get_object()["node_multiaddress"] = address;
    }
    ICL_TRY(reader.result());
    return out;
}

}  // namespace ipfscluster::config
