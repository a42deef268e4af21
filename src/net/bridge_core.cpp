#include "net/bridge_core.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "multi/address_mask.hpp"

namespace ipfscluster::net {

std::uint32_t to_millis(Duration limit) {
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 1, UINT32_MAX));
}

Bytes address_list(const std::vector<Multiaddr>& addresses) {
    std::vector<Bytes> items;
    for (const auto& address : addresses) items.push_back(address.bytes());
    return encode_list(items);
}

/// The addresses of a list that we understand; others may use protocols we do not know.
std::vector<Multiaddr> to_addresses(BytesView list) {
    std::vector<Multiaddr> out;
    for (const auto& item : decode_list(list)) {
        if (auto address = Multiaddr::from_bytes(item)) out.push_back(std::move(address).value());
    }
    return out;
}

namespace {
/// 0 stands for "off".
std::uint32_t some_millis(Duration value) {
    return value == Duration::zero() ? 0 : to_millis(value);
}
}  // namespace

Result<> BridgeHost::Core::start() {
    if (icl_abi_version() != ICL_ABI_VERSION)
        return fail(Kind::internal, "the bridge library has another version than its header");
    const auto announce = address_list(options.announce);
    const auto& gossip = options.gossip;
    icl_p2p_config config{};
    config.abi_version = ICL_ABI_VERSION;
    config.struct_size = sizeof config;
    config.private_key = to_slice(options.private_key);
    config.secret = to_slice(options.secret);
    config.agent_version = to_slice(options.agent_version);
    config.protocol_version = to_slice(options.protocol_version);
    config.announce = to_slice(announce);
    config.handshake_timeout_ms = to_millis(options.handshake_timeout);
    config.connections_max = options.connections_max;
    // A degree of 0 turns gossip off.
    config.gossip_degree = 6 * gossip.d_factor;
    config.gossip_degree_low = 5 * gossip.d_factor;
    config.gossip_degree_high = 12 * gossip.d_factor;
    config.gossip_degree_score = 4 * gossip.d_factor;
    config.gossip_degree_out = 2 * gossip.d_factor;
    config.gossip_degree_lazy = 6 * gossip.d_factor;
    config.gossip_heartbeat_ms = to_millis(gossip.heartbeat);
    config.gossip_history_length = gossip.history_length;
    config.gossip_history_gossip = gossip.history_gossip;
    config.gossip_duplicate_cache_ms = to_millis(gossip.duplicate_cache);
    config.gossip_message_max = gossip.message_max;
    config.gossip_ihave_max = 10000;
    config.gossip_flood_publish = gossip.flood_publish ? 1 : 0;
    config.gossip_peer_exchange = gossip.peer_exchange ? 1 : 0;
    config.idle_timeout_ms = some_millis(options.idle_timeout);
    config.routing_protocol = to_slice(options.routing.protocol);
    config.routing_mode = static_cast<std::uint32_t>(options.routing.mode);
    config.provider_keys_max = options.routing.provider_keys_max;
    const auto& reach = options.reach;
    config.mdns_interval_ms = some_millis(reach.mdns_interval);
    config.autonat_delay_ms = some_millis(reach.autonat_delay);
    config.relay_client = reach.relay_client ? 1 : 0;
    config.relay_server = reach.relay_server ? 1 : 0;
    config.hole_punching = reach.hole_punching ? 1 : 0;
    config.quic = options.quic && options.secret.empty() ? 1 : 0;
    config.private_addresses = reach.private_addresses ? 1 : 0;
    config.ready = &Core::ready;
    config.ready_ctx = this;
    prepare_bridge_threads();
    icl_p2p* started = nullptr;
    ICL_TRY(bridge_result(bridge(icl_p2p_start, &config, &started)));
    host.reset(started);
    icl_buffer id_bytes{};
    ICL_TRY(bridge_result(bridge(icl_p2p_id, host.get(), &id_bytes)));
    auto parsed = PeerId::from_bytes(to_view(id_bytes));
    bridge(icl_buffer_free, &id_bytes);
    ICL_TRY(id, std::move(parsed));
    return ok();
}

/// Why an address is skipped, in words; nothing when it can be tried.
std::optional<std::string> BridgeHost::Core::cannot_listen(const Multiaddr& address) const {
    const auto has = [&address](const char* name) { return address.value_of(name).has_value(); };
    if (!has("quic") && !has("quic-v1")) return std::nullopt;
    if (!options.secret.empty())
        return "QUIC has no private networks, so it cannot be used with a cluster secret";
    if (!options.quic)
        return "over QUIC a stream that broke off cannot be told from one that ended, so cluster "
               "peers use TCP";
    if (has("quic")) return "this draft of QUIC is no longer spoken; write /quic-v1";
    return std::nullopt;
}

