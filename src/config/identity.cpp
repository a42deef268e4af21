#include "config/identity.hpp"

#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "config/config.hpp"
#include "config/file_io.hpp"
#include "config/flat_file.hpp"
#include "config/json_text.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

constexpr std::size_t kIdentityBytesMax = 64 * 1024;

struct Texts {
    std::string id, private_key;
};

std::string text_at(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

Result<KeyPair> with_environment(Texts texts, const Environment& env) {
    texts.id = env.get("CLUSTER_ID").value_or(texts.id);
    texts.private_key = env.get("CLUSTER_PRIVATEKEY").value_or(texts.private_key);
    return parse_identity(texts.id, texts.private_key);
}

/// The pair in `cluster` (until 0.11) or at the top of a flat file (0.0.3).
Result<KeyPair> old_identity(const json::object& file) {
    const json::value* cluster = file.if_contains("cluster");
    const bool flat = is_flat_file(file);
    if (!flat && (cluster == nullptr || !cluster->is_object()))
        return fail(Kind::not_found, "no identity");
    const auto& holder = flat ? file : cluster->get_object();
    if (text_at(holder, "id").empty()) return fail(Kind::not_found, "no identity");
    auto key = parse_identity(text_at(holder, "id"), text_at(holder, "private_key"));
    if (!key && !flat) return fail(key.error().in("cluster"));
    return key;
}

}  // namespace

std::string identity_path(const std::string& folder) {
    return folder + "/" + std::string(kIdentityFile);
}

Result<KeyPair> parse_identity(std::string_view id, std::string_view private_key_base64) {
    const auto wanted = PeerId::parse(id);
    if (!wanted) return fail(wanted.error().in("id"));
    const auto bytes = base64_decode(private_key_base64);
    if (!bytes || bytes.value().empty()) return fail(Kind::invalid, "private_key: not base64");
    const auto key = parse_private_key(bytes.value());
    if (!key) return fail(key.error().in("private_key"));
    if (key.value().id != wanted.value())
        return fail(Kind::invalid, "id: does not belong to the private key");
    return key.value();
}

std::string identity_json(const KeyPair& key) {
    json::object object;
    object["id"] = key.id.to_string();
    object["private_key"] = base64_encode(key.private_key);
    return json_text(object, 4);
}

Result<KeyPair> load_identity(const std::string& folder, const Environment& env) {
    const std::string path = identity_path(folder);
    ICL_TRY(const auto text, read_file(path, kIdentityBytesMax));
    const auto object = parse_json_object(text);
    if (!object) return fail(object.error().in(path));
    auto key = with_environment(
        {text_at(object.value(), "id"), text_at(object.value(), "private_key")}, env);
    if (!key) return fail(key.error().in(path));
    return key;
}

Result<> save_identity(const std::string& folder, const KeyPair& key) {
    return write_file(identity_path(folder), identity_json(key), 0600);
}

Result<KeyPair> load_or_extract_identity(const std::string& folder, const Environment& env,
                                         Warnings& notices) {
    auto loaded = load_identity(folder, env);
    if (loaded || loaded.error().kind != Kind::not_found) return loaded;
    const std::string old_path = folder + "/" + std::string(kConfigFile);
    ICL_TRY(const auto text, read_file(old_path, kConfigBytesMax));
    const auto file = parse_json_object(text);
    const auto key = old_identity(file ? file.value() : json::object{});
    if (!key && key.error().kind == Kind::not_found)
        return fail(Kind::not_found, identity_path(folder) + ": no identity; run init first");
    if (!key) return fail(key.error().in(old_path));
    ICL_TRY(save_identity(folder, key.value()));
    notices.push_back("the identity in " + old_path + " was copied to " + identity_path(folder));
    return load_identity(folder, env);
}

Result<KeyPair> read_identity(const std::string& folder) {
    const Environment none;
    auto loaded = load_identity(folder, none);
    if (loaded || loaded.error().kind != Kind::not_found) return loaded;
    const std::string old_path = folder + "/" + std::string(kConfigFile);
    ICL_TRY(const auto text, read_file(old_path, kConfigBytesMax));
    ICL_TRY(const auto file, parse_json_object(text));
    auto key = old_identity(file);
    if (!key) return fail(key.error().in(old_path));
    return key;
}

Result<KeyPair> load_or_create_identity(const std::string& folder, const Environment& env,
                                        bool& created) {
    created = !file_exists(identity_path(folder));
    if (!created) return load_identity(folder, env);
    const KeyPair fresh = generate_ed25519();
    ICL_TRY(auto key,
            with_environment({fresh.id.to_string(), base64_encode(fresh.private_key)}, env));
    ICL_TRY(save_identity(folder, key));
    return key;
}

}  // namespace ipfscluster::config
