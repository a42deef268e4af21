#pragma once
#include "runtime/signal.hpp"

namespace ipfscluster::tracker {

/// Tells the scheduler that there may be something to do. A call between two rounds is not lost:
/// the next round begins at once. Owned by the tracker; one strand.
class Wakeup {
 public:
    explicit Wakeup(asio::any_io_executor executor) : woken_(std::move(executor)) {}

    void notify() {
        pending_ = true;
        woken_.notify_all();
    }
    /// The scheduler has found itself that a round more is needed.
    void again() { pending_ = true; }
    void round_begins() { pending_ = false; }
    bool pending() const { return pending_; }
    Async<> wait() { return woken_.wait(); }

 private:
    Signal woken_;
    bool pending_ = false;
};

}  // namespace ipfscluster::tracker
