#pragma once
#include <compare>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "peer/peer.hpp"

namespace ipfscluster::test {

/// How long a peer that hears of no other waits before it takes itself for the only one.
inline constexpr Duration kToyAlone = std::chrono::seconds(3);
/// How often each peer tells the others everything that stands in its log.
inline constexpr Duration kToyRound = std::chrono::milliseconds(500);

/// A second kind of consensus, which proves that nobody beside Raft relies on Raft: no leader, no
/// agreement on members. Each peer has a log of its own: an operation is acknowledged once it is on
/// this peer's disk. Everything is told to the others again and again; per CID the pin with the
/// latest stamp stands, unless a removal has seen it. Members are those whose pings came, and whose
/// duty a CID is, is told by distance. Owned by its peer::Peer; one strand.
class ToyConsensus final : public component::Consensus {
 public:
    ToyConsensus(const peer::PeerParts& on, component::PeerMonitor& monitor);

    Async<> start() override;
    Async<component::CommitResult> commit(PinOperation operation) override;
    Async<> barrier(Duration) override { co_return ok(); }
    bool strong_reads() const override { return false; }
    Async<> wait_ready(Duration limit) override;
    bool ready() override { return !stopping_ && complete(); }
    bool complete() override;
    asio::awaitable<Error> wait_ended() override;
    Async<> stop() override;

    std::vector<PeerId> peers() override;
    std::vector<PeerId> known() override { return {known_.begin(), known_.end()}; }
    std::vector<PeerId> voters() override { return known(); }
    component::Standing standing(const PeerId& peer) override;
    bool heeds(const PeerId&) override { return true; }
    Result<> trusted(const PeerId&) override { return ok(); }
    Async<> add_peer(PeerId) override { co_return ok(); }
    Async<> remove_peer(PeerId) override {
        co_return Error{Kind::unsupported, "this consensus cannot remove peers"};
    }

    bool may_act() override { return ready() && !idle; }
    std::optional<std::size_t> rank(const Cid& cid) override;

    bool idle = false;          ///< leaves its tasks undone
    bool always_first = false;  ///< believes to come first for all

 private:
    /// Orders the changes of one CID: by the clocks of those who made them, but never before what
    /// they had seen.
    struct Stamp {
        std::uint64_t time = 0;
        Bytes origin;
        auto operator<=>(const Stamp&) const = default;
    };
    /// What stands in the log about one CID.
    struct Entry {
        Stamp added;
        Bytes pin;  ///< as codec::encode_pin writes it
        Stamp removed;
        bool stands() const { return added > removed; }
    };
    using Entries = std::map<Cid, Entry>;
    struct Commit {
        explicit Commit(const asio::any_io_executor& executor) : done(executor) {}
        PinOperation operation;
        std::optional<Result<component::CommitResult>> result;
        Signal done;
    };
    /// Either of the two.
    struct Job {
        std::shared_ptr<Commit> commit;
        PeerId from;
        Entries told;
    };

    static Bytes encode(const Cid& cid, const Entry& entry);
    static Result<Entries> decode(BytesView bytes);
    Result<> load();
    void receive(net::TopicMessage message);
    asio::awaitable<void> run_jobs();
    asio::awaitable<void> run_rounds();
    Async<component::CommitResult> carry_out(PinOperation operation);
    Async<> merge(Entries told);
    /// Makes `changes` and their rows durable, the batch of which already has what they do to the
    /// state.
    Async<> write(storage::Batch batch, Entries changes);
    Stamp new_stamp();
    void look_who_is_there();

    World& world_;
    net::Host& host_;
    storage::Store& store_;
    state::State& state_;
    component::PeerMonitor& monitor_;
    PeerId self_;
    Entries entries_;
    std::uint64_t index_ = 0;
    std::uint64_t last_time_ = 0;
    std::set<PeerId> known_;    ///< this peer and all whose pings ever came
    std::set<PeerId> told_us_;  ///< whose whole log is merged, in this life
    SteadyTime started_{};
    std::deque<Job> jobs_;
    Signal new_job_;
    Signal changed_;
    bool stopping_ = false;
    std::optional<Error> ended_;
    TaskGroup tasks_;
};

/// For SimPeerOptions::consensus.
peer::MakeConsensus make_toy_consensus();

}  // namespace ipfscluster::test
