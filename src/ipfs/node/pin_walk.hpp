#pragma once
#include <optional>

#include "component/ipfs_connector.hpp"
#include "dag/dag_walk.hpp"
#include "ipfs/node/node_parts.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::node {

/// Blocks one pin looks at or fetches at once.
inline constexpr std::size_t kPinWorkers = 16;

/// Walks the DAG of one pin and fetches what is missing. Owned by the pin call; one strand; `run`
/// once.
class PinWalk {
 public:
    PinWalk(const NodeParts& parts, Cid root, int depth, component::ProgressHandler progress);
    /// ok when every block was met: held before, or fetched and stored (not yet synced).
    Async<> run();

 private:
    /// All together, so that a cancellation of the pin reaches and awaits each.
    asio::awaitable<void> run_workers(std::size_t count);
    asio::awaitable<void> worker();
    Async<> work();
    asio::awaitable<void> until_failure();
    Async<> visit(dag::DagWalk::Step step);
    /// The block when it is held; an empty string for a leaf that need not be read.
    struct Held {
        bool leaf = false;
        Bytes data;
        std::uint32_t size = 0;
    };
    Async<std::optional<Held>> find_held(Cid cid);
    Async<Bytes> fetch(Cid cid);
    /// Nothing when the pin has come to a standstill meanwhile, unless this is the one that goes on
    /// asking.
    Async<std::optional<Bytes>> ask(Cid cid, Duration limit, bool goes_on);
    bool stands_still() const;
    Async<> until_standstill();
    void advanced(std::uint64_t bytes);

    NodeParts parts_;
    dag::DagWalk walk_;
    component::ProgressHandler progress_;
    component::PinProgress done_;
    SteadyTime last_progress_;
    std::size_t asking_ = 0;  ///< workers whose block is asked for
    std::unique_ptr<bitswap::FetchSession> session_;
    std::optional<Error> failure_;
    Signal more_;
    Signal failed_;
};

}  // namespace ipfscluster::node
