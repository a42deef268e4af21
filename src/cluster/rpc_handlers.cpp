#include "cluster/rpc_handlers.hpp"

#include <algorithm>
#include <memory>

#include "cluster/rpc_sources.hpp"

namespace ipfscluster::cluster {
namespace {

using codec::Empty;
using rpc::Policy;
using rpc::Server;

constexpr Policy kTrusted = Policy::trusted;
constexpr Policy kOpen = Policy::open;

/// Shared by all handlers of one server.
using Targets = std::shared_ptr<RpcTargets>;

template <class T>
Async<T> ready(Result<T> value) {
    co_return value;
}
Async<Empty> no_value(Async<> work) {
    auto done = co_await std::move(work);
    if (!done) co_return fail(done.error());
    co_return Empty{};
}
template <class T>
Async<Empty> drop_value(Async<T> work) {
    Result<T> done = co_await std::move(work);
    if (!done) co_return fail(done.error());
    co_return Empty{};
}
/// Go's callers know no "it leaves": ok says that it is gone.
Async<Empty> removed(Async<component::Removal> work) {
    ICL_CO_TRY(const auto how, co_await std::move(work));
    if (how == component::Removal::leaving)
        co_return fail(Kind::conflict, "it leaves once its copies are elsewhere");
    co_return Empty{};
}
Result<StatusFilter> filter_of(std::int64_t number) {
    if (!std::in_range<StatusFilter>(number))
        return fail(Kind::invalid, "status filter " + std::to_string(number) + " is out of range");
    return static_cast<StatusFilter>(number);
}

/// A method without arguments.
template <class Reply, class F>
void ask(Server& server, const char* service, const char* method, Policy policy, F work) {
    server.unary<Empty, Reply>(service, method, policy,
                               [work](PeerId, Empty) -> Async<Reply> { return work(); });
}
/// A method with one argument.
template <class Arg, class Reply, class F>
void ask_about(Server& server, const char* service, const char* method, Policy policy, F work) {
    server.unary<Arg, Reply>(service, method, policy, [work](PeerId, Arg arg) -> Async<Reply> {
        return work(std::move(arg));
    });
}
/// A list that depends on nothing.
template <class Item, class F>
void list(Server& server, const char* service, const char* method, Policy policy, F open) {
    server.stream<Empty, Item>(
        service, method, policy,
        [open](PeerId, SourcePtr<Empty>) -> SourcePtr<Item> { return open(); });
}
/// A list with a status filter as its one argument.
template <class Item, class F>
void filtered(Server& server, const char* service, const char* method, Policy policy, F open) {
    server.stream<std::int64_t, Item>(
        service, method, policy,
        [open, method](PeerId, SourcePtr<std::int64_t> args) -> SourcePtr<Item> {
            return std::make_unique<FirstArgumentSource<std::int64_t, Item>>(
                std::move(args), std::string(method) + ": no filter was sent",
                [open](std::int64_t number) -> Result<SourcePtr<Item>> {
                    ICL_TRY(const auto filter, filter_of(number));
                    return open(filter);
                });
        });
}

void register_peers(Server& s, const Targets& t) {
    ask<PeerInfo>(s, "Cluster", "ID", kOpen, [t] { return t->api.id(); });
    s.stream<Empty, PeerInfo>(
        "Cluster", "IDStream", kOpen, [t](PeerId, SourcePtr<Empty>) -> SourcePtr<PeerInfo> {
            return std::make_unique<OnceSource<PeerInfo>>([t] { return t->api.id(); });
        });
    ask<codec::Version>(s, "Cluster", "Version", kOpen,
                        [t] { return ready<codec::Version>(codec::Version{t->api.version()}); });
    // Whoever is no member may ask to be taken in, for itself.
    s.unary<PeerId, PeerInfo>(
        "Cluster", "PeerAdd", kOpen, [t](PeerId caller, PeerId peer) -> Async<PeerInfo> {
            if (caller == peer || t->members.trusted(caller))
                return t->api.peer_add(std::move(peer));
            return ready<PeerInfo>(fail(Kind::denied, "only a member may add another peer"));
        });
    ask_about<PeerId, Empty>(s, "Cluster", "PeerRemove", kTrusted, [t](PeerId peer) {
        return removed(t->api.peer_remove(std::move(peer), false));
    });
    list<PeerInfo>(s, "Cluster", "Peers", kTrusted, [t] { return t->api.peers(); });
    ask<Empty>(s, "Cluster", "Alive", kTrusted, [t]() -> Async<Empty> {
        const auto alive = t->alive();
        return ready<Empty>(alive ? Result<Empty>(Empty{}) : Result<Empty>(fail(alive.error())));
    });
}

/// What this peer alone says or does about its pins, asked by the member that answers for all.
void register_local(Server& s, const Targets& t) {
    ask_about<Cid, PinInfo>(s, "Cluster", "RecoverLocal", kTrusted,
                            [t](Cid cid) { return t->api.recover_local(std::move(cid)); });
    list<PinInfo>(s, "Cluster", "RecoverAllLocal", kTrusted,
                  [t] { return t->api.recover_all_local(); });
    ask_about<Cid, PinInfo>(s, "Cluster", "SyncLocal", kTrusted,
                            [t](Cid cid) { return t->api.sync_local(std::move(cid)); });
    list<PinInfo>(s, "Cluster", "SyncAllLocal", kTrusted, [t] { return t->api.sync_all_local(); });
    ask<HeldHere>(s, "Cluster", "HeldHere", kTrusted, [t] { return t->api.held_here(); });
    ask<RepoGc>(s, "Cluster", "RepoGCLocal", kTrusted, [t] { return t->api.repo_gc_local(); });
}

void register_tracker(Server& s, const Targets& t) {
    ask_about<Cid, PinInfo>(s, "PinTracker", "Status", kTrusted,
                            [t](Cid cid) { return t->tracker.status(std::move(cid)); });
    ask_about<Cid, PinInfo>(s, "PinTracker", "Recover", kTrusted,
                            [t](Cid cid) { return t->tracker.recover(std::move(cid)); });
    // Sorted as well, but a Go peer promises no order: only the second name says that there is one.
    for (const char* name : {"StatusAll", "StatusAllSorted"})
        filtered<PinInfo>(s, "PinTracker", name, kTrusted,
                          [t](StatusFilter filter) { return t->tracker.status_all(filter); });
}

/// Stores the blocks of one BlockStream call; gives no item, and ends when they are durable.
class BlockSink final : public Source<Empty> {
 public:
    BlockSink(component::IpfsConnector& ipfs, SourcePtr<NodeWithMeta> blocks)
        : ipfs_(ipfs), blocks_(std::move(blocks)) {}

