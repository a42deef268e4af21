#include "config/remembered.hpp"

#include <boost/json.hpp>

#include "config/file_io.hpp"
#include "config/json_text.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

constexpr std::int64_t kVersion = 1;

Result<std::vector<PeerId>> read_members(const json::object& object) {
    const json::value* list = object.if_contains("members");
    if (list == nullptr || !list->is_array())
        return fail(Kind::corrupt, "\"members\": a list of peer ids is missing");
    std::vector<PeerId> out;
    for (const auto& entry : list->get_array()) {
        if (!entry.is_string()) return fail(Kind::corrupt, "\"members\": not a text");
        auto peer = PeerId::parse(std::string_view(entry.get_string()));
        if (!peer) return fail(Kind::corrupt, "\"members\": " + peer.error().text);
        out.push_back(std::move(peer.value()));
    }
    return out;
}

}  // namespace

Result<Remembered> parse_remembered(std::string_view text) {
    auto parsed = parse_json_object(text);
    if (!parsed) return fail(Kind::corrupt, parsed.error().text);
    const auto& object = parsed.value();
    const json::value* version = object.if_contains("version");
    if (version == nullptr || !version->is_int64())
        return fail(Kind::corrupt, "\"version\": a number is missing");
    if (version->get_int64() != kVersion)
        return fail(Kind::unsupported, "version " + std::to_string(version->get_int64()) +
                                           " is newer than this build, which knows " +
                                           std::to_string(kVersion));
    Remembered out;
    const json::value* joining = object.if_contains("joining");
    if (joining == nullptr || !joining->is_bool())
        return fail(Kind::corrupt, "\"joining\": true or false is missing");
    out.joining = joining->get_bool();
    ICL_TRY(out.members, read_members(object));
    return out;
}

std::string remembered_text(const Remembered& value) {
    json::array members;
    for (const auto& peer : value.members) members.push_back(json::string(peer.to_string()));
    json::object object;
    object["version"] = kVersion;
    object["joining"] = value.joining;
    object["members"] = std::move(members);
    return json_text(object, 2) + "\n";
}

Result<Remembered> load_remembered(const std::string& path) {
    const auto text = read_file(path, kRememberedBytesMax);
    if (!text && text.error().kind == Kind::not_found) return Remembered{};
    if (!text) return fail(text.error());
    auto value = parse_remembered(text.value());
    if (!value) return fail(value.error().in(path));
    return value;
}

Result<> save_remembered(const std::string& path, const Remembered& value) {
    return write_file(path, remembered_text(value), 0644);
}

}  // namespace ipfscluster::config
