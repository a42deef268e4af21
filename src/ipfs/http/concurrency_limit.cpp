#include "ipfs/http/concurrency_limit.hpp"

#include <algorithm>

namespace ipfscluster::ipfshttp {

void ConcurrencyLimit::answered(Duration took) {
    if (took > kSlowAnswer) return overloaded();
    if (ignore_ > 0) --ignore_;
    if (took > kQuickAnswer) {
        quick_ = 0;
        return;
    }
    if (++quick_ < limit_) return;
    quick_ = 0;
    limit_ = std::min(max_, limit_ + 1);
}

void ConcurrencyLimit::overloaded() {
    quick_ = 0;
    if (ignore_ > 0) {
        --ignore_;
        return;
    }
    shrink();
}

void ConcurrencyLimit::shrink() {
    ignore_ = limit_ - 1;
    limit_ = std::max(1, limit_ / 2);
}

}  // namespace ipfscluster::ipfshttp
