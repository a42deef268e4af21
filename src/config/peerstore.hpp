#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/fields.hpp"

/// The peerstore file: addresses of other peers, one a line, the most wanted first.
namespace ipfscluster::config {

/// Read and written at most.
inline constexpr std::size_t kPeerstoreBytesMax = 4 * 1024 * 1024;

/// Reads lines that start with '/'; others (comments, empty ones) are skipped. A line that does not
/// parse, or names no peer, is skipped; one warning tells their number and the first of them.
Addresses parse_peerstore(std::string_view text, Warnings& warnings);
/// One line per address. Of a peer with DNS addresses only those are kept; the addresses of one
/// peer are sorted by text, peers stay in the order of their first address. Lines that do not fit
/// into a file that can be read again are left out.
std::string peerstore_text(const Addresses& addresses);

/// A missing file is an empty list. Of one that is too large only the beginning is read, with a
/// warning.
Result<Addresses> load_peerstore(const std::string& path, Warnings& warnings);
/// Replaces the file.
Result<> save_peerstore(const std::string& path, const Addresses& addresses);

}  // namespace ipfscluster::config
