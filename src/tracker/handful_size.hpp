#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace ipfscluster::tracker {

/// Longest that pins told in one call may take; after that each is told alone.
inline constexpr Duration kTogetherLimit = std::chrono::milliseconds(250);
/// Pins in a row that a daemon must have had at once before two are told together, at first; four
/// times as many after each call that did not end well, up to the second number.
inline constexpr std::uint64_t kProofFirst = 8;
inline constexpr std::uint64_t kProofMax = 4096;
/// After so many pins told together without a failure the proof is a short one again.
inline constexpr std::uint64_t kTrustedAfter = 1024;

/// How many pins go to the daemon in one call. It takes one after the other, so one that has to be
/// looked for would keep those behind it waiting: only a daemon that has just had many pins at once
/// gets several, as many as it does in half of `kTogetherLimit`, and after a call that does not end
/// well it has to show that again. A plain value.
class HandfulSize {
 public:
    explicit HandfulSize(std::size_t max) : max_(std::max<std::size_t>(max, 1)) {}
    /// One: pins are told alone.
    std::size_t most() const { return size_; }

    /// A call for so many pins, without a failure.
    void ended_well(std::size_t pins, Duration took) {
        const bool quick = took <= kTogetherLimit / 4;  // twice as many would still do
        if (pins == 1) {
            quick_ = quick ? quick_ + 1 : 0;
            if (size_ == 1 && quick_ >= proof_) grow();
            return;
        }
        trusted_ += pins;
        if (trusted_ >= kTrustedAfter) proof_ = kProofFirst;
        if (took > kTogetherLimit / 2)
            size_ = std::max<std::size_t>(1, std::min(size_, pins / 2));
        else if (quick && pins >= size_)
            grow();
    }
    void ended_badly() {
        size_ = 1;
        quick_ = 0;
        trusted_ = 0;
        proof_ = std::min(proof_ * 4, kProofMax);
    }

 private:
    void grow() { size_ = std::min(max_, size_ * 2); }

    std::size_t max_;
    std::size_t size_ = 1;
    std::uint64_t quick_ = 0;  ///< told alone, one after the other
    std::uint64_t proof_ = kProofFirst;
    std::uint64_t trusted_ = 0;  ///< told together since one of these calls did not end well
};

}  // namespace ipfscluster::tracker
