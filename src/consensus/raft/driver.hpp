#pragma once
#include <deque>
#include <functional>
#include <memory>

#include "consensus/raft/applied.hpp"
#include "consensus/raft/life.hpp"
#include "consensus/raft/links.hpp"
#include "consensus/raft/log_floor.hpp"
#include "consensus/raft/read_rounds.hpp"
#include "consensus/raft/snapshot_fetch.hpp"
#include "consensus/raft/snapshot_offers.hpp"

namespace ipfscluster::raft {

/// Bytes of received messages waiting for the driver; readers pause beyond it.
inline constexpr std::size_t kInboxBytesMax = 8 * 1024 * 1024;

/// Owns the engine and turns its rounds: takes in ticks, messages, requests, reads and proposals,
/// then sends, persists and applies what the engine says, until nothing moves; then it cuts the
/// log. What comes meanwhile waits, so one sync serves all of it. Owned by the consensus component,
/// on its strand; only syncs leave it. A failure of the store, a broken invariant of the engine, an
/// entry that cannot be read and our own removal end the component.
class Driver {
 public:
    using Work = std::function<Result<>(Engine&)>;
    struct Parts {
        World& world;
        storage::Store& store;
        const RaftOptions& options;
        LogStore& log;
        Life& life;
        Roster& roster;
        Links& links;
        CommitQueue& commits;
        Applied& applied;
        SnapshotOffers& offers;
        SnapshotFetch& fetch;
    };
    /// What others do with each tick: before the messages are taken, and after the requests.
    struct Ticks {
        Work before;
        Work after;
    };
    /// `name` tells the reads of this start from all others.
    Driver(Parts parts, Bytes name, Ticks ticks);

    /// Makes the engine of what the log has and starts the rounds.
    Result<> start(TaskGroup& tasks);
    /// The tasks have ended; `damage` is kept beside the database for the next start.
    Async<> finish(std::string damage);
    bool running() const { return engine_ != nullptr; }

    /// As of the last round.
    const EngineStatus& status() const { return status_; }
    /// The engine's own word, which may be news to the driver while it waits for the disk; null:
    /// there is none.
    const Engine* engine() const { return engine_.get(); }

    /// Done with the next input, before proposals. What fails is logged.
    void request(Work work);
    /// The same, for somebody who waits for it. When it was not done in time it will not be.
    Async<> call(Work work, Duration limit);
    void take_message(Bytes message);
    /// While the inbox is full.
    Async<> wait_room();
    /// What there is to commit has changed.
    void wake() { wake_.notify_all(); }
    /// Returns when everything that was acknowledged before it was called is visible.
    Async<> barrier(Duration limit);

    /// Wakes at each change of what is applied, who leads and who is a member, and once in a while:
    /// progress that nobody announces (a peer that answers again) is looked for. Fails with
    /// `timeout` at the deadline and when the component is over.
    Async<> wait_change(SteadyTime deadline);
    /// As it, without a deadline and also afterwards.
    Async<> wait_any_change() { return changed_.wait(); }
    void announce_change() { changed_.notify_all(); }
    /// The component is over: whoever waits looks.
    void wake_all();

 private:
    asio::awaitable<void> run();
    asio::awaitable<void> run_ticks();
    asio::awaitable<void> run_disk_watch();
    Async<> drive();
    bool has_work() const;
    Result<> take_input();
    Result<> tick();
    Result<> propose(const EngineStatus& status);
    Async<bool> round();
    Async<> persist(storage::Batch batch, bool sync);
    void send(std::vector<OutMessage>& messages, bool after_persist);
    Result<> apply(std::vector<LogEntry> committed, const std::optional<HardState>& hard_state);
    Async<> cut_log_if_due();
    void refresh_status();

    World& world_;
    storage::Store& store_;
    const RaftOptions& options_;
    LogStore& log_;
    Life& life_;
    Roster& roster_;
    Links& links_;
    CommitQueue& commits_;
    Applied& applied_;
    SnapshotOffers& offers_;
    SnapshotFetch& fetch_;
    Ticks ticks_;

    std::unique_ptr<Engine> engine_;
    EngineStatus status_;
    LogFloor floor_;
    ReadRounds reads_;
    Signal wake_;     ///< there is work
    Signal changed_;  ///< applied index, leader, members or life changed
    Signal inbox_room_;
    std::deque<Bytes> inbox_;
    std::size_t inbox_bytes_ = 0;
    std::deque<Work> requests_;
    bool tick_due_ = false;
    std::uint32_t patience_ = 1;         ///< ticks of ours per tick of a candidate
    std::uint32_t candidate_ticks_ = 0;  ///< while we are one
    bool proposals_wait_ = false;        ///< the engine takes none until the next tick
};

}  // namespace ipfscluster::raft
