#include "ipfs/http/kubo_answers.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "codec/json_reader.hpp"

namespace ipfscluster::ipfshttp {
namespace {

namespace json = boost::json;
using codec::JsonFields;
using component::DirectoryEntry;

/// Documents come from a stream of lines, so many are parsed one after the other.
Result<json::value> parse(std::string_view text) {
    json::parse_options options;
    options.max_depth = codec::kJsonDepthMax;
    boost::system::error_code ec;
    auto value = json::parse(json::string_view(text.data(), text.size()), ec, {}, options);
    if (ec) return fail(Kind::corrupt, "malformed JSON: " + ec.message());
    if (!value.is_object()) return fail(Kind::corrupt, "not a JSON object");
    return value;
}

Error corrupt(Error error) {
    return {Kind::corrupt, std::move(error.text)};
}

/// Takes the fields of one document: `read` is called with the reader.
template <class F>
Result<> read_fields(std::string_view text, F read) {
    ICL_TRY(const auto value, parse(text));
    JsonFields fields(value);
    read(fields);
    auto done = fields.result();
    if (!done) return fail(corrupt(done.error()));
    return ok();
}

Result<Cid> cid_of(std::string_view text) {
    auto cid = Cid::parse(text);
    if (!cid) return fail(corrupt(cid.error().in("\"" + std::string(text.substr(0, 100)) + "\"")));
    return cid;
}

Result<std::vector<Cid>> cids_of(const std::vector<std::string>& texts) {
    std::vector<Cid> cids;
    cids.reserve(texts.size());
    for (const auto& text : texts) {
        ICL_TRY(auto cid, cid_of(text));
        cids.push_back(std::move(cid));
    }
    return cids;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

Kind kind_of(int status, std::string_view words) {
    if (contains(words, "no space left on device") || contains(words, "disk quota exceeded"))
        return Kind::disk_full;
    if (status == 400) return Kind::invalid;
    if (status == 401 || status == 403) return Kind::denied;
    if (status == 404 || status == 405) return Kind::unsupported;  // it has no such call
    if (status == 429 || status == 503) return Kind::retryable;
    for (const std::string_view missing : {"no link named", "could not find",
                                           "was not found locally", "does not exist", "not found"})
        if (contains(words, missing)) return Kind::not_found;
    return Kind::internal;
}

/// Numbers of the UnixFS format.
DirectoryEntry::Type type_of(int number) {
    if (number == 1 || number == 5) return DirectoryEntry::Type::directory;
    if (number == 0 || number == 2) return DirectoryEntry::Type::file;
    if (number == 4) return DirectoryEntry::Type::symlink;
    return DirectoryEntry::Type::unknown;
}

}  // namespace

Result<IpfsId> parse_id(std::string_view text) {
    std::string peer;
    std::vector<std::string> addresses;
    ICL_TRY(read_fields(text, [&](JsonFields& f) {
        f.take("ID", peer);
        f.take("Addresses", addresses);
    }));
    IpfsId id;
    auto parsed = PeerId::parse(peer);
    if (!parsed) return fail(corrupt(parsed.error().in("ID")));
    id.id = std::move(parsed).value();
    for (const auto& address : addresses)
        if (auto known = Multiaddr::parse(address))
            id.addresses.push_back(std::move(known).value());
    return id;
}

Result<PinAddRow> parse_pin_add(std::string_view text) {
    PinAddRow row;
    std::vector<std::string> pins;
    ICL_TRY(read_fields(text, [&](JsonFields& f) {
        f.take("Progress", row.progress.blocks);
        f.take("Bytes", row.progress.bytes);
        f.take("Pins", pins);
    }));
    ICL_TRY(row.pins, cids_of(pins));
    return row;
}

Result<IpfsPinInfo> parse_pin_row(std::string_view text) {
    std::string cid, type;
    ICL_TRY(read_fields(text, [&](JsonFields& f) {
        f.take("Cid", cid);
        f.take("Type", type);
    }));
    IpfsPinInfo row;
    ICL_TRY(row.cid, cid_of(cid));
    // "indirect through CID"
    if (type == "recursive")
        row.status = IpfsPinStatus::recursive;
    else if (type == "direct")
        row.status = IpfsPinStatus::direct;
    else if (type.starts_with("indirect"))
        row.status = IpfsPinStatus::indirect;
    else
        return fail(Kind::corrupt, "Type: unknown word \"" + type.substr(0, 100) + "\"");
    return row;
}

Result<std::vector<Cid>> parse_pins(std::string_view text) {
    std::vector<std::string> pins;
    ICL_TRY(read_fields(text, [&](JsonFields& f) { f.take("Pins", pins); }));
    return cids_of(pins);
}

Result<RepoStat> parse_repo_stat(std::string_view text) {
    RepoStat stat;
    ICL_TRY(read_fields(text, [&](JsonFields& f) {
        if (f.find("RepoSize") == nullptr) f.set_error({Kind::corrupt, "RepoSize is missing"});
        f.take("RepoSize", stat.repo_size);
        f.take("StorageMax", stat.storage_max);
    }));
    return stat;
}

Result<RepoGcKey> parse_gc_row(std::string_view text) {
    RepoGcKey row;
    std::string cid;
    ICL_TRY(read_fields(text, [&](JsonFields& f) {
        f.take("Error", row.error);
        const auto* key = f.find("Key");
        if (key == nullptr || !key->is_object()) return;
        const auto* link = key->get_object().if_contains("/");
        if (link != nullptr && link->is_string()) cid.assign(link->get_string());
    }));
    if (!cid.empty()) {
        ICL_TRY(row.key, cid_of(cid));
    }
    if (!row.key.defined() && row.error.empty())
        return fail(Kind::corrupt, "neither a key nor an error");
    return row;
}

Result<std::vector<PeerId>> parse_swarm_peers(std::string_view text) {
    ICL_TRY(const auto value, parse(text));
    std::vector<PeerId> peers;
    const auto* list = value.get_object().if_contains("Peers");
    if (list == nullptr || list->is_null()) return peers;
    if (!list->is_array()) return fail(Kind::corrupt, "Peers: not a list");
    for (const auto& entry : list->get_array()) {
        std::string peer;
        JsonFields fields(entry);
        fields.take("Peer", peer);
        if (auto read = fields.result(); !read) return fail(corrupt(read.error().in("Peers")));
        auto id = PeerId::parse(peer);
        if (!id) return fail(corrupt(id.error().in("Peers")));
        peers.push_back(std::move(id).value());
    }
    return peers;
}

Result<Cid> parse_resolve(std::string_view text) {
    std::string path;
    ICL_TRY(read_fields(text, [&](JsonFields& f) { f.take("Path", path); }));
    constexpr std::string_view kPrefix = "/ipfs/";  // as long as "/ipld/"
    if (!path.starts_with(kPrefix) && !path.starts_with("/ipld/"))
        return fail(Kind::corrupt, "Path: \"" + path.substr(0, 200) + "\" is no /ipfs/ path");
    const auto rest = std::string_view(path).substr(kPrefix.size());
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos && slash + 1 < rest.size())
        return fail(Kind::unsupported,
                    "the path ends inside the block " + std::string(rest.substr(0, slash)));
    return cid_of(rest.substr(0, slash));
}

Result<Bytes> parse_block_row(std::string_view text) {
    std::string key;
    ICL_TRY(read_fields(text, [&](JsonFields& f) { f.take("Key", key); }));
    ICL_TRY(const auto cid, cid_of(key));
    return Bytes(cid.multihash());
}

Result<component::FileInfo> parse_files_stat(std::string_view text) {
    std::string hash, type;
    component::FileInfo info;
    ICL_TRY(read_fields(text, [&](JsonFields& f) {
        f.take("Hash", hash);
        f.take("Type", type);
        f.take("Size", info.size);
    }));
    ICL_TRY(info.cid, cid_of(hash));
    info.directory = type == "directory";
    if (info.directory) info.size = 0;
    return info;
}

Result<std::vector<DirectoryEntry>> parse_ls_row(std::string_view text) {
    ICL_TRY(const auto value, parse(text));
    std::vector<DirectoryEntry> entries;
    const auto* objects = value.get_object().if_contains("Objects");
    if (objects == nullptr || objects->is_null()) return entries;
    if (!objects->is_array()) return fail(Kind::corrupt, "Objects: not a list");
    for (const auto& object : objects->get_array()) {
        const auto* links = object.is_object() ? object.get_object().if_contains("Links") : nullptr;
        if (links == nullptr || links->is_null()) continue;
        if (!links->is_array()) return fail(Kind::corrupt, "Links: not a list");
        for (const auto& link : links->get_array()) {
            DirectoryEntry entry;
            std::string hash;
            int type = -1;
            JsonFields fields(link);
            fields.take("Name", entry.name);
            fields.take("Hash", hash);
            fields.take("Size", entry.size);
            fields.take("Type", type);
            if (auto read = fields.result(); !read) return fail(corrupt(read.error().in("Links")));
            ICL_TRY(entry.cid, cid_of(hash));
            entry.type = type_of(type);
            entries.push_back(std::move(entry));
        }
    }
    return entries;
}

std::string error_words(std::string_view body) {
    if (auto value = parse(body)) {
        const auto* message = value.value().get_object().if_contains("Message");
        if (message != nullptr && message->is_string() && !message->get_string().empty())
            return std::string(message->get_string());
    }
    while (!body.empty() && (body.back() == '\n' || body.back() == ' ')) body.remove_suffix(1);
    return std::string(body.substr(0, kWordsMax));
}

Error daemon_error(std::string_view call, int status, std::string_view words,
                   std::string_view self) {
    const auto kind = kind_of(status, words);
    std::string text = "IPFS error (" + std::string(call) + "): ";
    if (kind == Kind::disk_full) text += "disk full on " + std::string(self) + ": ";
    text += words.empty() ? "no reason was given" : words;
    if (status != 200 && status != 500) text += " (HTTP status " + std::to_string(status) + ")";
    return {kind, std::move(text)};
}

bool says_not_pinned(const Error& error) {
    return contains(error.text, "not pinned");
}

}  // namespace ipfscluster::ipfshttp