bool BridgeHost::Core::hides(const Multiaddr& address) const {
    const auto& rules = options.no_announce;
    return std::any_of(rules.begin(), rules.end(),
                       [&address](const Multiaddr& rule) { return covers(rule, address); });
}

Async<> BridgeHost::Core::listen(Multiaddr address) {
    auto call = std::make_shared<BridgeCall>(executor);
    bridge(icl_p2p_listen, host.get(), to_slice(address.bytes()), &BridgeCall::answered,
           call->begin());
    auto answer = co_await BridgeCall::wait(call);
    if (!answer) co_return fail(answer.error());
    co_return ok();
}

Async<> BridgeHost::Core::listen_all() {
    std::string reasons;
    std::size_t good = 0;
    const auto wanted = options.listen;
    for (const auto& address : wanted) {
        if (const auto why = cannot_listen(address)) {
            log->warn("not listening address={} reason=\"{}\"", address.to_string(), *why);
            reasons += (reasons.empty() ? "" : "; ") + address.to_string() + ": " + *why;
            continue;
        }
        auto listened = co_await listen(address);
        if (listened) {
            ++good;
            continue;
        }
        log->warn("cannot listen address={} error={}", address.to_string(), listened.error().text);
        reasons += (reasons.empty() ? "" : "; ") + listened.error().text;
    }
    drain(kEventsPerTurnMax);
    if (good == 0 && !wanted.empty())
        co_return fail(Kind::unavailable, "cannot listen: " + reasons);
    co_return ok();
}

/// Any thread. The host is stopped before the core is destroyed, so `ctx` is alive.
void BridgeHost::Core::ready(void* ctx) {
    const WatchedCode watched;
    auto* core = static_cast<Core*>(ctx);
    asio::post(core->executor, [weak = core->weak_from_this()] {
        if (auto self = weak.lock()) self->drain(kEventsPerTurnMax);
    });
}

void BridgeHost::Core::drain(int most) {
    for (int taken = 0; taken < most; ++taken) {
        if (closed) return;
        OwnedEvent event;
        if (bridge(icl_p2p_next_event, host.get(), &event) != 1) return;
        on_event(event);
    }
    asio::post(executor, [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->drain(kEventsPerTurnMax);
    });
}

void BridgeHost::Core::on_event(OwnedEvent& event) {
    const auto peer = PeerId::from_bytes(to_view(event.peer));
    switch (event.kind) {
        case ICL_P2P_CONNECTED:
            if (!peer) return;
            // Where we dialed the peer can be dialed again; where it dialed from, it cannot.
            if (event.flag == 1) {
                if (auto at = Multiaddr::from_bytes(to_view(event.data)))
                    book.learn(peer.value(), {at.value()});
            }
            if (connected.emplace(peer.value(), world.steady_now()).second)
                connections.tell({peer.value(), true});
            return trim_connections();
        case ICL_P2P_DISCONNECTED:
            if (!peer) return;
            log->debug("disconnected peer={} cause={}", peer.value().to_string(),
                       to_view(event.data));
            book.connection_ended(peer.value());
            if (connected.erase(peer.value()) != 0) connections.tell({peer.value(), false});
            return;
        case ICL_P2P_IDENTIFIED:
            if (peer && connected.contains(peer.value()))
                book.learn(peer.value(), to_addresses(to_view(event.data)));
            return;
        case ICL_P2P_STREAM:
            return on_stream(event);
        case ICL_P2P_MESSAGE:
            return on_message(event);
        case ICL_P2P_LISTENING:
        case ICL_P2P_LISTENING_ENDED: {
            const auto address = Multiaddr::from_bytes(to_view(event.data));
            if (!address) return;
            std::erase(listening, address.value().without_peer());
            if (event.kind == ICL_P2P_LISTENING)
                listening.push_back(address.value().without_peer());
            return;
        }
        case ICL_P2P_DISCOVERED:
            if (peer) on_discovered(peer.value(), to_addresses(to_view(event.data)));
            return;
        case ICL_P2P_REACHABILITY:
            return on_reachability(event);
        case ICL_P2P_PROVIDER:
            return on_provider(event);
        case ICL_P2P_HOLE_PUNCHED:
            if (peer)
                log->debug("direct connection peer={} {}", peer.value().to_string(),
                           event.flag == 1 ? "made" : "failed: " + Bytes(to_view(event.name)));
            return;
        case ICL_P2P_WARNING:
            log->warn("{}", to_view(event.name));
            return;
        case ICL_P2P_FAILED:
            return on_failed({Kind::internal, "network: " + Bytes(to_view(event.name))});
        default:
            return;
    }
}

