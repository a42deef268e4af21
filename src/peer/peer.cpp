#include "peer/peer.hpp"

#include "allocator/balanced_allocator.hpp"
#include "base/log.hpp"
#include "cluster/rpc_handlers.hpp"

namespace ipfscluster::peer {

namespace {

/// Leaving the cluster waits for a quorum no longer than this.
constexpr Duration kLeaveLimit = std::chrono::seconds(60);

std::vector<component::Informer*> borrow(const Informers& informers) {
    std::vector<component::Informer*> out;
    for (const auto& informer : informers) out.push_back(informer.get());
    return out;
}

}  // namespace

Peer::Peer(PeerParts parts, PeerOptions options)
    : parts_(parts),
      options_(std::move(options)),
      monitor_(parts_.world, parts_.host, options_.monitor,
               [this](const PeerId& other) { return consensus_->heeds(other); }),
      consensus_(options_.consensus(parts_, monitor_)),
      allocator_(std::make_unique<allocator::BalancedAllocator>(options_.allocate_by)),
      tracker_(parts_.world, parts_.store, parts_.state, parts_.ipfs, options_.tracker),
      informers_(options_.informers(parts_.ipfs, tracker_)),
      server_(parts_.world, parts_.host,
              {.known = [this](const PeerId& other) { return consensus_->trusted(other); },
               .find_out =
                   [this](PeerId other, Error unsure) {
                       return callers_.confirm(std::move(other), std::move(unsure));
                   }}),
      client_(parts_.world, parts_.host),
      peers_(client_),
      callers_(parts_.world, *consensus_, peers_),
      cluster_(
          std::make_unique<cluster::Cluster>(cluster::ClusterParts{.world = parts_.world,
                                                                   .host = parts_.host,
                                                                   .state = parts_.state,
                                                                   .log = *consensus_,
                                                                   .members = *consensus_,
                                                                   .duty = *consensus_,
                                                                   .tracker = tracker_,
                                                                   .ipfs = parts_.ipfs,
                                                                   .monitor = monitor_,
                                                                   .allocator = *allocator_,
                                                                   .informers = borrow(informers_),
                                                                   .peers = peers_,
                                                                   .store = parts_.store},
                                             options_.cluster)),
      addresses_(parts_.world, parts_.host, *consensus_, parts_.peerstore),
      joiner_(parts_.world, parts_.host, *consensus_, *consensus_, *cluster_, peers_,
              options_.join),
      tasks_(parts_.world, "service"),
      ended_(parts_.world.executor()) {
    tracker_.ask_holders_through(
        {.members = [this] { return consensus_->known(); },
         .alive = [this](const PeerId& other) { return monitor_.alive(other); },
         .holds_all = [this](const PeerId& other) { return !consensus_->cordon(other).everything; },
         .status = [this](PeerId other,
                          Cid cid) { return peers_.status(std::move(other), std::move(cid)); }});
}

Peer::~Peer() = default;

Async<> Peer::learn_addresses() {
    auto first = options_.join.bootstrap;
    const auto& known = options_.join.peer_addresses;
    first.insert(first.end(), known.begin(), known.end());
    ICL_CO_TRY(co_await addresses_.load(std::move(first)));
    const bool went_on = co_await addresses_.try_save();
    if (!went_on) co_return fail(Kind::cancelled, "cancelled");
    co_return ok();
}

Async<> Peer::start() {
    if (parts_.content != nullptr) parts_.content->start();
    ICL_CO_TRY(co_await parts_.ipfs.start());
    // A daemon says later who it is.
    Result<IpfsId> own = IpfsId{};
    if (parts_.content != nullptr) own = co_await parts_.ipfs.id();
    tracker_.set_identity({options_.cluster.peername, own ? own.value() : IpfsId{}});
    ICL_CO_TRY(co_await monitor_.start());
    cluster::register_rpc_handlers(server_, {.api = *cluster_,
                                             .tracker = tracker_,
                                             .ipfs = parts_.ipfs,
                                             .log = *consensus_,
                                             .members = *consensus_,
                                             .alive = [this] { return cluster_->alive(); }});
    server_.start();
    ICL_CO_TRY(co_await consensus_->start());
    ICL_CO_TRY(co_await tracker_.start());
    ICL_CO_TRY(co_await cluster_->start());
    tasks_.spawn(watch_consensus());
    tasks_.spawn(report_ready());
    tasks_.spawn(addresses_.run());
    if (joiner_.wanted()) tasks_.spawn(joiner_.run());
    co_return ok();
}

asio::awaitable<void> Peer::watch_consensus() {
    auto why = co_await consensus_->wait_ended();
    end(why);
}

asio::awaitable<void> Peer::report_ready() {
    while (true) {
        auto ready = co_await cluster_->wait_ready(std::chrono::hours(1));
        if (ready) break;
        if (ready.error().kind == Kind::cancelled) co_return;
    }
    // Whoever relies on "ready" may kill us the moment it is said.
    const bool saved = co_await addresses_.try_save();
    if (!saved) co_return;
    const bool remembered = co_await addresses_.try_remember();
    if (!remembered || tasks_.stopping()) co_return;
    ready_ = true;
    logger("cluster")->info("Cluster Peers (without including ourselves):");
    const auto peers = consensus_->peers();
    for (const auto& peer : peers)
        if (peer != parts_.host.id()) logger("cluster")->info("    - {}", peer.to_string());
    if (peers.size() < 2) logger("cluster")->info("    - No other peers");
    logger("cluster")->info("** IPFS Cluster is READY **");
    if (options_.on_ready) options_.on_ready();
}

void Peer::end(Error why) {
    if (!end_reason_) end_reason_ = std::move(why);
    ended_.notify_all();
}

asio::awaitable<Error> Peer::wait_ended() {
    while (!end_reason_) {
        auto woken = co_await ended_.wait();
        if (!woken) co_return woken.error();
    }
    co_return *end_reason_;
}

Async<> Peer::leave() {
    ICL_CO_TRY(co_await cluster_->leave());
    left_ = true;
    co_return ok();
}

asio::awaitable<void> Peer::stop_tasks(Shutdown* shutdown) {
    co_await shutdown->step("background tasks end", tasks_.stop());
}

asio::awaitable<void> Peer::stop(Shutdown* shutdown, Hurry* hurry, bool leave_too) {
    if (ready_) {
        co_await shutdown->step("the peerstore is saved", addresses_.save());
    }
    if (ready_ && leave_too) {
        auto leaving = with_deadline(parts_.world, kLeaveLimit, "leaving", hurry->unless(leave()));
        co_await shutdown->step("leaving the cluster", std::move(leaving));
    }
    co_await shutdown->step("cluster loops end", cluster_->stop());
    co_await shutdown->step("RPC is closed", server_.stop());
    co_await shutdown->stop_component("consensus stops", consensus_->stop());
    co_await shutdown->stop_component("the pin tracker stops", tracker_.stop());
    co_await shutdown->stop_component("the monitor stops", monitor_.stop());
    if (parts_.content != nullptr) {
        co_await shutdown->stop_component("the IPFS node stops", parts_.ipfs.stop());
        co_await parts_.content->stop(shutdown);
    } else {
        co_await shutdown->stop_component("the IPFS connector stops", parts_.ipfs.stop());
    }
}

}  // namespace ipfscluster::peer
