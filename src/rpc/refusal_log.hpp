#pragma once
#include <algorithm>
#include <cstdint>
#include <map>

#include "multi/peer_id.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::rpc {

/// How long a refused peer is not spoken of again.
inline constexpr Duration kToldAgainAfter = std::chrono::minutes(1);
/// Peers spoken of in this time; the refusals of more are only counted.
inline constexpr std::size_t kToldPeersMax = 64;

/// Counts refusals and says which are worth a line in the log, so that those who are refused cannot
/// fill it. Owned by the server, its strand.
class RefusalLog {
 public:
    /// True: write a line.
    bool note(const PeerId& peer, SteadyTime now) {
        ++count_;
        const auto since = now - std::chrono::duration_cast<SteadyTime::duration>(kToldAgainAfter);
        std::erase_if(told_, [&](const auto& entry) { return entry.second <= since; });
        return told_.size() < kToldPeersMax && told_.emplace(peer, now).second;
    }
    std::uint64_t count() const { return count_; }

 private:
    std::uint64_t count_ = 0;
    std::map<PeerId, SteadyTime> told_;
};

}  // namespace ipfscluster::rpc