void BridgeHost::Core::on_stream(OwnedEvent& event) {
    const auto peer = PeerId::from_bytes(to_view(event.peer));
    const std::string protocol(to_view(event.name));
    const auto found = handlers.find(protocol);
    if (!peer || found == handlers.end()) return;  // the event resets the stream
    const auto handler = found->second;
    handler(std::make_unique<BridgeStream>(executor, event.take_stream(), peer.value(), protocol,
                                           counters, OutboundPlace()));
}

void BridgeHost::Core::on_message(OwnedEvent& event) {
    enum Verdict : std::int32_t { accept = 0, reject = 1, ignore = 2 };
    const auto from = PeerId::from_bytes(to_view(event.peer));
    const std::string topic(to_view(event.name));
    const auto found = topics.find(topic);
    auto verdict = ignore;
    if (from && found != topics.end()) {
        TopicMessage message{from.value(), Bytes(to_view(event.data))};
        const auto judge = validators.find(topic);
        verdict = judge == validators.end() || judge->second(message) ? accept : reject;
        if (verdict == accept) {
            const auto handler = found->second;
            handler(std::move(message));
        }
    }
    if (closed) return;
    const auto told =
        bridge_result(bridge(icl_p2p_verdict, host.get(), icl_slice{event.id.ptr, event.id.len},
                             icl_slice{event.source.ptr, event.source.len}, verdict));
    // Not passed on by us; the mesh has other ways.
    if (!told) log->debug("message not passed on topic={} error={}", topic, told.error().text);
}

void BridgeHost::Core::on_failed(Error error) {
    log->critical("network failed error={}", error.text);
    const auto listeners = failures;
    for (const auto& listener : listeners) listener(error);
}

Async<> BridgeHost::Core::dial(PeerId peer, std::vector<Multiaddr> addresses, Duration limit) {
    auto self = shared_from_this();
    const auto end = world.steady_now() + limit;
    book.add(peer, addresses);
    if (book.of(peer).empty() && !connected.contains(peer)) {
        // Not found is told by the dial, which has its own words for it.
        auto found = co_await find(peer, limit);
        if (!found && found.error().kind == Kind::cancelled) co_return fail(found.error());
        ICL_CO_TRY(usable());
    }
    const auto known = address_list(book.of(peer));
    const auto left = to_millis(end - world.steady_now());
    auto call = std::make_shared<BridgeCall>(executor);
    bridge(icl_p2p_dial, host.get(), to_slice(peer.bytes()), to_slice(known), left,
           &BridgeCall::answered, call->begin());
    auto answer = co_await BridgeCall::wait(call);
    if (!answer) co_return fail(answer.error());
    // The connection is among the waiting events: whoever awaited us must find it.
    if (!connected.contains(peer)) drain(INT32_MAX);
    co_return ok();
}

Async<std::vector<Multiaddr>> BridgeHost::Core::find(PeerId peer, Duration limit) {
    auto self = shared_from_this();
    auto call = std::make_shared<BridgeCall>(executor);
    bridge(icl_p2p_find_peer, host.get(), to_slice(peer.bytes()), to_millis(limit),
           &BridgeCall::answered, call->begin());
    auto answer = co_await BridgeCall::wait(call);
    if (!answer) co_return fail(answer.error());
    book.add(peer, to_addresses(answer.value().detail));
    co_return book.of(peer);
}

Async<StreamPtr> BridgeHost::Core::open(PeerId peer, std::vector<std::string> protocols,
                                        Duration limit) {
    auto self = shared_from_this();
    const auto end = world.steady_now() + limit;
    if (!connected.contains(peer)) {
        const std::vector<Multiaddr> as_known;
        auto dialed = co_await dial(peer, as_known, limit);
        if (!dialed) co_return fail(dialed.error());
    }
    while (counters->outbound_to(peer) >= kOutboundStreamsPerPeerMax) {
        auto woken = co_await counters->outbound_ended.wait();
        if (!woken) co_return fail(woken.error());
    }
    ICL_CO_TRY(usable());
    OutboundPlace place(counters, peer);
    std::vector<Bytes> names(protocols.begin(), protocols.end());
    const auto list = encode_list(names);
    const auto left = to_millis(end - world.steady_now());
    auto call = std::make_shared<BridgeCall>(executor);
    bridge(icl_p2p_open, host.get(), to_slice(peer.bytes()), to_slice(list), left,
           &BridgeCall::answered, call->begin());
    auto answer = co_await BridgeCall::wait(call);
    if (!answer) co_return fail(answer.error());
    co_return std::make_unique<BridgeStream>(executor, std::move(answer.value().stream), peer,
                                             answer.value().detail, counters, std::move(place));
}

}  // namespace ipfscluster::net
