#include "peer/joiner.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/text.hpp"

namespace ipfscluster::peer {

namespace {}  // namespace

Joiner::Joiner(World& world, net::Host& host, component::PinsetLog& log,
               component::Membership& members, component::ClusterApi& cluster,
               cluster::PeerClient& peers, JoinerOptions options)
    : world_(world),
      host_(host),
      log_(log),
      members_(members),
      cluster_(cluster),
      peers_(peers),
      options_(std::move(options)) {}

asio::awaitable<void> Joiner::run() {
    while (!log_.ready()) {
        auto joined = co_await try_all();
        if (!joined || joined.value()) co_return;
        auto shown = co_await show_addresses();
        if (!shown) co_return;
        auto slept = co_await world_.sleep_for(options_.retry);
        if (!slept) co_return;
    }
    // Ready without having been taken in.
    for (const auto& address : options_.bootstrap) {
        auto checked = co_await check_same_cluster(address);
        if (!checked && checked.error().kind == Kind::cancelled) co_return;
        if (!checked && checked.error().kind == Kind::conflict)
            logger("cluster")->error("NOT joined through {}: {}", address.to_string(),
                                     checked.error().text);
    }
}

Async<bool> Joiner::try_all() {
    // The peer that asked may be the one that is slow to start.
    for (const auto& address : options_.bootstrap) {
        auto joined = co_await cluster_.join(address);
        if (joined) {
            logger("cluster")->info("joined through {}", address.to_string());
            co_return true;
        }
        if (joined.error().kind == Kind::cancelled) co_return fail(joined.error());
        logger("cluster")->warn("joining failed address={} error=\"{}\"", address.to_string(),
                                joined.error().text);
    }
    co_return false;
}

Async<> Joiner::show_addresses() {
    for (const auto& address : options_.peer_addresses) {
        const auto peer = address.peer_id();
        if (!peer || *peer == host_.id() || host_.connected(*peer)) continue;
        std::vector<Multiaddr> known(1, address.without_peer());
        auto connected = co_await host_.connect(*peer, std::move(known), options_.dial_timeout);
        if (!connected && connected.error().kind == Kind::cancelled) co_return connected;
    }
    co_return ok();
}

Async<> Joiner::check_same_cluster(Multiaddr address) {
    const auto peer = address.peer_id();
    const auto members = members_.known();
    if (!peer || *peer == host_.id() || contains(members, *peer)) co_return ok();
    std::vector<Multiaddr> where(1, address.without_peer());
    ICL_CO_TRY(co_await host_.connect(*peer, std::move(where), options_.dial_timeout));
    ICL_CO_TRY(const auto other, co_await peers_.id(*peer));
    const auto& theirs = other.cluster_peers;
    if (!contains(theirs, *peer) || contains(theirs, host_.id())) co_return ok();
    co_return fail(Kind::conflict,
                   "this peer is a member of a cluster of its own, with " +
                       std::to_string(members.size()) +
                       " peers, and stays in it. To join the other one, stop this peer, run "
                       "`ipfs-cluster-service state cleanup` and start it again");
}

}  // namespace ipfscluster::peer
