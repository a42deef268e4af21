#pragma once
#include <functional>
#include <set>
#include <vector>

#include "component/ipfs_connector.hpp"
#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"
#include "tracker/holder_questions.hpp"
#include "tracker/kept_planner.hpp"
#include "tracker/outcomes.hpp"

namespace ipfscluster::tracker {

/// Rows looked at between two reads of the database, and questions under way at a time.
inline constexpr std::size_t kKeptBatchMax = 256;
inline constexpr std::size_t kKeptAsksMax = 8;

/// Lets go of copies that are kept after their pin was given to others, once those have it: walks
/// all of them, asks, and turns the rows of those that may go into unpin rows. After a walk that
/// released nothing it waits twice as long, up to a maximum, without an end. Holds one batch of
/// rows, however many there are. Owned by the tracker, which runs and stops it; one strand.
class KeptCopies {
 public:
    struct Parts {
        World& world;
        storage::Store& store;
        state::State& pinset;
        component::IpfsConnector& ipfs;
        WorkQueue& rows;
        ItemFacts& facts;
        Outcomes& outcomes;
        Wakeup& wakeup;  ///< of new unpin rows
        Duration ask_first, ask_max;
    };
    explicit KeptCopies(Parts parts);

    /// Without questions nothing is released that others have to confirm.
    void set_questions(HolderQuestions questions) { questions_ = std::move(questions); }
    /// Copies were added: they are looked at soon.
    void wake();
    asio::awaitable<void> run();

 private:
    /// What one walk has met.
    struct Walk {
        std::set<PeerId> silent;  ///< gave no answer: not asked again in this walk
        std::size_t left = 0;     ///< stay for now
        std::size_t settled = 0;
        std::optional<Error> failure;
    };
    /// One batch, shared by those who work on it.
    struct Batch {
        std::vector<state::KeptCopy> rows;
        std::size_t next = 0;
    };
    Async<> wait(Walk met, SteadyTime began);
    Async<> walk(Walk* met);
    Async<> settle_batch(Batch* batch, Walk* met);
    asio::awaitable<void> settle_some(Batch* batch, Walk* met);
    /// True when the row is gone.
    Async<bool> settle(Cid cid, Walk* met);
    Async<bool> find_out(Cid cid, Facts facts, Walk* met);
    Async<bool> ask(Cid cid, Facts facts, Walk* met);
    Result<Facts> read(const Cid& cid);
    /// `moved`: because others have it.
    Result<bool> release(const Cid& cid, bool moved);

    Parts parts_;
    HolderQuestions questions_;
    Signal woken_;
    bool wake_pending_ = false;
    Duration delay_;
};

}  // namespace ipfscluster::tracker
