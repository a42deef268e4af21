#include "config/config.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <set>

#include "config/components.hpp"
#include "config/consensus_kind.hpp"
#include "config/file_io.hpp"
#include "config/flat_file.hpp"
#include "config/json_text.hpp"
#include "config/remembered.hpp"
#include "config/visitors.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

/// The object under a key; nullptr when absent or null.
Result<const json::object*> object_at(const json::object& parent, std::string_view key,
                                      const std::string& path) {
    const json::value* value = parent.if_contains(key);
    if (value == nullptr || value->is_null()) return nullptr;
    if (!value->is_object()) return fail(Kind::invalid, path + ": must be an object");
    return &value->get_object();
}

bool is_set(const json::object& parent, std::string_view key) {
    const json::value* value = parent.if_contains(key);
    return value != nullptr && !value->is_null();
}

/// What this build refuses by name before it reads anything else.
Result<> refuse_other_kinds(const json::object& file) {
    const json::value* source = file.if_contains("source");
    if (source != nullptr && !(source->is_string() && source->get_string().empty()) &&
        !source->is_null())
        return fail(Kind::unsupported,
                    "source: remote configurations are not supported by this build");
    if (!is_set(file, "cluster")) return fail(Kind::invalid, "cluster: the section is missing");
    ICL_TRY(const auto consensus, object_at(file, "consensus", "consensus"));
    if (consensus != nullptr && is_set(*consensus, "crdt"))
        return fail(Kind::unsupported,
                    "consensus.crdt: CRDT is not supported by this build; use raft");
    if (consensus == nullptr || !is_set(*consensus, "raft"))
        return fail(Kind::invalid, "consensus.raft: the section is missing");
    return ok();
}

/// Sections whose content is kept for other versions and means nothing here.
bool is_ignored_section(std::string_view name) {
    return name == "source" || name == "state" || name == "datastore";
}

void warn_unknown_components(const json::object& file, const std::vector<Component>& known,
                             Warnings& warnings) {
    for (const auto& [section, content] : file) {
        if (is_ignored_section(section)) continue;
        bool found = false;
        for (const Component& component : known) found = found || component.section == section;
        if (!found) {
            warnings.push_back(std::string(section) + ": unknown section, ignored");
            continue;
        }
        if (section == "cluster" || !content.is_object()) continue;
        for (const auto& entry : content.get_object()) {
            bool known_name = false;
            for (const Component& component : known)
                known_name =
                    known_name || (component.section == section && component.name == entry.key());
            if (!known_name)
                warnings.push_back(join_path(section, entry.key()) +
                                   ": unknown component, ignored");
        }
    }
}

Result<> load_component(const json::object& file, const Component& component, Warnings& warnings) {
    const std::string section_name(component.section);
    ICL_TRY(const auto* object, object_at(file, component.section, section_name));
    if (object != nullptr && !component.name.empty()) {
        ICL_TRY(const auto* inner, object_at(*object, component.name, component.path()));
        object = inner;
    }
    if (object == nullptr) return ok();
    *component.enabled = true;
    LoadVisitor visitor(component.path(), *object, warnings);
    component.describe(visitor);
    visitor.finish();
    if (visitor.error()) return fail(*visitor.error());
    return ok();
}

/// What a section that is left out means, where that is more than "the defaults".
Result<> settle_absent(Config& c) {
    if (c.ipfshttp.enabled && c.embedded.enabled)
        return fail(Kind::invalid,
                    "ipfs_connector: only one of ipfshttp and embedded may be there");
    if (!c.embedded.enabled) c.ipfshttp.enabled = true;
    if (!c.disk.enabled && !c.tags.enabled && !c.pinqueue.enabled && !c.numpin.enabled)
        return fail(Kind::invalid, "informer: at least one informer is needed");
    // The rule of files older than the allocator section.
    if (!c.allocator.enabled) c.allocator.allocate_by = {"freespace"};
    return ok();
}

/// Those work with their defaults where the file does not have them.
bool is_always_there(const Component& component) {
    static constexpr std::array<std::string_view, 4> kSections{"consensus", "pin_tracker",
                                                               "monitor", "allocator"};
    return std::find(kSections.begin(), kSections.end(), component.section) != kSections.end();
}

