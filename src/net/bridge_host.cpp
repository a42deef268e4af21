#include "net/bridge_host.hpp"

#include <boost/asio/post.hpp>

#include "net/bridge_core.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::net {

namespace {
/// A call nobody waits for: its failure is logged. Owns itself until its callback has fired.
struct DetachedCall {
    std::string what;
    // Orders the memory of the two threads, as in BridgeCall.
    std::atomic<bool> begun{false};

    static void* begin(std::string what) {
        auto call = std::make_unique<DetachedCall>();
        call->what = std::move(what);
        call->begun.store(true, std::memory_order_release);
        return call.release();
    }
    static void answered(void* ctx, std::int32_t status, std::size_t, icl_stream* stream,
                         icl_slice detail) {
        const WatchedCode watched;
        const std::unique_ptr<DetachedCall> call(static_cast<DetachedCall*>(ctx));
        (void)call->begun.load(std::memory_order_acquire);
        bridge(icl_stream_free, stream);
        if (status >= 0 || status == ICL_CANCELED || status == ICL_CLOSED) return;
        logger("net")->error("{} failed error={}", call->what,
                             BytesView(reinterpret_cast<const char*>(detail.ptr), detail.len));
    }
};
}  // namespace

BridgeHost::BridgeHost(std::shared_ptr<Core> core) : core_(std::move(core)) {}

BridgeHost::~BridgeHost() {
    core_->closed = true;
    if (core_->host) bridge(icl_p2p_stop, core_->host.get());
    core_->host.reset();
}

Async<std::unique_ptr<BridgeHost>> BridgeHost::start(World& world, BridgeHostOptions options) {
    auto core = std::make_shared<Core>(world, std::move(options));
    std::unique_ptr<BridgeHost> host(new BridgeHost(core));
    auto started = core->start();
    if (!started) co_return fail(started.error());
    auto listened = co_await core->listen_all();
    if (!listened) co_return fail(listened.error());
    co_return std::move(host);
}

const PeerId& BridgeHost::id() const {
    return core_->id;
}

std::vector<Multiaddr> BridgeHost::addresses() const {
    const auto& options = core_->options;
    std::vector<Multiaddr> out;
    auto own = options.announce.empty() ? core_->listening : options.announce;
    if (const auto& seen = core_->seen_at;
        seen && options.announce.empty() && std::find(own.begin(), own.end(), *seen) == own.end())
        own.push_back(*seen);
    for (const auto& address : own) {
        if (!core_->hides(address)) out.push_back(address.with_peer(core_->id));
    }
    return out;
}

Async<> BridgeHost::connect(PeerId peer, std::vector<Multiaddr> addresses, Duration limit) {
    ICL_CO_TRY(core_->usable());
    co_return co_await core_->dial(std::move(peer), std::move(addresses), limit);
}

void BridgeHost::disconnect(const PeerId& peer) {
    if (core_->closed) return;
    const auto told =
        bridge_result(bridge(icl_p2p_disconnect, core_->host.get(), to_slice(peer.bytes())));
    if (!told)
        core_->log->error("disconnect failed peer={} error={}", peer.to_string(),
                          told.error().text);
}

bool BridgeHost::connected(const PeerId& peer) const {
    return core_->connected.contains(peer);
}

std::vector<PeerId> BridgeHost::connected_peers() const {
    std::vector<PeerId> out;
    out.reserve(core_->connected.size());
    for (const auto& [peer, since] : core_->connected) out.push_back(peer);
    return out;
}

void BridgeHost::add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses) {
    core_->book.add(peer, addresses);
    if (core_->closed) return;
    const auto list = address_list(core_->book.of(peer));
    const auto told = bridge_result(
        bridge(icl_p2p_add_addresses, core_->host.get(), to_slice(peer.bytes()), to_slice(list)));
    // Dials do not need the routing table: they get the addresses from the book.
    if (!told)
        core_->log->debug("routing table not told peer={} error={}", peer.to_string(),
                          told.error().text);
}

std::vector<Multiaddr> BridgeHost::known_addresses(const PeerId& peer) const {
    return core_->book.of(peer);
}

std::vector<PeerId> BridgeHost::known_peers() const {
    return core_->book.peers();
}

std::vector<PeerId> BridgeHost::kept_peers() const {
    return core_->book.kept();
}

