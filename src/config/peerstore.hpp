#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/fields.hpp"

/// The peerstore file: addresses of other peers, one a line, the most wanted first.
namespace ipfscluster::config {

inline constexpr std::size_t kPeerstoreBytesMax = 4 * 1024 * 1024;

/// Reads lines that start with '/'; others (comments, empty ones) are skipped. A line that does not
/// parse, or names no peer and is no /dnsaddr, is skipped with a warning.
Addresses parse_peerstore(std::string_view text, Warnings& warnings);
/// One line per address. Of a peer with DNS addresses only those are kept; the addresses of one
/// peer are sorted by text, peers stay in the order of their first address.
std::string peerstore_text(const Addresses& addresses);

/// A missing file is an empty list.
Result<Addresses> load_peerstore(const std::string& path, Warnings& warnings);
/// Replaces the file.
Result<> save_peerstore(const std::string& path, const Addresses& addresses);

}  // namespace ipfscluster::config