Result<> apply_environment(Config& config, const Environment& env, Warnings& warnings) {
    for (const Component& component : components(config)) {
        EnvVisitor visitor(component.path(), std::string(component.prefix), env);
        component.describe(visitor);
        if (visitor.error()) return fail(*visitor.error());
        if (visitor.applied() && !*component.enabled && !is_always_there(component))
            warnings.push_back(component.path() + " is not in the file: its variables (" +
                               std::string(component.prefix) + "_…) have no effect");
    }
    return ok();
}

/// A value counts as usual when it is the default or what leaving the key out gives.
void warn_no_effect(Config& config, Warnings& warnings) {
    Config usual;
    std::map<std::string, json::value> defaults;
    for (const Component& component : components(usual)) {
        ListVisitor visitor(
            component.path(), std::string(component.prefix),
            [&](const std::string& path, const std::string&, const ValueRef& value,
                const FieldOptions& options) { defaults[path] = field_to_json(value, options); });
        component.describe(visitor);
    }
    for (const Component& component : components(config)) {
        if (!*component.enabled) continue;
        if (!component.no_effect.empty()) {
            warnings.push_back(component.path() + ": " + std::string(component.no_effect));
            continue;
        }
        ListVisitor visitor(
            component.path(), std::string(component.prefix),
            [&](const std::string& path, const std::string&, const ValueRef& value,
                const FieldOptions& options) {
                if (options.no_effect.empty()) return;
                if (options.absent == Absent::zero && field_is_zero(value)) return;
                if (field_to_json(value, options) == defaults[path]) return;
                warnings.push_back(path + ": has no effect, " + std::string(options.no_effect));
            });
        component.describe(visitor);
    }
}

void make_absolute(const std::string& folder, std::string& path) {
    if (!path.empty()) path = (std::filesystem::path(folder) / path).string();
}

void resolve_paths(Config& config) {
    const std::string& folder = config.folder;
    for (RestConfig* api : {&config.restapi, &config.pinsvcapi}) {
        make_absolute(folder, api->ssl_cert_file);
        make_absolute(folder, api->ssl_key_file);
        make_absolute(folder, api->http_log_file);
    }
    make_absolute(folder, config.ipfsproxy.log_file);
    make_absolute(folder, config.embedded.folder);
    // Relative to the working directory when given, as the Go peer takes it.
    if (config.raft.data_folder.empty()) config.raft.data_folder = folder + "/raft";
}

json::object config_to_json(Config config, bool hide) {
    Config usual;
    const auto usual_components = components(usual);
    const auto all = components(config);
    json::object out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!*all[i].enabled) continue;
        WriteVisitor defaults(nullptr, false);
        usual_components[i].describe(defaults);
        const json::object default_object = defaults.take();
        WriteVisitor writer(&default_object, hide);
        all[i].describe(writer);
        if (all[i].name.empty()) {
            out[all[i].section] = writer.take();
            continue;
        }
        json::value& section = out[all[i].section];
        if (!section.is_object()) section.emplace_object();
        section.get_object()[all[i].name] = writer.take();
    }
    return out;
}

/// Draws until the port differs from those already in `drawn`: none of them is open, so the system
/// may name one twice.
Result<std::uint16_t> another_free_port(std::set<std::uint16_t>& drawn) {
    while (true) {
        ICL_TRY(const auto port, free_tcp_port());
        if (drawn.insert(port).second) return port;
    }
}

Result<Multiaddr> with_free_port(const Multiaddr& address, std::set<std::uint16_t>& drawn) {
    std::string text;
    for (const auto& [protocol, value] : address.components()) {
        text += "/" + protocol;
        if (protocol == "tcp" || protocol == "udp") {
            ICL_TRY(const auto port, another_free_port(drawn));
            text += "/" + std::to_string(port);
        } else if (!value.empty()) {
            text += (value[0] == '/' ? "" : "/") + value;
        }
    }
    return Multiaddr::parse(text);
}

Result<> randomize_ports(Config& config) {
    std::set<std::uint16_t> drawn;
    for (Addresses* list :
         {&config.cluster.listen_multiaddress, &config.restapi.http_listen_multiaddress,
          &config.pinsvcapi.http_listen_multiaddress, &config.ipfsproxy.listen_multiaddress,
          &config.embedded.api_listen_multiaddress, &config.embedded.public_listen_multiaddress}) {
        for (Multiaddr& address : *list) {
            ICL_TRY(auto changed, with_free_port(address, drawn));
            address = std::move(changed);
        }
    }
    return ok();
}

