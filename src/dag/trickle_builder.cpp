#include "dag/file_builder.hpp"

namespace ipfscluster::dag {
namespace {

/// Subtrees of one depth before the depth grows.
constexpr int kSubtreesPerDepth = 4;

/// A node first takes 174 leaves, then four subtrees of depth 1, four of depth 2, and so on; a
/// subtree of depth d goes no further than depth d − 1, the root has no limit. `open_` is the path
/// to where the next leaf goes, the root first.
class TrickleBuilder final : public LayoutBuilder {
 public:
    TrickleBuilder(const FileOptions& options, const BlockSink& sink)
        : cids_(options.cids), sink_(sink) {}

    Result<> add_leaf(DagNodeInfo leaf) override {
        if (open_.empty()) open_.push_back(Node{kUnlimited, 1, 0, {}});
        while (open_.back().children.size() >= kFileLinksMax) {
            auto& node = open_.back();
            if (node.depth < node.depth_end) {
                open_.push_back(Node{node.depth, 1, 0, {}});
            } else {
                ICL_TRY(close_last());
            }
        }
        open_.back().children.push_back(std::move(leaf));
        return ok();
    }

    Result<DagNodeInfo> finish() override {
        if (open_.empty()) open_.push_back(Node{kUnlimited, 1, 0, {}});
        while (open_.size() > 1) {
            ICL_TRY(close_last());
        }
        auto root = seal_file_node(open_.back().children, cids_, sink_);
        open_.clear();
        return root;
    }

 private:
    static constexpr int kUnlimited = 1 << 30;

    struct Node {
        int depth_end;  // subtrees are of depth 1 … depth_end − 1
        int depth;      // of the next subtree
        int subtrees;   // of that depth so far
        std::vector<DagNodeInfo> children;
    };

    Result<> close_last() {
        ICL_TRY(auto sealed, seal_file_node(open_.back().children, cids_, sink_));
        open_.pop_back();
        auto& parent = open_.back();
        parent.children.push_back(std::move(sealed));
        if (++parent.subtrees == kSubtreesPerDepth) {
            ++parent.depth;
            parent.subtrees = 0;
        }
        return ok();
    }

    CidBuilder cids_;
    const BlockSink& sink_;
    std::vector<Node> open_;
};

}  // namespace

std::unique_ptr<LayoutBuilder> make_trickle_builder(const FileOptions& options,
                                                    const BlockSink& sink) {
    return std::make_unique<TrickleBuilder>(options, sink);
}

}  // namespace ipfscluster::dag
