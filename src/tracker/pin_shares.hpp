#pragma once
#include <algorithm>
#include <list>
#include <optional>
#include <vector>

#include "component/pin_pace.hpp"

namespace ipfscluster::tracker {

/// Who may begin next.
enum class PinTurn : std::uint8_t {
    nobody,
    untried,       ///< takes a worker
    retry,         ///< takes a worker
    retry_beside,  ///< has none and takes none
};

/// Who may tell the daemon of a pin. What was never tried is first in line for each worker; what
/// has failed before gets half of the workers at most and only those that nobody else wants, and
/// one place of its own, so that it is tried at all while there are always others. An attempt that
/// has become slow (PinPace) gives its worker to the next and waits on; at most `slow_max` do, and
/// the one that has fetched nothing for the longest must end for another. Owned by the tracker; one
/// strand; makes no calls.
class PinShares {
 public:
    /// What an attempt holds from its begin to its end.
    struct Place {
        bool retry = false;
        bool beside = false;  ///< the place of its own that one retry has
        bool slow = false;
        bool leaves = false;  ///< it was slow and must end now
        component::PinPace pace;
    };

    explicit PinShares(int workers, std::size_t slow_max = component::kSlowPinsMax)
        : most_(workers), workers_(most_), slow_max_(slow_max) {}

    /// The daemon can work on so many at once: never more workers than that.
    void allow(int at_once) { workers_ = std::min(std::max(at_once, 1), most_); }
    PinTurn turn(bool untried_wait, bool retries_wait) const;
    /// The place stays where it is until `end`.
    Place& begin(PinTurn turn);
    /// The attempt goes on with another call to the daemon.
    void again(Place& place);
    void end(const Place& place);

    /// Takes the workers of attempts that have become slow, gives them back to those that go on,
    /// and returns those that must end.
    std::vector<Place*> take_workers(SteadyTime now);
    /// When to look again: no attempt becomes slow before.
    std::optional<SteadyTime> next_slow(SteadyTime now) const;
    std::size_t slow() const;
    std::size_t attempts() const { return places_.size(); }

 private:
    /// Workers taken, by whom.
    struct Taken {
        int all = 0;
        int by_retries = 0;
        bool beside = false;
    };
    Taken taken() const;
    Place* longest_waiting();

    int most_;     ///< workers there are
    int workers_;  ///< and those of them that may run now
    std::size_t slow_max_;
    std::list<Place> places_;  ///< at most workers, slow_max, one beside, and those that leave
};

/// The same for unpins, which are never slow: of those that failed before half of the workers at
/// most, and one of kUnpinRunMax + 1 turns while others wait.
class UnpinShares {
 public:
    explicit UnpinShares(int workers) : workers_(workers) {}
    PinTurn turn(bool untried_wait, bool retries_wait) const;
    void begin(bool retry);
    void end(bool retry);
    std::size_t running() const { return static_cast<std::size_t>(running_); }

 private:
    int workers_;
    int running_ = 0;
    int retries_ = 0;
    std::uint64_t in_a_row_ = 0;  ///< others begun since the last retry
};

/// After so many others in a row a retry gets its turn.
inline constexpr std::uint64_t kUnpinRunMax = 8;

}  // namespace ipfscluster::tracker
