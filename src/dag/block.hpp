#pragma once
#include <functional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "multi/cid.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster::dag {

/// Largest block any decoder here accepts: what one bitswap message can carry. Blocks we make stay
/// below 2 MiB by the limits of chunkers and directories.
inline constexpr std::size_t kBlockBytesMax = 4u << 20;

/// One block and its name. A plain value.
struct Block {
    Cid cid;
    Bytes data;
};

/// Takes each finished block, children before parents. Called synchronously; an error stops the
/// builder.
using BlockSink = std::function<Result<>(Block&&)>;

/// How CIDs are made: the version and the hash of an import. A plain value.
struct CidBuilder {
    int version = 0;
    HashCode hash = HashCode::sha2_256;

    /// The CID of `data`. Version 0 exists only for dag-pb, so another codec gives version 1 (as
    /// Kubo's raw leaves under `cid-version=0`). `invalid` for version 0 with a hash other than
    /// sha2-256.
    Result<Cid> make(Codec codec, BytesView data) const;
};

/// `corrupt` unless `data` hashes to `cid`; `unsupported` when the function is not ours to compute.
Result<> verify_block(const Cid& cid, BytesView data);

}  // namespace ipfscluster::dag
