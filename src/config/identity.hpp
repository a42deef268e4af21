#pragma once
#include <string>

#include "base/result.hpp"
#include "config/environment.hpp"
#include "config/fields.hpp"
#include "multi/key_pair.hpp"

/// identity.json: who this peer is. Blocking file access; start-up only.
namespace ipfscluster::config {

inline constexpr std::string_view kIdentityFile = "identity.json";

std::string identity_path(const std::string& folder);

/// A key and its id in the file's text form. `invalid` unless the id belongs to the key.
Result<KeyPair> parse_identity(std::string_view id, std::string_view private_key_base64);
/// The file's text: id, then private key; 4 blanks, no final newline.
std::string identity_json(const KeyPair& key);

/// Reads identity.json and applies CLUSTER_ID and CLUSTER_PRIVATEKEY. `not_found` without the file;
/// other errors carry the path and the reason.
Result<KeyPair> load_identity(const std::string& folder, const Environment& env);
/// Writes identity.json (0600).
Result<> save_identity(const std::string& folder, const KeyPair& key);

/// load_identity; without the file, the pair that old versions kept in service.json
/// (`cluster.id`, `cluster.private_key`; 0.0.3: `id`, `private_key`) is validated and saved, and a
/// notice naming both files is added. service.json is left as it is.
Result<KeyPair> load_or_extract_identity(const std::string& folder, const Environment& env,
                                         Warnings& notices);
/// The identity of a folder that is only read: identity.json, else the pair in service.json.
Result<KeyPair> read_identity(const std::string& folder);
/// For `init`: the identity that is there, or a fresh Ed25519 key with the environment applied,
/// saved. `created` tells which.
Result<KeyPair> load_or_create_identity(const std::string& folder, const Environment& env,
                                        bool& created);

}  // namespace ipfscluster::config
