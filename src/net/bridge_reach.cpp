#include <algorithm>
#include <boost/asio/post.hpp>

#include "net/bridge_core.hpp"

namespace ipfscluster::net {

namespace {

/// Dials a discovered peer. Owns itself until its callback has fired.
struct DiscoveryDial {
    std::function<void(std::int32_t status, Bytes text)> ended;
    asio::any_io_executor executor;
    // Orders the memory of the two threads, as in BridgeCall.
    std::atomic<bool> begun{false};

    void* begin() {
        begun.store(true, std::memory_order_release);
        return this;
    }
    static void answered(void* ctx, std::int32_t status, std::size_t, icl_stream* stream,
                         icl_slice detail) {
        const WatchedCode watched;
        std::unique_ptr<DiscoveryDial> dial(static_cast<DiscoveryDial*>(ctx));
        (void)dial->begun.load(std::memory_order_acquire);
        bridge(icl_stream_free, stream);
        Bytes text(reinterpret_cast<const char*>(detail.ptr), detail.len);
        auto executor = dial->executor;
        asio::post(executor, [dial = std::move(dial), status, text = std::move(text)]() mutable {
            dial->ended(status, std::move(text));
        });
    }
};

}  // namespace

/// The addresses go into the book only when the peer turns out to be one of ours: the network may
/// be full of others.
void BridgeHost::Core::on_discovered(const PeerId& peer, std::vector<Multiaddr> addresses) {
    if (peer == id || connected.contains(peer) || addresses.empty()) return;
    if (const auto paused = discovery_pauses.find(peer);
        paused != discovery_pauses.end() && world.steady_now() < paused->second.until)
        return;
    if (dialing_discovered.size() >= kDiscoveryDialsMax || !dialing_discovered.insert(peer).second)
        return;
    auto dial = std::make_unique<DiscoveryDial>();
    dial->executor = executor;
    dial->ended = [weak = weak_from_this(), peer](std::int32_t status, Bytes text) {
        if (auto self = weak.lock()) self->on_discovery_dialed(peer, status, text);
    };
    const auto list = address_list(addresses);
    auto* ctx = dial.release()->begin();
    bridge(icl_p2p_dial, host.get(), to_slice(peer.bytes()), to_slice(list),
           to_millis(kDiscoveryDialLimit), &DiscoveryDial::answered, ctx);
}

void BridgeHost::Core::on_discovery_dialed(const PeerId& peer, std::int32_t status,
                                           const Bytes& text) {
    dialing_discovered.erase(peer);
    if (closed) return;
    if (status >= 0) {
        discovery_pauses.erase(peer);
        log->info("a peer of the local network was discovered and connected peer={}",
                  peer.to_string());
        return;
    }
    log->debug("a discovered peer was not connected peer={} error={}", peer.to_string(), text);
    const auto now = world.steady_now();
    std::erase_if(discovery_pauses, [&](const auto& entry) {
        return entry.second.until + entry.second.length < now;
    });
    if (discovery_pauses.size() >= kDiscoveryPausesMax && !discovery_pauses.contains(peer)) return;
    auto& pause = discovery_pauses[peer];
    pause.length = std::clamp<Duration>(pause.length * 2, kDiscoveryPauseMin, kDiscoveryPauseMax);
    pause.until = now + pause.length;
}

void BridgeHost::Core::on_reachability(OwnedEvent& event) {
    seen_at.reset();
    switch (event.flag) {
        case 1: {
            reachability = Reachability::reachable;
            const auto at = Multiaddr::from_bytes(to_view(event.data));
            if (at) seen_at = at.value().without_peer();
            log->info("others can reach this peer address={}",
                      at ? at.value().to_string() : "unknown");
            return;
        }
        case 2:
            reachability = Reachability::unreachable;
            log->info("others cannot reach this peer directly");
            return;
        default:
            reachability = Reachability::unknown;
    }
}

void BridgeHost::Core::trim_connections() {
    const auto& bounds = options.bounds;
    const auto now = world.steady_now();
    if (bounds.high_water == 0 || connected.size() <= bounds.high_water) return;
    if (last_trim != SteadyTime{} && now < last_trim + kTrimPause) return;
    last_trim = now;
    struct Candidate {
        std::size_t streams;
        SteadyTime since;
        PeerId peer;
    };
    std::vector<Candidate> candidates;
    for (const auto& [peer, since] : connected)
        if (now >= since + bounds.grace)
            candidates.push_back({counters->live_with(peer), since, peer});
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return std::tie(a.streams, a.since) < std::tie(b.streams, b.since);
    });
    const auto surplus = connected.size() - std::min(connected.size(), bounds.low_water);
    if (candidates.size() > surplus) candidates.resize(surplus);
    log->debug("closing connections count={} connected={}", candidates.size(), connected.size());
    for (const auto& candidate : candidates)
        bridge(icl_p2p_disconnect, host.get(), to_slice(candidate.peer.bytes()));
}

void BridgeHost::Core::on_provider(OwnedEvent& event) {
    auto peer = PeerId::from_bytes(to_view(event.peer));
    if (!peer) return;
    const Provider provider{peer.value(), to_addresses(to_view(event.data))};
    const auto [from, to] = provider_searches.equal_range(Bytes(to_view(event.id)));
    // A handler may begin or end searches.
    std::vector<ProviderHandler> waiting;
    for (auto it = from; it != to; ++it) waiting.push_back(it->second);
    for (const auto& handler : waiting) handler(provider);
}

Async<std::size_t> BridgeHost::Core::provide(Bytes key, Duration limit) {
    auto self = shared_from_this();
    auto call = std::make_shared<BridgeCall>(executor);
    bridge(icl_p2p_provide, host.get(), to_slice(key), to_millis(limit), &BridgeCall::answered,
           call->begin());
    auto answer = co_await BridgeCall::wait(call);
    if (!answer) co_return fail(answer.error());
    co_return answer.value().count;
}

Async<std::size_t> BridgeHost::Core::find_providers(Bytes key, std::size_t most, Duration limit,
                                                    ProviderHandler found) {
    auto self = shared_from_this();
    /// Ends the entry also when this coroutine is destroyed.
    struct Entry {
        std::multimap<Bytes, ProviderHandler>& searches;
        std::multimap<Bytes, ProviderHandler>::iterator at;
        ~Entry() { searches.erase(at); }
    };
    const Entry entry{provider_searches, provider_searches.emplace(key, std::move(found))};
    auto call = std::make_shared<BridgeCall>(executor);
    bridge(icl_p2p_find_providers, host.get(), to_slice(key), static_cast<std::uint32_t>(most),
           to_millis(limit), &BridgeCall::answered, call->begin());
    auto answer = co_await BridgeCall::wait(call);
    // The providers are among the waiting events.
    drain(INT32_MAX);
    if (!answer) co_return fail(answer.error());
    co_return answer.value().count;
}

}  // namespace ipfscluster::net
