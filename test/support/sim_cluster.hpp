#pragma once
#include <map>

#include "support/linear_check.hpp"
#include "support/sim_peer.hpp"

namespace ipfscluster::test {

/// N whole peers in one thread on one simulated world under a seed, with clients that remember what
/// they were told.
class SimCluster {
 public:
    /// `founders` know each other; none is started yet.
    SimCluster(std::uint64_t seed, int founders, SimPeerOptions options = {});
    ~SimCluster();

    SimWorld world;
    net::MemoryNetwork network{world};

    SimPeer& peer(int number) { return *peers_.at(static_cast<std::size_t>(number)); }
    int size() const { return static_cast<int>(peers_.size()); }
    void start(int number);
    void start_all();
    /// A new peer that joins through the others; its number.
    int add_joiner();
    /// The number of a coordinator that is up, or -1.
    int leader();
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return world.random_between(low, high);
    }

    /// What a client was told of an operation.
    enum class Outcome { pending, acknowledged, refused, unknown };
    struct Operation {
        int number = 0;
        Cid cid;
        bool pin = true;
        bool read = false;  ///< changes nothing: a strong read
        int min = -1, max = -1;
        SteadyTime expires = SteadyTime::max();  ///< of a pin
        std::vector<PeerId> holders{};  ///< named by the client; empty: the cluster's choice
        Outcome outcome = Outcome::pending;
        SteadyTime begin{}, end{};
        std::string error;
        /// What an unpin or a read found there: the number of a pin's operation + 1; 0: nothing.
        std::optional<std::uint64_t> found;
    };
    /// Pins or unpins through a peer that is up; the operation's number stands in the pin's name.
    int submit_pin(int peer, Cid cid, int min, int max);
    /// One that ends by itself after `life`.
    int submit_pin_for(int peer, Cid cid, int holders, Duration life);
    /// Pins to one peer and no other.
    int submit_move(int peer, Cid cid, int to);
    int submit_unpin(int peer, Cid cid);
    /// Asks what stands at the CID once everything committed before the call is applied.
    int submit_read(int peer, Cid cid);
    /// Adds `content`, whose CID is known, through a peer and pins it; counts as a pin.
    int submit_add(int peer, Cid cid, Bytes content, int min, int max);
    /// What a file with this content is called.
    static Cid cid_of(const Bytes& content);
    /// The multihashes of its blocks.
    static std::vector<Bytes> blocks_of(const Bytes& content);
    /// Stores content at one peer without pinning it.
    Result<Cid> store(int peer, Bytes content);
    const std::vector<Operation>& operations() const { return operations_; }
    std::size_t count(Outcome outcome) const;
    /// The operation as the checker of histories sees it; nothing when it says nothing.
    static std::optional<HistoryCall> as_call(const Operation& operation);
    /// The end of a pin that ends by itself, likewise: at some time after it was due.
    static std::optional<HistoryCall> expiry_of(const Operation& operation);
    /// Now, in the time of `as_call`.
    std::int64_t now_of_history() { return world.steady_now().time_since_epoch().count(); }
    /// What stands at the CID in the pinset of the first peer that is up, as `Operation::found`.
    std::uint64_t standing(const Cid& cid);

    /// Starts `work` as a request at a peer; the pointer holds its result once it has ended.
    template <class T>
    std::shared_ptr<std::optional<Result<T>>> request(int number, Async<T> work) {
        auto out = std::make_shared<std::optional<Result<T>>>();
        peer(number).life().clients.spawn(keep<T>(std::move(work), out));
        return out;
    }
    /// Runs it to its end.
    template <class T>
    Result<T> await(int number, Async<T> work, Duration limit = std::chrono::seconds(60)) {
        auto out = request<T>(number, std::move(work));
        if (!world.run_until([out] { return out->has_value(); }, limit))
            return fail(Kind::timeout, "the simulation has stopped moving");
        return std::move(**out);
    }
    template <class T>
    Result<std::vector<T>> collect(int number, SourcePtr<T> source) {
        std::vector<T> out;
        while (true) {
            ICL_TRY(auto item, await<std::optional<T>>(number, source->next()));
            if (!item) return out;
            out.push_back(std::move(*item));
        }
    }

    /// Ends all faults, brings every peer up and waits until nothing is wrong any more; what still
    /// is at the end.
    std::string settle(Duration limit = std::chrono::seconds(120));
    /// Empty when what clients were told is true, all pinsets are equal, allocations are within
    /// their bounds and every daemon holds exactly what it should.
    std::string wrong();

    /// The CIDs that a peer's daemon holds.
    Result<std::set<Cid>> held(int number);
    /// Reads a file back from a peer's own node.
    Result<Bytes> read(int peer, Cid cid);

    /// Notes which pin stands under which index at the peers that are up; two different ones under
    /// one index are a fork, which stays in `wrong`. Cheap: for use during a run.
    void watch(const std::vector<Cid>& items);
    /// Whether an index means the same at all peers.
    bool has_one_log() const { return !options_.consensus; }

    /// Hash over everything observable that happened.
    Bytes trace() const;
    void note(std::string_view what);

 private:
    using PinSet = std::map<Cid, state::StoredPin>;
    template <class T>
    static asio::awaitable<void> keep(Async<T> work,
                                      std::shared_ptr<std::optional<Result<T>>> out) {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto result = co_await std::move(work);
        out->emplace(std::move(result));
    }
    int new_operation(Operation operation);
    static asio::awaitable<void> run_operation(SimCluster* cluster, SimPeer* peer, int number);
    static asio::awaitable<void> run_add(SimCluster* cluster, SimPeer* peer, int number,
                                         Bytes content);
    static Async<Cid> add_content(SimPeer* peer, component::AddParams params, Bytes content);
    static asio::awaitable<void> run_read(SimCluster* cluster, SimPeer* peer, int number);
    static Async<std::uint64_t> read_current(SimPeer* peer, Cid cid);
    void record_answer(SimPeer* peer, std::uint64_t life, int number, std::optional<Error> error);
    Result<PinSet> pinset(int number);
    std::string check_promises(const PinSet& pins) const;
    std::string check_cid(const Cid& cid, const std::vector<Operation>& operations,
                          const state::StoredPin* pin) const;
    std::string check_expired(const PinSet& pins);
    std::string check_allocations(const PinSet& pins) const;
    std::string describe_membership(const PeerId& id) const;
    std::string check_held(const PinSet& pins, int number);

    SimPeerOptions options_;
    std::vector<std::unique_ptr<SimPeer>> peers_;
    std::vector<Operation> operations_;
    SteadyTime judged_at_{};
    std::map<std::pair<Cid, std::uint64_t>, Pin> seen_;
    std::string fork_;
    Bytes trace_;
};

}  // namespace ipfscluster::test
