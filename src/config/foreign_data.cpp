#include "config/foreign_data.hpp"

#include <boost/json.hpp>
#include <filesystem>

#include "config/config.hpp"
#include "config/file_io.hpp"
#include "config/flat_file.hpp"
#include "config/json_text.hpp"

namespace ipfscluster::config {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const json::object* inner(const json::object* outer, std::string_view key) {
    const auto* value = outer == nullptr ? nullptr : outer->if_contains(key);
    return value == nullptr ? nullptr : value->if_object();
}

std::string text_at(const json::object* object, std::string_view key) {
    const auto* value = object == nullptr ? nullptr : object->if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

/// Files of hashicorp/raft, which Go peers of every version keep.
bool holds_go_raft(const fs::path& folder) {
    std::error_code ec;
    return fs::exists(folder / "raft.db", ec) || fs::exists(folder / "snapshots", ec);
}

bool holds_anything(const fs::path& folder) {
    std::error_code ec;
    return fs::is_directory(folder, ec) && !fs::is_empty(folder, ec) && !ec;
}

struct Found {
    std::string what;
    bool flat = false;  ///< made by 0.0.3
};

std::optional<Found> find_foreign(const std::string& folder, const json::object& file,
                                  const Environment& env) {
    const fs::path base(folder);
    const bool flat = is_flat_file(file);
    const auto* raft = inner(inner(&file, "consensus"), "raft");
    auto configured = flat ? text_at(&file, "consensus_data_folder") : text_at(raft, "data_folder");
    if (const auto set = env.get("CLUSTER_RAFT_DATAFOLDER"); set && !set->empty())
        configured = *set;
    std::vector<fs::path> raft_folders = {base / "raft", base / "data"};
    if (!configured.empty()) raft_folders.emplace_back(configured);
    for (const auto& at : raft_folders)
        if (holds_go_raft(at)) return Found{at.string() + " (raft)", flat};

    const auto* datastore = inner(&file, "datastore");
    for (const char* name : {"pebble", "badger3", "badger", "leveldb"}) {
        const auto given = text_at(inner(datastore, name), "folder");
        const auto at = base / (given.empty() ? name : given);
        if (holds_anything(at)) return Found{at.string() + " (crdt)", flat};
    }
    const auto* consensus = inner(&file, "consensus");
    const auto* crdt = consensus == nullptr ? nullptr : consensus->if_contains("crdt");
    if (crdt != nullptr && !crdt->is_null())
        return Found{"section consensus.crdt in " + folder + "/" + std::string(kConfigFile), flat};
    return std::nullopt;
}

std::string advice(const std::string& folder, const Found& found) {
    const auto fresh = folder + "-new";
    std::string text =
        "this folder belongs to a Go peer: " + found.what +
        ". Its consensus data cannot be read here. To carry settings and pinset over:\n";
    if (found.flat)
        text +=
            "  (a program without `state export`, such as 0.0.3: keep the list of "
            "`ipfs-cluster-ctl pin ls` and pin its items again in place of 1. and the import)\n";
    text += "  1. with the Go program:  ipfs-cluster-service -c " + folder +
            " state export -f pins.json\n";
    text += "  2. with this one:        ipfs-cluster-service -c " + fresh +
            " init --consensus raft --from " + folder + "\n";
    text +=
        "                           ipfs-cluster-service -c " + fresh + " state import pins.json\n";
    text += "docs/migration.md has the whole way for several peers.";
    return text;
}

}  // namespace

Result<> check_no_foreign_data(const std::string& folder, const Environment& env) {
    const auto text = read_file(folder + "/" + std::string(kConfigFile), kConfigBytesMax);
    const auto file = text ? parse_json_object(text.value()) : Result<json::object>(json::object{});
    // A half-written file must not hide the data beside it.
    const auto found = find_foreign(folder, file ? file.value() : json::object{}, env);
    if (!found) return ok();
    return fail(Kind::unsupported, advice(folder, *found));
}

}  // namespace ipfscluster::config
