#include "cluster/rpc_handlers.hpp"

#include <algorithm>
#include <memory>

#include "cluster/rpc_sources.hpp"

namespace ipfscluster::cluster {
namespace {

using codec::Empty;
using rpc::Caller;
using rpc::Policy;
using rpc::Server;

constexpr Policy kClosed = Policy::closed;
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
Async<Empty> unsupported(std::string text) {
    co_return fail(Kind::unsupported, std::move(text));
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
                               [work](Caller, Empty) -> Async<Reply> { return work(); });
}
/// A method with one argument.
template <class Arg, class Reply, class F>
void ask_about(Server& server, const char* service, const char* method, Policy policy, F work) {
    server.unary<Arg, Reply>(service, method, policy, [work](Caller, Arg arg) -> Async<Reply> {
        return work(std::move(arg));
    });
}
/// A list that depends on nothing.
template <class Item, class F>
void list(Server& server, const char* service, const char* method, Policy policy, F open) {
    server.stream<Empty, Item>(
        service, method, policy,
        [open](Caller, SourcePtr<Empty>) -> SourcePtr<Item> { return open(); });
}
/// A list with a status filter as its one argument.
template <class Item, class F>
void filtered(Server& server, const char* service, const char* method, Policy policy, F open) {
    server.stream<std::int64_t, Item>(
        service, method, policy,
        [open, method](Caller, SourcePtr<std::int64_t> args) -> SourcePtr<Item> {
            return std::make_unique<FirstArgumentSource<std::int64_t, Item>>(
                std::move(args), std::string(method) + ": no filter was sent",
                [open](std::int64_t number) -> Result<SourcePtr<Item>> {
                    ICL_TRY(const auto filter, filter_of(number));
                    return open(filter);
                });
        });
}

codec::BandwidthByProtocol bandwidth(component::ClusterApi& api) {
    codec::BandwidthByProtocol out;
    for (const auto& [protocol, totals] : api.bandwidth())
        out[protocol] = {static_cast<std::int64_t>(totals.first),
                         static_cast<std::int64_t>(totals.second), 0, 0};
    return out;
}

Async<IpfsId> ipfs_id(Targets t, PeerId peer) {
    if (!peer.empty() && peer != t->api.self()) co_return t->ipfs_id(peer);
    auto own = co_await t->ipfs.id();
    co_return own;
}

void register_peers(Server& s, const Targets& t) {
    ask<PeerInfo>(s, "Cluster", "ID", kOpen, [t] { return t->api.id(); });
    s.stream<Empty, PeerInfo>(
        "Cluster", "IDStream", kOpen, [t](Caller, SourcePtr<Empty>) -> SourcePtr<PeerInfo> {
            return std::make_unique<OnceSource<PeerInfo>>([t] { return t->api.id(); });
        });
    ask<codec::Version>(s, "Cluster", "Version", kOpen,
                        [t] { return ready<codec::Version>(codec::Version{t->api.version()}); });
    ask_about<PeerId, PeerInfo>(s, "Cluster", "PeerAdd", kOpen,
                                [t](PeerId peer) { return t->api.peer_add(std::move(peer)); });
    ask_about<PeerId, Empty>(s, "Cluster", "PeerRemove", kTrusted, [t](PeerId peer) {
        return no_value(t->api.peer_remove(std::move(peer), false));
    });
    ask_about<Multiaddr, Empty>(s, "Cluster", "Join", kClosed, [t](Multiaddr address) {
        return no_value(t->api.join(std::move(address)));
    });
    list<PeerInfo>(s, "Cluster", "Peers", kTrusted, [t] { return t->api.peers(); });
    using Ids = std::vector<PeerId>;
    s.stream<Ids, PeerInfo>(
        "Cluster", "PeersWithFilter", kClosed,
        [t](Caller, SourcePtr<Ids> args) -> SourcePtr<PeerInfo> {
            return std::make_unique<FirstArgumentSource<Ids, PeerInfo>>(
                std::move(args), "PeersWithFilter: no peers were sent",
                [t](Ids wanted) -> Result<SourcePtr<PeerInfo>> {
                    return SourcePtr<PeerInfo>(std::make_unique<FilteredSource<PeerInfo>>(
                        t->api.peers(), [wanted](const PeerInfo& info) {
                            return std::find(wanted.begin(), wanted.end(), info.id) != wanted.end();
                        }));
                });
        });
    ask_about<PeerId, IpfsId>(s, "Cluster", "IPFSID", kClosed,
                              [t](PeerId peer) { return ipfs_id(t, std::move(peer)); });
    ask<std::vector<Alert>>(s, "Cluster", "Alerts", kClosed,
                            [t] { return ready<std::vector<Alert>>(t->api.alerts()); });
    ask<codec::BandwidthByProtocol>(s, "Cluster", "BandwidthByProtocol", kClosed, [t] {
        return ready<codec::BandwidthByProtocol>(bandwidth(t->api));
    });
    ask<ConnectGraph>(s, "Cluster", "ConnectGraph", kClosed,
                      [t] { return t->api.connect_graph(); });
    for (const char* name : {"SendInformerMetrics", "SendInformersMetrics"})
        ask<Empty>(s, "Cluster", name, kClosed, [t] { return no_value(t->send_metrics()); });
}

void register_pins(Server& s, const Targets& t) {
    ask_about<Pin, std::vector<PeerId>>(s, "Cluster", "BlockAllocate", kClosed,
                                        [t](Pin pin) { return t->block_allocate(std::move(pin)); });
    ask_about<Pin, Pin>(s, "Cluster", "Pin", kClosed,
                        [t](Pin pin) { return t->api.pin(std::move(pin)); });
    ask_about<Pin, Pin>(s, "Cluster", "Unpin", kClosed,
                        [t](Pin pin) { return t->api.unpin(std::move(pin.cid)); });
    ask_about<codec::PinPath, Pin>(s, "Cluster", "PinPath", kClosed, [t](codec::PinPath path) {
        return t->api.pin_path(std::move(path.path), std::move(path.options));
    });
    ask_about<codec::PinPath, Pin>(s, "Cluster", "UnpinPath", kClosed, [t](codec::PinPath path) {
        return t->api.unpin_path(std::move(path.path));
    });
    ask_about<Cid, Pin>(s, "Cluster", "PinGet", kClosed,
                        [t](Cid cid) { return ready(t->api.pin_get(cid)); });
    list<Pin>(s, "Cluster", "Pins", kClosed,
              [t] { return t->api.pins(static_cast<std::uint32_t>(PinType::all)); });
}

void register_status(Server& s, const Targets& t) {
    ask_about<Cid, GlobalPinInfo>(s, "Cluster", "Status", kClosed,
                                  [t](Cid cid) { return t->api.status(std::move(cid)); });
    ask_about<Cid, PinInfo>(s, "Cluster", "StatusLocal", kClosed,
                            [t](Cid cid) { return t->api.status_local(std::move(cid)); });
    filtered<GlobalPinInfo>(s, "Cluster", "StatusAll", kClosed,
                            [t](StatusFilter filter) { return t->api.status_all(filter); });
    filtered<PinInfo>(s, "Cluster", "StatusAllLocal", kClosed,
                      [t](StatusFilter filter) { return t->api.status_all_local(filter); });
    ask_about<Cid, GlobalPinInfo>(s, "Cluster", "Recover", kClosed,
                                  [t](Cid cid) { return t->api.recover(std::move(cid)); });
    ask_about<Cid, PinInfo>(s, "Cluster", "RecoverLocal", kTrusted,
                            [t](Cid cid) { return t->api.recover_local(std::move(cid)); });
    list<GlobalPinInfo>(s, "Cluster", "RecoverAll", kClosed, [t] { return t->api.recover_all(); });
    list<PinInfo>(s, "Cluster", "RecoverAllLocal", kTrusted,
                  [t] { return t->api.recover_all_local(); });
    ask_about<Cid, GlobalPinInfo>(s, "Cluster", "Sync", kClosed,
                                  [t](Cid cid) { return t->api.sync(std::move(cid)); });
    ask_about<Cid, PinInfo>(s, "Cluster", "SyncLocal", kTrusted,
                            [t](Cid cid) { return t->api.sync_local(std::move(cid)); });
    list<GlobalPinInfo>(s, "Cluster", "SyncAll", kClosed, [t] { return t->api.sync_all(); });
    list<PinInfo>(s, "Cluster", "SyncAllLocal", kTrusted, [t] { return t->api.sync_all_local(); });
    ask<GlobalRepoGc>(s, "Cluster", "RepoGC", kClosed, [t] { return t->api.repo_gc(); });
    ask<RepoGc>(s, "Cluster", "RepoGCLocal", kTrusted, [t] { return t->api.repo_gc_local(); });
}

void register_tracker(Server& s, const Targets& t) {
    ask<std::int64_t>(s, "PinTracker", "PinQueueSize", kClosed, [t] {
        return ready<std::int64_t>(static_cast<std::int64_t>(t->tracker.queue_size()));
    });
    ask_about<Cid, PinInfo>(s, "PinTracker", "Status", kTrusted,
                            [t](Cid cid) { return t->tracker.status(std::move(cid)); });
    ask_about<Cid, PinInfo>(s, "PinTracker", "Recover", kTrusted,
                            [t](Cid cid) { return t->tracker.recover(std::move(cid)); });
    list<PinInfo>(s, "PinTracker", "RecoverAll", kClosed, [t] { return t->tracker.recover_all(); });
    // Sorted as well, but a Go peer promises no order: only the second name says that there is one.
    for (const char* name : {"StatusAll", "StatusAllSorted"})
        filtered<PinInfo>(s, "PinTracker", name, kTrusted,
                          [t](StatusFilter filter) { return t->tracker.status_all(filter); });
    for (const char* name : {"Track", "Untrack"})
        ask_about<Pin, Empty>(s, "PinTracker", name, kClosed, [name](Pin) {
            return unsupported(std::string("PinTracker.") + name +
                               ": this tracker follows the stored pinset");
        });
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
    ask_about<Cid, Bytes>(s, "IPFSConnector", "BlockGet", kClosed,
                          [t](Cid cid) { return t->ipfs.block_get(std::move(cid)); });
    s.stream<NodeWithMeta, Empty>("IPFSConnector", "BlockStream", kTrusted,
                                  [t](Caller, SourcePtr<NodeWithMeta> blocks) -> SourcePtr<Empty> {
                                      return std::make_unique<BlockSink>(t->ipfs,
                                                                         std::move(blocks));
                                  });
    ask_about<std::string, std::string>(
        s, "IPFSConnector", "ConfigKey", kClosed,
        [t](std::string path) { return t->ipfs.config_key(std::move(path)); });
    ask_about<Pin, Empty>(s, "IPFSConnector", "Pin", kClosed,
                          [t](Pin pin) { return no_value(t->ipfs.pin(std::move(pin), {})); });
    ask_about<Pin, Empty>(s, "IPFSConnector", "Unpin", kClosed,
                          [t](Pin pin) { return no_value(t->ipfs.unpin(std::move(pin.cid))); });
    using Types = std::vector<std::string>;
    s.stream<Types, IpfsPinInfo>(
        "IPFSConnector", "PinLs", kClosed,
        [t](Caller, SourcePtr<Types> args) -> SourcePtr<IpfsPinInfo> {
            return std::make_unique<FirstArgumentSource<Types, IpfsPinInfo>>(
                std::move(args), "PinLs: no types were sent",
                [t](Types types) -> Result<SourcePtr<IpfsPinInfo>> {
                    return t->ipfs.pin_ls(std::move(types));
                });
        });
    ask_about<Pin, IpfsPinStatus>(s, "IPFSConnector", "PinLsCid", kClosed,
                                  [t](Pin pin) { return t->ipfs.pin_status(std::move(pin)); });
    ask<RepoStat>(s, "IPFSConnector", "RepoStat", kTrusted, [t] { return t->ipfs.repo_stat(); });
    ask_about<std::string, Cid>(s, "IPFSConnector", "Resolve", kClosed,
                                [t](std::string path) { return t->ipfs.resolve(std::move(path)); });
    ask<std::vector<PeerId>>(s, "IPFSConnector", "SwarmPeers", kTrusted,
                             [t] { return t->ipfs.swarm_peers(); });
}

void register_consensus(Server& s, const Targets& t) {
    using component::PinOperation;
    ask_about<PeerId, Empty>(s, "Consensus", "AddPeer", kTrusted, [t](PeerId peer) {
        return no_value(t->consensus.add_peer(std::move(peer)));
    });
    ask_about<PeerId, Empty>(s, "Consensus", "RmPeer", kTrusted, [t](PeerId peer) {
        return no_value(t->consensus.remove_peer(std::move(peer)));
    });
    ask_about<Pin, Empty>(s, "Consensus", "LogPin", kTrusted, [t](Pin pin) {
        PinOperation operation;
        operation.pin = std::move(pin);
        return drop_value(t->consensus.commit(std::move(operation)));
    });
    ask_about<Pin, Empty>(s, "Consensus", "LogUnpin", kTrusted, [t](Pin pin) {
        PinOperation operation;
        operation.kind = PinOperation::Kind::unpin;
        operation.pin = std::move(pin);
        return drop_value(t->consensus.commit(std::move(operation)));
    });
    ask<std::vector<PeerId>>(s, "Consensus", "Peers", kClosed,
                             [t] { return ready<std::vector<PeerId>>(t->consensus.peers()); });
}

void register_monitor(Server& s, const Targets& t) {
    ask_about<std::string, std::vector<Metric>>(
        s, "PeerMonitor", "LatestMetrics", kClosed,
        [t](std::string name) { return ready<std::vector<Metric>>(t->monitor.latest(name)); });
    ask<std::vector<std::string>>(s, "PeerMonitor", "MetricNames", kClosed, [t] {
        return ready<std::vector<std::string>>(t->monitor.names());
    });
}

}  // namespace

void register_rpc_handlers(rpc::Server& server, RpcTargets targets) {
    const auto shared = std::make_shared<RpcTargets>(std::move(targets));
    register_peers(server, shared);
    register_pins(server, shared);
    register_status(server, shared);
    register_tracker(server, shared);
    register_ipfs(server, shared);
    register_consensus(server, shared);
    register_monitor(server, shared);
}

}  // namespace ipfscluster::cluster
