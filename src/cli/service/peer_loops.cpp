// What a peer does beside serving: joining, keeping connected, saving addresses, saying that it is
// ready.
#include <algorithm>

#include "base/log.hpp"
#include "cli/service/peer_parts.hpp"
#include "cli/service/supervisor.hpp"
#include "config/peerstore.hpp"

namespace ipfscluster::service {

namespace {

/// Leaving the cluster waits for a quorum no longer than this.
constexpr Duration kLeaveLimit = std::chrono::seconds(15);
/// How often a changed peerstore is saved while the peer runs, beside the saves before joining and
/// before it says that it is ready.
constexpr Duration kPeerstoreInterval = std::chrono::seconds(1);
/// Pause between two tries to join.
constexpr Duration kJoinRetry = std::chrono::seconds(2);

}  // namespace

asio::awaitable<void> Peer::Parts::watch_consensus() {
    auto why = co_await consensus->wait_ended();
    end(why);
}

asio::awaitable<void> Peer::Parts::report_ready() {
    while (true) {
        auto ready = co_await cluster->wait_ready(std::chrono::hours(1));
        if (ready) break;
        if (ready.error().kind == Kind::cancelled) co_return;
    }
    // Whoever relies on "ready" may kill us the moment it is said.
    const bool saved = co_await try_save_peerstore();
    if (!saved) co_return;
    const bool remembered = co_await remember_members();
    if (!remembered || tasks.stopping()) co_return;
    ready_once = true;
    logger("cluster")->info("Cluster Peers (without including ourselves):");
    const auto peers = consensus->peers();
    for (const auto& peer : peers)
        if (peer != identity.id) logger("cluster")->info("    - {}", peer.to_string());
    if (peers.size() < 2) logger("cluster")->info("    - No other peers");
    logger("cluster")->info("** IPFS Cluster is READY **");
    notify_supervisor("READY=1");
    if (daemon && config.ipfshttp.connect_swarms_delay.count() > 0) tasks.spawn(connect_swarms());
}

/// Connects the daemon to those of the other members, once, so that they find each other's blocks.
asio::awaitable<void> Peer::Parts::connect_swarms() {
    auto slept = co_await world.sleep_for(config.ipfshttp.connect_swarms_delay);
    if (!slept) co_return;
    auto members = cluster->peers();
    while (true) {
        auto member = co_await members->next();
        if (!member || !member.value()) co_return;
        const auto& info = *member.value();
        if (info.id == identity.id || info.ipfs.addresses.empty()) continue;
        auto connected = co_await ipfs->swarm_connect(info.ipfs.addresses);
        if (!connected && connected.error().kind == Kind::cancelled) co_return;
        if (!connected)
            logger("ipfshttp")
                ->debug("the daemon of a member cannot be reached peer={} error=\"{}\"",
                        info.id.to_string(), connected.error().text);
    }
}

asio::awaitable<void> Peer::Parts::bootstrap_loop() {
    // Every address is tried until one member has taken us in; the peer that asked may be the one
    // that is slow to start.
    while (!consensus->ready()) {
        for (const auto& address : bootstrap) {
            auto joined = co_await cluster->join(address);
            if (joined) {
                logger("cluster")->info("joined through {}", address.to_string());
                co_return;
            }
            if (joined.error().kind == Kind::cancelled) co_return;
            logger("cluster")->warn("joining failed address={} error=\"{}\"", address.to_string(),
                                    joined.error().text);
        }
        // Whoever waits to be added with `peers add` must be known to a member: a connection shows
        // our addresses.
        for (const auto& address : config.cluster.peer_addresses) {
            const auto peer = address.peer_id();
            if (!peer || *peer == identity.id || host->connected(*peer)) continue;
            std::vector<Multiaddr> known(1, address.without_peer());
            auto connected =
                co_await host->connect(*peer, std::move(known), config.cluster.dial_peer_timeout);
            if (!connected && connected.error().kind == Kind::cancelled) co_return;
        }
        auto slept = co_await world.sleep_for(kJoinRetry);
        if (!slept) co_return;
    }
    // Ready without having been taken in.
    for (const auto& address : bootstrap) {
        auto checked = co_await check_same_cluster(address);
        if (!checked && checked.error().kind == Kind::cancelled) co_return;
        if (!checked && checked.error().kind == Kind::conflict)
            logger("cluster")->error("NOT joined through {}: {}", address.to_string(),
                                     checked.error().text);
    }
}

/// `--bootstrap` of a peer that has a cluster already changes nothing; where it names another
/// cluster, the operator wanted something else than what happens.
Async<> Peer::Parts::check_same_cluster(Multiaddr address) {
    const auto peer = address.peer_id();
    const auto members = consensus->peers();
    if (!peer || *peer == identity.id ||
        std::find(members.begin(), members.end(), *peer) != members.end())
        co_return ok();
    std::vector<Multiaddr> where(1, address.without_peer());
    ICL_CO_TRY(co_await host->connect(*peer, std::move(where), config.cluster.dial_peer_timeout));
    ICL_CO_TRY(const auto other, co_await peer_client->id(*peer));
    const auto& theirs = other.cluster_peers;
    if (std::find(theirs.begin(), theirs.end(), *peer) == theirs.end() ||
        std::find(theirs.begin(), theirs.end(), identity.id) != theirs.end())
        co_return ok();
    co_return fail(Kind::conflict,
                   "this peer is a member of a cluster of its own, with " +
                       std::to_string(members.size()) +
                       " peers, and stays in it. To join the other one, stop this peer, run "
                       "`ipfs-cluster-service state cleanup` and start it again");
}

Async<> Peer::Parts::save_peerstore() {
    // One at a time: they share the temporary file.
    while (saving_peerstore) {
        auto woken = co_await peerstore_saved.wait();
        if (!woken) co_return fail(woken.error());
    }
    config::Addresses known;
    for (const auto& peer : host->known_peers())
        if (peer != identity.id)
            for (const auto& address : host->known_addresses(peer))
                known.push_back(address.with_peer(peer));
    if (known.empty() || known == saved_addresses) co_return ok();
    auto work = [path = config.peerstore_path(), known]() -> Result<bool> {
        ICL_TRY(config::save_peerstore(path, known));
        return true;
    };
    saving_peerstore = true;
    auto saved = co_await offload(world, std::move(work));
    saving_peerstore = false;
    peerstore_saved.notify_all();
    if (!saved) co_return fail(saved.error());
    saved_addresses = std::move(known);
    co_return ok();
}

Async<> Peer::Parts::leave() {
    ICL_CO_TRY(co_await with_deadline(world, kLeaveLimit, "leaving",
                                      hurry.unless(consensus->remove_peer(identity.id))));
    left = true;
    co_return ok();
}

asio::awaitable<void> Peer::Parts::peerstore_loop() {
    while (true) {
        auto slept = co_await world.sleep_for(kPeerstoreInterval);
        if (!slept) co_return;
        const bool saved = co_await try_save_peerstore();
        if (!saved) co_return;
        const bool remembered = co_await remember_members();
        if (!remembered) co_return;
    }
}

/// Logs a failure; false when cancelled.
asio::awaitable<bool> Peer::Parts::remember_members() {
    auto members = consensus->peers();
    auto kept = co_await memory.keep(std::move(members), identity.id);
    if (kept) co_return true;
    if (kept.error().kind == Kind::cancelled) co_return false;
    logger("service")->warn("the members could not be written down error=\"{}\"",
                            kept.error().text);
    co_return true;
}

/// Logs a failure; false when cancelled.
asio::awaitable<bool> Peer::Parts::try_save_peerstore() {
    auto saved = co_await save_peerstore();
    if (saved) co_return true;
    if (saved.error().kind == Kind::cancelled) co_return false;
    logger("pstoremgr")->warn("the peerstore could not be saved error=\"{}\"", saved.error().text);
    co_return true;
}

}  // namespace ipfscluster::service
