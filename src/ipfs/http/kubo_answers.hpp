#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "component/ipfs_connector.hpp"

/// Kubo's answers as JSON (its RPC API under /api/v0; forms of Kubo 0.43). Each parser takes one
/// document or one line of a stream; `corrupt` says what is wrong with it. Plain functions; any
/// strand.
namespace ipfscluster::ipfshttp {

/// Longest line of a streamed answer, and longest small answer.
inline constexpr std::size_t kLineBytesMax = 1024 * 1024;
inline constexpr std::size_t kAnswerBytesMax = 4 * 1024 * 1024;
/// How much of a text that is no JSON is repeated in an error.
inline constexpr std::size_t kWordsMax = 500;

/// `id`. Addresses that we cannot read are left out.
Result<IpfsId> parse_id(std::string_view text);

/// One object of `pin/add?progress=true`: progress so far, or at the end the pins.
struct PinAddRow {
    component::PinProgress progress;
    std::vector<Cid> pins;
};
Result<PinAddRow> parse_pin_add(std::string_view text);

/// One object of `pin/ls?stream=true`.
Result<IpfsPinInfo> parse_pin_row(std::string_view text);
/// `{"Pins":[…]}` of pin/rm and pin/update.
Result<std::vector<Cid>> parse_pins(std::string_view text);

/// `repo/stat`.
Result<RepoStat> parse_repo_stat(std::string_view text);
/// One object of `repo/gc?stream-errors=true`.
Result<RepoGcKey> parse_gc_row(std::string_view text);
/// `swarm/peers`.
Result<std::vector<PeerId>> parse_swarm_peers(std::string_view text);
/// `resolve`: the root of `/ipfs/CID`; `unsupported` when the path ends inside a block.
Result<Cid> parse_resolve(std::string_view text);
/// Multihash of one object of `block/put`.
Result<Bytes> parse_block_row(std::string_view text);
/// `files/stat`.
Result<component::FileInfo> parse_files_stat(std::string_view text);
/// Entries of one object of `ls?stream=true`. Their size is the file's, as Kubo gives no other.
Result<std::vector<component::DirectoryEntry>> parse_ls_row(std::string_view text);

/// The `Message` of Kubo's error body; the (shortened) body itself when it is not one.
std::string error_words(std::string_view body);
/// The failure of `call` ("pin/add") that the daemon described in its own `words`; `status` is the
/// HTTP status, 200 for a late error of a stream. `self` is the peer that a full disk is reported
/// of.
Error daemon_error(std::string_view call, int status, std::string_view words,
                   std::string_view self);
/// True for the words of an unpin, or a listing of one CID, that found no pin.
bool says_not_pinned(const Error& error);

}  // namespace ipfscluster::ipfshttp
