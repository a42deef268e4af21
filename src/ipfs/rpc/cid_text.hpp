#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "multi/cid.hpp"

namespace ipfscluster::ipfs_rpc {

/// How an answer writes CIDs (`cid-base`). A plain value.
class CidText {
 public:
    /// As each CID is usually written: base58btc for version 0, base32 for version 1.
    CidText() = default;
    /// `base`: a name of the multibase table; empty: the usual. A base other than base58btc turns
    /// version 0 into 1, unless `upgrade` decides. `invalid` for a base we do not write.
    static Result<CidText> make(std::string_view base, std::optional<bool> upgrade);
    /// In the version and base of the CID at the front of a path; the usual when it has none.
    static CidText of_path(std::string_view path);

    std::string operator()(const Cid& cid) const;

 private:
    char base_ = 'b';  ///< the multibase prefix for version 1
    bool upgrade_ = false;
};

}  // namespace ipfscluster::ipfs_rpc
