#include "blockstore/leaf.hpp"

#include "base/varint.hpp"

namespace ipfscluster::blockstore {

bool surely_leaf(const Cid& cid, BytesView prefix, std::size_t block_bytes) {
    if (cid.codec() == static_cast<std::uint64_t>(Codec::raw)) return true;
    if (cid.codec() != static_cast<std::uint64_t>(Codec::dag_pb)) return false;
    // Field 1 (Data), length delimited, reaching exactly to the end of the block.
    if (prefix.empty() || prefix[0] != 0x0a) return false;
    auto rest = prefix.substr(1);
    const auto length = take_uvarint(rest);
    if (!length) return false;
    return prefix.size() - rest.size() + length.value() == block_bytes;
}

std::optional<Bytes> inlined_data(const Cid& cid) {
    if (!cid.defined() || cid.version() == 0) return std::nullopt;
    const auto parts = parse_multihash(cid.multihash());
    if (!parts || parts.value().code != static_cast<std::uint64_t>(HashCode::identity))
        return std::nullopt;
    return Bytes(parts.value().digest);
}

}  // namespace ipfscluster::blockstore
