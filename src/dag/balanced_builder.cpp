#include "base/assert.hpp"
#include "dag/file_builder.hpp"

namespace ipfscluster::dag {
namespace {

/// All leaves at one depth. `levels_[k]` holds the children of the open node at height k+1; a full
/// node is sealed only when one more child arrives, so the highest level ends with one node's
/// children.
class BalancedBuilder final : public LayoutBuilder {
 public:
    BalancedBuilder(const FileOptions& options, const BlockSink& sink)
        : cids_(options.cids), sink_(sink) {}

    Result<> add_leaf(DagNodeInfo leaf) override { return add(0, std::move(leaf)); }

    Result<DagNodeInfo> finish() override {
        ICL_ASSERT(!levels_.empty(), "a balanced file has at least one leaf");
        // A single leaf is the root itself.
        if (levels_.size() == 1 && levels_[0].size() == 1) {
            auto root = std::move(levels_[0][0]);
            levels_.clear();
            return root;
        }
        for (std::size_t level = 0;; ++level) {
            ICL_TRY(auto node, seal(level));
            if (level + 1 == levels_.size()) {
                levels_.clear();
                return node;
            }
            ICL_TRY(add(level + 1, std::move(node)));
        }
    }

 private:
    Result<> add(std::size_t level, DagNodeInfo child) {
        if (level == levels_.size()) levels_.emplace_back();
        if (levels_[level].size() == kFileLinksMax) {
            ICL_TRY(auto node, seal(level));
            ICL_TRY(add(level + 1, std::move(node)));
        }
        levels_[level].push_back(std::move(child));
        return ok();
    }

    Result<DagNodeInfo> seal(std::size_t level) {
        ICL_TRY(auto node, seal_file_node(levels_[level], cids_, sink_));
        levels_[level].clear();
        return node;
    }

    CidBuilder cids_;
    const BlockSink& sink_;
    std::vector<std::vector<DagNodeInfo>> levels_;
};

}  // namespace

std::unique_ptr<LayoutBuilder> make_balanced_builder(const FileOptions& options,
                                                     const BlockSink& sink) {
    return std::make_unique<BalancedBuilder>(options, sink);
}

}  // namespace ipfscluster::dag
