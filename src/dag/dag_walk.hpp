#pragma once
#include <optional>
#include <unordered_map>
#include <vector>

#include "dag/block.hpp"

namespace ipfscluster::dag {

/// Blocks with links one walk may see; each is remembered (about 100 bytes) so that none is
/// expanded twice. A UnixFS file has one such block for 174 leaves.
inline constexpr std::size_t kWalkNodesMax = 4'000'000;
/// Links found and not yet handed out.
inline constexpr std::size_t kWalkPendingMax = 1'000'000;
/// Walk the whole DAG.
inline constexpr int kDepthUnlimited = -1;

/// Plans a depth-first walk over a DAG of any codecs, without doing any I/O: hands out the blocks
/// to get, takes them in whatever order they come, and finds the next ones. Several may be
/// outstanding. Leaves are not remembered (there may be billions), so one that stands in several
/// places may be handed out more than once. Owned by one pin, import or GC mark; any one strand.
class DagWalk {
 public:
    /// `depth_max`: 0 only the root, 1 its links as well, and so on.
    explicit DagWalk(Cid root, int depth_max = kDepthUnlimited);

    struct Step {
        Cid cid;
        int depth = 0;
    };
    /// The next block to get, or nothing: then the walk is over if `done`, else more comes once an
    /// outstanding block has been given to `arrived`.
    std::optional<Step> next();
    /// The block of a step handed out before. `corrupt` when it does not decode, `unsupported` for
    /// a codec whose links we cannot follow or a DAG beyond the bounds.
    Result<> arrived(const Step& step, BytesView block);
    /// Leaves out what is below a step, for instance because all of it is known to be there.
    void skip(const Step& step);

    bool done() const { return pending_.empty() && outstanding_ == 0; }
    /// Blocks that arrived or were skipped.
    std::uint64_t visited() const { return visited_; }

 private:
    bool expanded_before(const Step& step) const;

    int depth_max_;
    std::vector<Step> pending_;              // a stack
    std::unordered_map<Cid, int> expanded_;  // blocks with links and the least depth they stood at
    std::size_t outstanding_ = 0;
    std::uint64_t visited_ = 0;
};

}  // namespace ipfscluster::dag
