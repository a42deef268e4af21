#pragma once
#include <map>
#include <memory>

#include "consensus/raft/raft_consensus.hpp"
#include "net/memory_host.hpp"
#include "runtime/sim_peer_world.hpp"
#include "state/state.hpp"
#include "storage/memory_store.hpp"
#include "support/memory_floor_file.hpp"

namespace ipfscluster::sim {

PeerId test_peer(int number);
Cid test_cid(std::uint64_t number);

/// So few entries are kept that a peer that was away for a moment needs a snapshot.
raft::RaftOptions short_log();

using test::MemoryFloorFile;

/// Whole consensus components of several peers in one thread under a seed, with crashes that lose
/// unsynced writes, cuts, and a record of what was acknowledged.
class SimCluster {
 public:
    explicit SimCluster(std::uint64_t seed, raft::RaftOptions options = {});
    ~SimCluster();

    SimWorld world;
    net::MemoryNetwork network{world};

    struct Peer {
        explicit Peer(SimWorld& shared) : world(shared) {}
        SimPeerWorld world;
        PeerId id;
        raft::RaftOptions options;
        std::shared_ptr<storage::MemoryDisk> disk;
        std::shared_ptr<MemoryFloorFile> floor = std::make_shared<MemoryFloorFile>();
        std::unique_ptr<storage::MemoryStore> store;
        std::unique_ptr<state::State> state;
        std::unique_ptr<net::MemoryHost> host;
        std::unique_ptr<raft::RaftConsensus> raft;
        bool up = false;
        bool stopped = true;
        int busy = 0;  ///< membership calls under way
    };

    /// Founders that know each other; not started yet.
    void add_founders(int count);
    /// A peer that waits to be added.
    void add_joiner(int number);
    Peer& peer(int number) { return *peers_.at(number); }
    int size() const { return static_cast<int>(peers_.size()); }
    void start(int number);
    void start_all();
    /// The process dies: unsynced writes are lost, its streams break.
    void crash(int number);
    /// The process dies and its disk is gone.
    void crash_and_wipe(int number);
    /// Breaks the link of two peers, or mends it.
    void break_link(int a, int b, bool broken);
    /// Clean end.
    void stop(int number);
    /// True once the peer may be started again.
    bool is_down(int number) { return peers_.at(number)->stopped && peers_.at(number)->busy == 0; }
    bool has(int number) const { return peers_.contains(number); }
    /// Forgets a peer that is down.
    void forget(int number) { peers_.erase(number); }

    /// Whether the leader counts it as a member; false when nobody leads.
    bool is_member(int number);
    /// The number of a leader that is up, or -1.
    int leader();
    bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(60)) {
        return world.run_until(done, limit);
    }
    /// Runs a coroutine to its end.
    template <class T>
    Result<T> await(Async<T> work, Duration limit = std::chrono::seconds(120)) {
        std::optional<Result<T>> out;
        tasks_.spawn(keep<T>(std::move(work), &out));
        world.run_until([&] { return out.has_value(); }, limit);
        if (!out) return fail(Kind::timeout, "the simulation has stopped moving");
        return std::move(*out);
    }

    /// Starts a coroutine; what it points to has a value once it has ended.
    template <class T>
    std::shared_ptr<const std::optional<Result<T>>> begin(Async<T> work) {
        auto out = std::make_shared<std::optional<Result<T>>>();
        tasks_.spawn(keep_shared<T>(std::move(work), out));
        return out;
    }

    // Record of operations.
    enum class Outcome { pending, acknowledged, refused, unknown };
    struct Record {
        Cid cid;
        bool pin = true;
        Outcome outcome = Outcome::pending;
        std::string error;
    };
    /// Commits a pin of a new CID at a peer; the outcome is recorded when it is known.
    std::uint64_t submit_pin(int number, std::size_t name_bytes = 0);
    void submit_unpin(int number, std::uint64_t record);
    /// Membership calls whose outcome nobody waits for.
    void ask_to_add(int number, int joiner);
    void ask_to_remove(int number, int other);
    const std::map<std::uint64_t, Record>& records() const { return records_; }
    std::size_t acknowledged() const;
    std::size_t pending() const;

    /// Empty when every acknowledged operation is in effect at every peer that is up and all of
    /// them agree in pinset and log; else what is wrong.
    std::string check_agreement();
    /// Brings all peers up, connected and caught up; else says what is wrong.
    std::string settle(Duration limit = std::chrono::seconds(120));

    /// Disks of peers started from now on acknowledge what they have not synced.
    void lie_about_syncs() { lie_ = true; }
    /// The test takes data away itself: a peer that notices is no problem.
    void expect_losses() { losses_expected_ = true; }
    /// Failures of peers that nobody caused, as a text.
    const std::string& problems() const { return problems_; }

    /// Hash over everything observable that happened.
    Bytes trace() const { return raft::sha256(trace_); }
    void note(std::string_view what);

 private:
    template <class T>
    static asio::awaitable<void> keep(Async<T> work, std::optional<Result<T>>* out) {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto result = co_await std::move(work);
        out->emplace(std::move(result));
    }
    template <class T>
    static asio::awaitable<void> keep_shared(Async<T> work,
                                             std::shared_ptr<std::optional<Result<T>>> out) {
        co_await keep<T>(std::move(work), out.get());
    }
    asio::awaitable<void> run_commit(int number, std::uint64_t record, PinOperation operation);
    asio::awaitable<void> run_start(int number);
    asio::awaitable<void> watch_end(int number);
    asio::awaitable<void> run_stop(Peer* peer);
    asio::awaitable<void> run_membership(int number, PeerId other, bool add);
    void bring_down(int number);

    raft::RaftOptions options_;
    std::map<int, std::unique_ptr<Peer>> peers_;
    TaskGroup tasks_{world, "simulation"};
    std::map<std::uint64_t, Record> records_;
    std::uint64_t next_record_ = 1;
    Bytes trace_;
    bool lie_ = false;
    bool losses_expected_ = false;
    std::string problems_;
};

}  // namespace ipfscluster::sim
