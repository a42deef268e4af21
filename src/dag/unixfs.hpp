#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster::dag {

/// Kinds of UnixFS node (https://specs.ipfs.tech/unixfs/), with their wire numbers.
enum class UnixfsType : std::uint64_t {
    raw = 0,
    directory = 1,
    file = 2,
    metadata = 3,
    symlink = 4,
    hamt_shard = 5,
};
std::string_view to_string(UnixfsType type);

/// The UnixFS message in a dag-pb node's Data. Mode and time, which we never write, are skipped on
/// reading. A plain value.
struct UnixfsData {
    UnixfsType type = UnixfsType::file;
    std::optional<Bytes> data;
    std::optional<std::uint64_t> file_size;
    std::vector<std::uint64_t> block_sizes;
    std::optional<std::uint64_t> hash_type;
    std::optional<std::uint64_t> fanout;
};

/// Canonical bytes: fields in ascending order, block sizes unpacked.
Bytes encode_unixfs(const UnixfsData& node);

/// The message of a leaf that holds `content` (type file or raw), inside its dag-pb node: the whole
/// block, written with one copy of the content. Empty content leaves the field out, as Kubo does.
Bytes encode_unixfs_leaf(UnixfsType type, BytesView content);

/// `corrupt` with the reason. Accepts packed and unpacked block sizes and unknown fields.
Result<UnixfsData> decode_unixfs(BytesView data);

}  // namespace ipfscluster::dag
