#include "cluster/cluster.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "cluster/ping_value.hpp"
#include "state/pins_where.hpp"

namespace ipfscluster::cluster {

Cluster::Cluster(ClusterParts parts, ClusterOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      clocks_(parts_.world, parts_.members, parts_.monitor, parts_.host.id(),
              kPingTtlPeriods * options_.ping_interval),
      pinner_({.world = parts_.world,
               .state = parts_.state,
               .log = parts_.log,
               .members = parts_.members,
               .ipfs = parts_.ipfs,
               .monitor = parts_.monitor,
               .allocator = parts_.allocator,
               .clocks = clocks_},
              {.defaults = options_.defaults, .follower = options_.follower}),
      repin_(parts_, options_, pinner_,
             {.status = [this](Cid cid) { return status(std::move(cid)); },
              .outside = [this](const PeerId& peer) { return ping_info(peer).outside; }}),
      room_(parts_, options_, pinner_),
      survey_(parts_, pinner_,
              {.status = [this](Cid cid) { return status(std::move(cid)); },
               .overdue = [this] { return repin_.overdue(); },
               .outside = [this](const PeerId& peer) { return ping_info(peer).outside; }}),
      leaves_(parts_, options_, survey_, [this] { return status_all(kEveryStatus); }),
      vitals_(parts_.world, parts_.log, parts_.store),
      ready_signal_(parts_.world.executor()),
      tasks_(parts_.world, "cluster") {}

Async<> Cluster::start() {
    tasks_.spawn(connect_loop());
    tasks_.spawn(vitals_.watch());
    tasks_.spawn(vitals_.watch_disk());
    tasks_.spawn(life());
    co_return ok();
}

Async<> Cluster::stop() {
    auto stopped = co_await tasks_.stop();
    co_return stopped;
}

namespace {

struct Countdown {
    explicit Countdown(asio::any_io_executor executor) : done(std::move(executor)) {}
    std::size_t left = 0;
    Signal done;
};

asio::awaitable<void> run_counted(asio::awaitable<void> task, std::shared_ptr<Countdown> count) {
    co_await std::move(task);
    if (--count->left == 0) count->done.notify_all();
}

}  // namespace

Async<> Cluster::run_all(std::vector<asio::awaitable<void>> tasks) {
    auto count = std::make_shared<Countdown>(parts_.world.executor());
    if (tasks_.stopping()) co_return fail(Kind::shutting_down, "this peer is stopping");
    for (auto& task : tasks)
        if (tasks_.spawn(run_counted(std::move(task), count))) ++count->left;
    while (count->left > 0) {
        auto woken = co_await count->done.wait();
        if (!woken) co_return woken;
    }
    co_return ok();
}

Cluster::PingInfo Cluster::ping_info(const PeerId& peer) {
    if (peer == self()) return {options_.peername, last_ipfs_, options_.fetches_outside};
    for (const auto& metric : parts_.monitor.latest("ping")) {
        if (metric.peer != peer || metric.value.empty()) continue;
        auto said = parse_ping(metric.value);
        if (!said) break;
        pings_[peer] = {std::move(said->peername), std::move(said->ipfs), said->outside};
        break;
    }
    const auto known = pings_.find(peer);
    return known == pings_.end() ? PingInfo{} : known->second;
}

Async<PeerInfo> Cluster::id() {
    PeerInfo info;
    info.id = self();
    info.addresses = parts_.host.addresses();
    info.version = version();
    info.error = hindrance();
    info.rpc_protocol = std::string(kRpcProtocol);
    info.peername = options_.peername;
    info.cluster_peers = parts_.members.peers();
    for (const auto& peer : info.cluster_peers) {
        const auto known = peer == self() ? info.addresses : parts_.host.known_addresses(peer);
        for (const auto& a : known) info.cluster_peers_addresses.push_back(a.with_peer(peer));
    }
    auto ipfs = co_await parts_.ipfs.id();
    if (ipfs)
        info.ipfs = std::move(ipfs.value());
    else
        info.ipfs.error = ipfs.error().text;
    co_return info;
}

namespace {

asio::awaitable<void> ask_id(PeerClient& client, PeerId peer, std::shared_ptr<PeerInfo> out) {
    auto info = co_await client.id(peer);
    if (info) {
        *out = std::move(info.value());
        co_return;
    }
    out->id = peer;
    out->error = info.error().text;
}

}  // namespace

SourcePtr<PeerInfo> Cluster::peers() {
    // All members are asked at once; those that answered come first.
    class Peers final : public Source<PeerInfo> {
     public:
        explicit Peers(Cluster& cluster) : cluster_(cluster) {}
        Async<std::optional<PeerInfo>> next() override {
            if (!asked_) {
                asked_ = true;
                std::vector<asio::awaitable<void>> asks;
                for (const auto& peer : cluster_.parts_.members.peers()) {
                    infos_.push_back(std::make_shared<PeerInfo>());
                    if (peer == cluster_.self()) {
                        auto own = co_await cluster_.id();
                        if (own) *infos_.back() = std::move(own.value());
                        continue;
                    }
                    asks.push_back(ask_id(cluster_.parts_.peers, peer, infos_.back()));
                }
                ICL_CO_TRY(co_await cluster_.run_all(std::move(asks)));
                for (const auto& info : infos_) {
                    ICL_CO_TRY(info->note, co_await cluster_.note_of(info->id));
                }
                std::stable_partition(infos_.begin(), infos_.end(),
                                      [](const auto& info) { return info->error.empty(); });
            }
            if (at_ == infos_.size()) co_return std::optional<PeerInfo>{};
            co_return std::optional<PeerInfo>(*infos_[at_++]);
        }

     private:
        Cluster& cluster_;
        bool asked_ = false;
        std::vector<std::shared_ptr<PeerInfo>> infos_;
        std::size_t at_ = 0;
    };
    return std::make_unique<Peers>(*this);
}

Async<PeerInfo> Cluster::peer_add(PeerId peer) {
    ICL_CO_TRY(co_await parts_.members.add_peer(peer));
    if (peer == self()) {
        auto own = co_await id();
        co_return own;
    }
    auto info = co_await parts_.peers.id(peer);
    if (!info)
        co_return fail(
            info.error().in("peer " + peer.to_string() + " was added but does not answer"));
    auto& members = info.value().cluster_peers;
    if (std::find(members.begin(), members.end(), self()) == members.end())
        members.push_back(self());
    co_return info;
}

Async<> Cluster::join(Multiaddr address) {
    const auto peer = address.peer_id();
    if (!peer)
        co_return fail(Kind::invalid,
                       "join address " + address.to_string() + " has no /p2p/<peer id>");
    if (*peer == self()) co_return ok();
    // Named vectors: g++ 12 cannot keep an initializer list in a coroutine's awaiting expression.
    const std::vector<Multiaddr> where(1, address.without_peer());
    parts_.host.add_addresses(*peer, where);
    ICL_CO_TRY(co_await parts_.host.connect(*peer, where, options_.dial_timeout));
    // The others' addresses first: it may be gone before our first look at who is not connected.
    auto info = co_await parts_.peers.id(*peer);
    if (!info && info.error().kind == Kind::cancelled) co_return fail(info.error());
    if (info)
        for (const auto& known : info.value().cluster_peers_addresses)
            if (const auto member = known.peer_id(); member && *member != self())
                parts_.host.add_addresses(*member, std::vector<Multiaddr>(1, known.without_peer()));
    ICL_CO_TRY(co_await parts_.peers.peer_add(*peer, self()));
    auto synced = co_await parts_.log.barrier(kSyncLimit);
    co_return synced;
}

Result<Pin> Cluster::pin_get(Cid cid) {
    ICL_TRY(auto existing, parts_.state.get(cid));
    if (!existing) return fail(Kind::not_found, std::string(component::kPinNotFound));
    return std::move(existing->pin);
}

SourcePtr<Pin> Cluster::pins(std::uint32_t types) {
    return state::pins_where(parts_.state, [types](const Pin& pin) {
        return (static_cast<std::uint32_t>(pin.type) & types) != 0;
    });
}

Async<ConnectGraph> Cluster::connect_graph() {
    ConnectGraph graph;
    graph.cluster_id = self();
    const auto members = parts_.members.peers();
    for (const auto& peer : members) {
        graph.cluster_trust_links[peer] = parts_.members.trusted(peer).has_value();
        auto& links = graph.cluster_links[peer];
        PeerInfo info;
        if (peer == self()) {
            auto own = co_await id();
            if (own) info = std::move(own.value());
            for (const auto& other : parts_.host.connected_peers())
                if (std::find(members.begin(), members.end(), other) != members.end())
                    links.push_back(other);
        } else {
            auto other = co_await parts_.peers.id(peer);
            if (!other) {
                if (other.error().kind == Kind::cancelled) co_return fail(other.error());
                continue;
            }
            info = std::move(other.value());
            for (const auto& link : info.cluster_peers)
                if (link != peer) links.push_back(link);
        }
        graph.id_to_peername[peer] = info.peername;
        if (info.ipfs.id.empty()) continue;
        graph.cluster_to_ipfs[peer] = info.ipfs.id;
        if (peer == self()) {
            auto swarm = co_await parts_.ipfs.swarm_peers();
            if (swarm) graph.ipfs_links[info.ipfs.id] = std::move(swarm.value());
        } else {
            auto swarm = co_await parts_.peers.swarm_peers(peer);
            if (swarm) graph.ipfs_links[info.ipfs.id] = std::move(swarm.value());
        }
    }
    co_return graph;
}

std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> Cluster::bandwidth() {
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> out;
    for (const auto& [protocol, totals] : parts_.host.bandwidth())
        out[protocol] = {totals.bytes_in, totals.bytes_out};
    return out;
}

}  // namespace ipfscluster::cluster
