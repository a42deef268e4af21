#pragma once
#include <functional>

#include "bitswap/fetcher.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::bitswap {

/// The near side alone is asked for this long.
inline constexpr std::chrono::milliseconds kNearFirst{500};

/// Two places to get blocks from: a near one that is asked first (the cluster's peers), and a far
/// one that is asked as well when the near one has not delivered after a moment, or at once in a
/// session whose last block came from there. Owned by main; the two outlive it. One strand.
class MultiFetcher final : public Fetcher {
 public:
    /// `far_state` says how the far side is doing, for error texts.
    MultiFetcher(World& world, Fetcher& near, Fetcher& far, std::function<std::string()> far_state)
        : world_(world), near_(near), far_(far), far_state_(std::move(far_state)) {}

    std::unique_ptr<FetchSession> session() override;
    void announce(const Cid& cid) override {
        near_.announce(cid);
        far_.announce(cid);
    }

 private:
    class Session;
    World& world_;
    Fetcher& near_;
    Fetcher& far_;
    std::function<std::string()> far_state_;
};

}  // namespace ipfscluster::bitswap
