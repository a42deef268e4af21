#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "multi/peer_id.hpp"

/// The file `members.json`: what a peer knows of its cluster should its consensus data be lost. Not
/// the peerstore, which has addresses of whomever it met.
namespace ipfscluster::config {

inline constexpr std::string_view kRememberedFile = "members.json";
inline constexpr std::size_t kRememberedBytesMax = 4 * 1024 * 1024;

/// A plain value.
struct Remembered {
    bool joining = false;         ///< started to join a cluster and not taken in since
    std::vector<PeerId> members;  ///< of its cluster, without itself; sorted
    friend bool operator==(const Remembered&, const Remembered&) = default;
};

/// `unsupported` for a newer version, `corrupt` for anything else that is not this file.
Result<Remembered> parse_remembered(std::string_view text);
std::string remembered_text(const Remembered& value);

/// A missing file remembers nothing.
Result<Remembered> load_remembered(const std::string& path);
/// Replaces the file; it is on the disk when this returns.
Result<> save_remembered(const std::string& path, const Remembered& value);

}  // namespace ipfscluster::config