void BridgeHost::keep_addresses(const PeerId& peer, bool keep) {
    core_->book.keep(peer, keep, connected(peer));
}

Async<std::vector<Multiaddr>> BridgeHost::find_peer(PeerId peer, Duration limit) {
    ICL_CO_TRY(core_->usable());
    co_return co_await core_->find(std::move(peer), limit);
}

Async<StreamPtr> BridgeHost::open(PeerId peer, std::vector<std::string> protocols, Duration limit) {
    ICL_CO_TRY(core_->usable());
    auto what = "opening a stream to " + peer.to_string();
    auto work = core_->open(std::move(peer), std::move(protocols), limit);
    co_return co_await with_deadline<StreamPtr>(core_->world, limit, std::move(what),
                                                std::move(work));
}

void BridgeHost::handle(const std::string& protocol, StreamHandler handler) {
    auto& core = *core_;
    if (core.closed) return;
    const bool known = core.handlers.contains(protocol);
    if (!handler) {
        if (known) bridge(icl_p2p_unaccept, core.host.get(), to_slice(protocol));
        core.handlers.erase(protocol);
        return;
    }
    core.handlers[protocol] = std::move(handler);
    if (known) return;
    const auto accepted = bridge_result(
        bridge(icl_p2p_accept, core.host.get(), to_slice(protocol), kInboundStreamsWaitingMax));
    if (!accepted)
        core.log->error("cannot accept protocol={} error={}", protocol, accepted.error().text);
}

void BridgeHost::subscribe(const std::string& topic, TopicHandler handler) {
    auto& core = *core_;
    if (core.closed) return;
    core.topics[topic] = std::move(handler);
    bridge(icl_p2p_subscribe, core.host.get(), to_slice(topic), &DetachedCall::answered,
           DetachedCall::begin("subscribing to " + topic));
}

void BridgeHost::unsubscribe(const std::string& topic) {
    auto& core = *core_;
    if (core.closed || core.topics.erase(topic) == 0) return;
    bridge(icl_p2p_unsubscribe, core.host.get(), to_slice(topic), &DetachedCall::answered,
           DetachedCall::begin("unsubscribing from " + topic));
}

void BridgeHost::set_topic_validator(const std::string& topic, TopicValidator validator) {
    if (validator) {
        core_->validators[topic] = std::move(validator);
    } else {
        core_->validators.erase(topic);
    }
}

Async<> BridgeHost::publish(std::string topic, Bytes data) {
    auto core = core_;
    ICL_CO_TRY(core->usable());
    auto call = std::make_shared<BridgeCall>(core->executor);
    bridge(icl_p2p_publish, core->host.get(), to_slice(topic), to_slice(data),
           &BridgeCall::answered, call->begin());
    auto answer = co_await BridgeCall::wait(call);
    if (!answer) co_return fail(answer.error());
    co_return ok();
}

std::shared_ptr<void> BridgeHost::on_connection(std::function<void(ConnectionEvent)> listener) {
    return core_->connections.add(std::move(listener));
}

void BridgeHost::on_failure(std::function<void(Error)> listener) {
    core_->failures.push_back(std::move(listener));
}

std::map<std::string, BandwidthTotals> BridgeHost::bandwidth() const {
    return core_->counters->by_protocol;
}

Async<> BridgeHost::close() {
    auto core = core_;
    if (core->closed) co_return ok();
    core->closed = true;
    core->connected.clear();
    core->listening.clear();
    const auto* host = core->host.get();
    auto stopped =
        co_await offload(core->world, [host] { return bridge_result(bridge(icl_p2p_stop, host)); });
    if (!stopped) co_return fail(stopped.error());
    co_return ok();
}

Async<std::size_t> BridgeHost::provide(Bytes key, Duration limit) {
    ICL_CO_TRY(core_->usable());
    co_return co_await core_->provide(std::move(key), limit);
}

Async<std::size_t> BridgeHost::find_providers(Bytes key, std::size_t most, Duration limit,
                                              ProviderHandler found) {
    ICL_CO_TRY(core_->usable());
    co_return co_await core_->find_providers(std::move(key), most, limit, std::move(found));
}

Reachability BridgeHost::reachability() const {
    return core_->reachability;
}

std::uint64_t BridgeHost::streams_refused() const {
    return bridge(icl_p2p_streams_refused, core_->host.get());
}

}  // namespace ipfscluster::net