Config initial_config(const InitOptions& options) {
    Config config;
    config.cluster.peername = system_hostname();
    config.cluster.secret = generate_secret();
    for (bool* enabled :
         {&config.cluster.enabled, &config.raft.enabled, &config.restapi.enabled,
          &config.ipfsproxy.enabled, &config.tracker.enabled, &config.monitor.enabled,
          &config.allocator.enabled, &config.disk.enabled, &config.pinqueue.enabled,
          &config.tags.enabled, &config.metrics.enabled, &config.tracing.enabled})
        *enabled = true;
    config.ipfshttp.enabled = options.ipfs == IpfsChoice::kubo;
    config.embedded.enabled = options.ipfs == IpfsChoice::embedded;
    if (options.public_network) config.embedded.network = "public";
    return config;
}

}  // namespace

std::string Config::peerstore_path() const {
    return folder + "/" + cluster.peerstore_file;
}

std::string Config::remembered_path() const {
    return folder + "/" + std::string(kRememberedFile);
}

Result<Config> parse_config(std::string_view text, const Environment& env, Warnings& warnings) {
    ICL_TRY(auto file, parse_json_object(text));
    Config config;
    config.cluster.peername = system_hostname();
    if (is_flat_file(file)) {
        ICL_TRY(auto extras, flat_extras(file));
        config.old_peers = std::move(extras.peers);
        config.old_bootstrap = std::move(extras.bootstrap);
        ICL_TRY(file, modern_sections(file));
        warnings.push_back("this file is of version 0.0.3 and is read as such; there is no secret");
    }
    ICL_TRY(refuse_other_kinds(file));
    const auto all = components(config);
    for (const Component& component : all) {
        ICL_TRY(load_component(file, component, warnings));
    }
    warn_unknown_components(file, all, warnings);
    ICL_TRY(settle_absent(config));
    ICL_TRY(apply_environment(config, env, warnings));
    ICL_TRY(check_rules(config));
    warn_no_effect(config, warnings);
    if (config.cluster.secret.empty())
        warnings.push_back(
            "cluster.secret is empty: whoever reaches the cluster's listen addresses can control "
            "it");
    return config;
}

Result<Config> load_config(const std::string& folder, const Environment& env, Warnings& warnings) {
    const std::string absolute = std::filesystem::absolute(folder).lexically_normal().string();
    const std::string path = absolute + "/" + std::string(kConfigFile);
    ICL_TRY(const auto text, read_file(path, kConfigBytesMax));
    auto config = parse_config(text, env, warnings);
    if (!config) return fail(config.error().in(path));
    config.value().folder = absolute;
    resolve_paths(config.value());
    return config;
}

Result<> check_kind_of_consensus(const std::string& kind) {
    if (kind == "crdt")
        return fail(Kind::unsupported, "consensus crdt is not supported by this build; use raft");
    if (kind != kDefaultConsensus)
        return fail(Kind::invalid, "unknown consensus \"" + kind.substr(0, 64) + "\"; use raft");
    return ok();
}

Result<std::string> default_config_json(const InitOptions& options) {
    ICL_TRY(check_kind_of_consensus(options.consensus));
    Config config = options.from ? *options.from : initial_config(options);
    if (options.from) {
        if (options.ipfs_given) {
            config.ipfshttp.enabled = options.ipfs == IpfsChoice::kubo;
            config.embedded.enabled = options.ipfs == IpfsChoice::embedded;
        }
        if (!options.peers.empty()) config.raft.init_peerset.clear();
    }
    if (options.random_ports) {
        ICL_TRY(randomize_ports(config));
    }
    for (const Multiaddr& peer : options.peers) {
        const auto id = peer.peer_id();
        if (!id) return fail(Kind::invalid, "peers: " + peer.to_string() + " has no /p2p/<id>");
        config.raft.init_peerset.push_back(*id);
    }
    // Before the environment, where an empty variable must take nothing away, and after it, for it
    // beats the variable.
    if (options.custom_secret) config.cluster.secret = *options.custom_secret;
    Warnings said_when_loaded;
    ICL_TRY(apply_environment(config, options.env, said_when_loaded));
    if (options.custom_secret) config.cluster.secret = *options.custom_secret;
    ICL_TRY(check_rules(config));
    return json_text(config_to_json(std::move(config), false), 2);
}

std::string display_json(const Config& config) {
    return json_text(config_to_json(config, true), 2);
}

}  // namespace ipfscluster::config
