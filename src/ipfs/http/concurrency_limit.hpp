#pragma once
#include "base/time.hpp"

namespace ipfscluster::ipfshttp {

/// A daemon that begins to answer within this time can take more at once.
inline constexpr Duration kQuickAnswer = std::chrono::seconds(1);
/// One that takes longer than this has too much at once.
inline constexpr Duration kSlowAnswer = std::chrono::seconds(5);

/// How many pins run at the daemon at once: additive increase, multiplicative decrease between 1
/// and `max`, steered by how long the daemon takes to begin an answer that costs it nothing (not by
/// how long pins take: that depends on their size and on who has the blocks). Begins at `max`.
/// Pure; one strand.
class ConcurrencyLimit {
 public:
    explicit ConcurrencyLimit(int max) : max_(max < 1 ? 1 : max), limit_(max_) {}

    int limit() const { return limit_; }
    /// One answer began after `took`: a full round of quick ones allows one more, a slow one
    /// halves.
    void answered(Duration took);
    /// The daemon said itself that it has too much to do (429, 503): halves.
    void overloaded();

 private:
    void shrink();

    int max_;
    int limit_;
    int quick_ = 0;  ///< quick answers in a row
    int ignore_ =
        0;  ///< answers to calls that were under way at the last decrease: they say nothing new
};

}  // namespace ipfscluster::ipfshttp
