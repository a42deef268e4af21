#pragma once
#include "api/ipfsproxy/handlers.hpp"
#include "api/ipfsproxy/pin_judge.hpp"

namespace ipfscluster::ipfsproxy {

/// How often a client that asked for progress hears something; Kubo's interval.
inline constexpr Duration kProgressInterval = std::chrono::milliseconds(500);
/// First and longest pause between two looks at what the peers say.
inline constexpr Duration kLookFirst = std::chrono::milliseconds(20);
inline constexpr Duration kLookLast = std::chrono::seconds(1);
/// Longest time without one peer at work that shall hold the pin: then nobody will come.
inline constexpr Duration kNobodyLimit = std::chrono::minutes(2);

/// The progress lines of one `pin/add`. Nothing is sent before the first interval has passed, so a
/// failure known at once is still a 500. The number is Kubo's: blocks fetched, here by all peers;
/// but while a peer is at it, or has it in its queue, each line shows at least one more than the
/// one before. A client that takes a standing number for a stalled fetch would else give up a pin
/// whose turn has not come, or just before the peers' own errors arrive: each of them has its own
/// limit.
class ProgressLines {
 public:
    /// `wanted` false: nothing is ever written.
    ProgressLines(World& world, http::Exchange& e, bool wanted);
    /// What the peers said last. The numbers never go back.
    void note(const PinVerdict& verdict);
    /// Writes a line when its time has come.
    Async<> tick();
    bool wanted() const { return wanted_; }

 private:
    World& world_;
    http::Exchange& exchange_;
    const bool wanted_;
    SteadyTime next_;
    bool working_ = false;
    std::uint64_t shown_ = 0, blocks_ = 0, bytes_ = 0;
};

/// Returns once enough peers hold the pin (`judge_pin`). Errors: the peers' own when too few can
/// still come to hold it; `timeout` when nobody is at work for kNobodyLimit; `not_found` when it is
/// unpinned meanwhile. A pin that had failed before is tried again first. The pin stays in the
/// pinset in any case.
Async<> wait_until_held(Deps deps, Cid cid, ProgressLines& lines);

}  // namespace ipfscluster::ipfsproxy
