#pragma once
#include <array>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster::state {

/// How far back a late operation of an origin is still told apart from a repeated one.
inline constexpr std::uint64_t kSessionWindow = 1024;

/// Which sequence numbers of one origin have been seen. A plain value; equal on every peer.
class SessionWindow {
 public:
    /// True when `sequence` (from 1) is new; it counts as seen then. False for a repeated one and
    /// for one that is too old to tell.
    bool accept(std::uint64_t sequence);
    std::uint64_t highest() const { return highest_; }

    std::uint64_t last_index = 0;  ///< log index that last used this origin

    Bytes encode() const;
    static Result<SessionWindow> decode(BytesView bytes);

 private:
    static constexpr std::size_t kWords = kSessionWindow / 64;
    bool test(std::uint64_t sequence) const;
    void set(std::uint64_t sequence, bool on);

    std::uint64_t highest_ = 0;
    std::array<std::uint64_t, kWords> bits_{};  ///< a ring: bit sequence % kSessionWindow
};

}  // namespace ipfscluster::state
