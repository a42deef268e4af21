#include "dag/dag_walk.hpp"

#include "base/assert.hpp"
#include "dag/links.hpp"

namespace ipfscluster::dag {

DagWalk::DagWalk(Cid root, int depth_max) : depth_max_(depth_max) {
    pending_.push_back({std::move(root), 0});
}

bool DagWalk::expanded_before(const Step& step) const {
    const auto found = expanded_.find(step.cid);
    if (found == expanded_.end()) return false;
    // With a limit, a place nearer to the root reaches further down.
    return depth_max_ == kDepthUnlimited || found->second <= step.depth;
}

std::optional<DagWalk::Step> DagWalk::next() {
    while (!pending_.empty()) {
        auto step = std::move(pending_.back());
        pending_.pop_back();
        if (expanded_before(step)) continue;
        ++outstanding_;
        return step;
    }
    return std::nullopt;
}

Result<> DagWalk::arrived(const Step& step, BytesView block) {
    skip(step);
    if (step.depth == depth_max_ || expanded_before(step)) return ok();
    ICL_TRY(auto links, child_links(step.cid, block));
    if (links.empty()) return ok();
    if (expanded_.size() >= kWalkNodesMax || pending_.size() + links.size() > kWalkPendingMax)
        return fail(Kind::unsupported,
                    "the DAG has too many links to walk, at " + step.cid.to_string());
    expanded_[step.cid] = step.depth;
    // The first link on top of the stack; runs of one link, as in files of zeros, count once.
    for (auto i = links.size(); i-- > 0;)
        if (i == 0 || links[i] != links[i - 1])
            pending_.push_back({std::move(links[i]), step.depth + 1});
    return ok();
}

void DagWalk::skip(const Step&) {
    ICL_ASSERT(outstanding_ > 0, "a block arrives that was not handed out");
    --outstanding_;
    ++visited_;
}

}  // namespace ipfscluster::dag