    Async<std::optional<Empty>> next() override {
        std::unique_ptr<component::BlockSession> session;
        while (true) {
            auto block = co_await blocks_->next();
            if (!block) co_return fail(block.error());
            if (!block.value()) break;
            if (!session) {
                auto opened = co_await ipfs_.open_blocks();
                if (!opened) co_return fail(opened.error());
                session = std::move(opened.value());
            }
            auto stored = co_await session->put(std::move(block.value()->cid),
                                                std::move(block.value()->data));
            if (!stored) co_return fail(stored.error());
        }
        if (!session)
            co_return fail(Kind::invalid, "BlockStream: no blocks to peek in blocks channel");
        auto durable = co_await session->commit();
        if (!durable) co_return fail(durable.error());
        co_return std::optional<Empty>{};
    }

 private:
    component::IpfsConnector& ipfs_;
    SourcePtr<NodeWithMeta> blocks_;
};

void register_ipfs(Server& s, const Targets& t) {
    s.stream<NodeWithMeta, Empty>("IPFSConnector", "BlockStream", kTrusted,
                                  [t](PeerId, SourcePtr<NodeWithMeta> blocks) -> SourcePtr<Empty> {
                                      return std::make_unique<BlockSink>(t->ipfs,
                                                                         std::move(blocks));
                                  });
    ask<RepoStat>(s, "IPFSConnector", "RepoStat", kTrusted, [t] { return t->ipfs.repo_stat(); });
    ask<std::vector<PeerId>>(s, "IPFSConnector", "SwarmPeers", kTrusted,
                             [t] { return t->ipfs.swarm_peers(); });
}

void register_consensus(Server& s, const Targets& t) {
    ask_about<PeerId, Empty>(s, "Consensus", "AddPeer", kTrusted, [t](PeerId peer) {
        return no_value(t->members.add_peer(std::move(peer)));
    });
    ask_about<PeerId, Empty>(s, "Consensus", "RmPeer", kTrusted, [t](PeerId peer) {
        return no_value(t->members.remove_peer(std::move(peer)));
    });
    ask_about<Pin, Empty>(s, "Consensus", "LogPin", kTrusted, [t](Pin pin) {
        PinOperation operation;
        operation.pin = std::move(pin);
        return drop_value(t->log.commit(std::move(operation)));
    });
    ask_about<Pin, Empty>(s, "Consensus", "LogUnpin", kTrusted, [t](Pin pin) {
        PinOperation operation;
        operation.kind = PinOperation::Kind::unpin;
        operation.pin = std::move(pin);
        return drop_value(t->log.commit(std::move(operation)));
    });
}

/// Methods that a Go peer calls on itself: its HTTP surfaces reach it by RPC, ours by calls.
void refuse_own_methods(Server& s) {
    s.refuse("Cluster", {"Alerts",
                         "BandwidthByProtocol",
                         "BlockAllocate",
                         "ConnectGraph",
                         "IPFSID",
                         "Join",
                         "PeersWithFilter",
                         "Pin",
                         "PinGet",
                         "PinPath",
                         "Pins",
                         "Recover",
                         "RecoverAll",
                         "RepoGC",
                         "SendInformerMetrics",
                         "SendInformersMetrics",
                         "Status",
                         "StatusAll",
                         "StatusAllLocal",
                         "StatusLocal",
                         "Sync",
                         "SyncAll",
                         "Unpin",
                         "UnpinPath"});
    s.refuse("PinTracker", {"PinQueueSize", "RecoverAll", "Track", "Untrack"});
    s.refuse("IPFSConnector",
             {"BlockGet", "ConfigKey", "Pin", "PinLs", "PinLsCid", "Resolve", "Unpin"});
    s.refuse("Consensus", {"Peers"});
    s.refuse("PeerMonitor", {"LatestMetrics", "MetricNames"});
}

}  // namespace

void register_rpc_handlers(rpc::Server& server, RpcTargets targets) {
    const auto shared = std::make_shared<RpcTargets>(std::move(targets));
    register_peers(server, shared);
    register_local(server, shared);
    register_tracker(server, shared);
    register_ipfs(server, shared);
    register_consensus(server, shared);
    refuse_own_methods(server);
}

}  // namespace ipfscluster::cluster
