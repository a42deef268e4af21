#include "dag/block.hpp"

namespace ipfscluster::dag {

Result<Cid> CidBuilder::make(Codec codec, BytesView data) const {
    ICL_TRY(auto digest, multihash_digest(hash, data));
    if (version != 0 || codec != Codec::dag_pb) return Cid::v1(codec, digest);
    if (hash != HashCode::sha2_256)
        return fail(Kind::invalid,
                    "cid-version 0 allows only sha2-256, not " + std::string(hash_name(hash)));
    return Cid::v0(digest);
}

Result<> verify_block(const Cid& cid, BytesView data) {
    ICL_TRY(auto parts, parse_multihash(cid.multihash()));
    ICL_TRY(auto digest, multihash_digest(static_cast<HashCode>(parts.code), data));
    if (digest == cid.multihash()) return ok();
    return fail(Kind::corrupt, "block does not match its CID " + cid.to_string());
}

}  // namespace ipfscluster::dag
