#include "config/take_over.hpp"

#include <boost/json.hpp>
#include <filesystem>

#include "config/file_io.hpp"
#include "config/identity.hpp"
#include "config/json_text.hpp"
#include "config/peerstore.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

bool is_there(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && !value->is_null();
}

/// crdt gives way to our raft defaults; what its store was is of no use.
Result<> replace_crdt(json::object& file, Warnings& notices) {
    auto* consensus = file.if_contains("consensus");
    if (consensus == nullptr || !consensus->is_object() ||
        !is_there(consensus->get_object(), "crdt"))
        return ok();
    auto& object = consensus->get_object();
    object.erase("crdt");
    if (!is_there(object, "raft")) {
        const InitOptions usual;
        ICL_TRY(const auto text, default_config_json(usual));
        ICL_TRY(auto ours, parse_json_object(text));
        object["raft"] = std::move(ours["consensus"].get_object()["raft"]);
    }
    notices.push_back(
        "consensus.crdt is replaced by consensus.raft; name the other peers with --peers, or let "
        "them "
        "join with --bootstrap");
    return ok();
}

/// Files outside of the folder, named absolutely, are used where they are.
void note_file(const std::string& folder, const std::string& name, Strings& files) {
    if (name.empty() || std::filesystem::path(name).is_absolute()) return;
    if (file_exists(folder + "/" + name)) files.push_back(name);
}

}  // namespace

Result<TakenOver> read_old_folder(const std::string& folder) {
    const auto path = folder + "/" + std::string(kConfigFile);
    ICL_TRY(const auto text, read_file(path, kConfigBytesMax));
    auto file = parse_json_object(text);
    if (!file) return fail(file.error().in(path));
    TakenOver out;
    ICL_TRY(replace_crdt(file.value(), out.notices));
    const Environment none;
    auto config = parse_config(json_text(file.value(), 0), none, out.notices);
    if (!config) return fail(config.error().in(path));
    out.config = std::move(config.value());
    if (!out.config.raft.data_folder.empty()) {
        out.notices.push_back("consensus.raft.data_folder " + out.config.raft.data_folder +
                              " is not kept: it is the old peer's");
        out.config.raft.data_folder.clear();
    }
    ICL_TRY(out.identity, read_identity(folder));
    ICL_TRY(out.peers,
            load_peerstore(folder + "/" + out.config.cluster.peerstore_file, out.notices));
    if (out.peers.empty()) out.peers = out.config.old_peers;
    for (const RestConfig* api : {&out.config.restapi, &out.config.pinsvcapi}) {
        note_file(folder, api->ssl_cert_file, out.files);
        note_file(folder, api->ssl_key_file, out.files);
    }
    return out;
}

}  // namespace ipfscluster::config
