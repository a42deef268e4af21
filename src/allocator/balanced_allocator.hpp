#pragma once
#include <string>
#include <vector>

#include "component/allocator.hpp"

namespace ipfscluster::allocator {

/// Go's balanced allocator (reference/internals 7.2, 7.3) with ties broken by peer id instead of
/// map order: peers are grouped by the first metric, the groups by the next, and so on; groups are
/// visited round-robin, heaviest first, so two copies never share a top group while another group
/// still has room. Holds its configuration only; any strand.
class BalancedAllocator final : public component::Allocator {
 public:
    /// `allocate_by`: metric names from the coarsest to the finest ("tag:group", "freespace").
    explicit BalancedAllocator(std::vector<std::string> allocate_by);

    std::vector<std::string> metric_names() const override { return allocate_by_; }
    Result<std::vector<PeerId>> allocate(
        const component::AllocationRequest& request) const override;

 private:
    std::vector<std::string> allocate_by_;
};

}  // namespace ipfscluster::allocator
