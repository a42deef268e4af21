#pragma once
#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "multi/cid.hpp"

namespace ipfscluster::ipfs_rpc {

/// Blocks one call can tell apart: about 50 bytes each.
inline constexpr std::size_t kSeenBlocksMax = 500'000;

/// Remembers blocks by the last 16 bytes of their digests, which for the hashes of content are as
/// good as random. CIDs that carry their content are always new. Owned by one call.
class SeenBlocks {
 public:
    /// True the first time; a block beyond the bound is new each time, and `full` says so.
    bool add(const Cid& cid) {
        Mark mark{};
        const auto hash = cid.multihash();
        // The content itself, not a digest.
        if (hash.empty() || hash[0] == static_cast<char>(HashCode::identity)) return true;
        const auto size = std::min(hash.size(), sizeof mark);
        std::memcpy(&mark, hash.data() + hash.size() - size, size);
        if (seen_.contains(mark)) return false;
        if (seen_.size() == kSeenBlocksMax) {
            full_ = true;
            return true;
        }
        seen_.insert(mark);
        return true;
    }
    bool full() const { return full_; }
    std::size_t size() const { return seen_.size(); }

 private:
    struct Mark {
        std::uint64_t low, high;
        friend bool operator==(const Mark&, const Mark&) = default;
    };
    struct Hash {
        std::size_t operator()(const Mark& mark) const noexcept { return mark.low ^ mark.high; }
    };
    std::unordered_set<Mark, Hash> seen_;
    bool full_ = false;
};

}  // namespace ipfscluster::ipfs_rpc
