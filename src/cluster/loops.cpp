// What a peer does by itself: pings, metrics, expiry, recovery, keeping connected.
#include "base/log.hpp"
#include "cluster/cluster.hpp"
#include "cluster/ping_value.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::cluster {

namespace {
/// Expired pins looked up at once; after a full batch the next follows without a pause.
constexpr std::size_t kExpireBatchMax = 1000;
/// Removals of expired pins under way at once.
constexpr std::size_t kExpireAtOnce = 64;
/// How often readiness is tried again, and loops wait before READY.
constexpr Duration kReadyRetry = std::chrono::milliseconds(100);
/// How soon a peer that could not count as alive looks whether it can again.
constexpr Duration kVitalsRetry = std::chrono::seconds(1);
constexpr Duration kReadyLimit = std::chrono::seconds(10);
}  // namespace

asio::awaitable<void> Cluster::life() {
    while (true) {
        auto synced = co_await parts_.log.wait_ready(kReadyLimit);
        if (synced) break;
        if (synced.error().kind == Kind::cancelled) co_return;
        logger("cluster")->info("waiting for the other peers reason=\"{}\"", synced.error().text);
        auto slept = co_await parts_.world.sleep_for(kReadyRetry);
        if (!slept) co_return;
    }
    while (!parts_.ipfs.ready()) {
        auto slept = co_await parts_.world.sleep_for(kReadyRetry);
        if (!slept) co_return;
    }
    ready_ = true;
    ready_signal_.notify_all();
    logger("cluster")->info("this peer is READY peer={} members={}", self().to_string(),
                            parts_.members.peers().size());
    for (auto* informer : parts_.informers) tasks_.spawn(informer_loop(informer));
    tasks_.spawn(ping_loop());
    tasks_.spawn(expiry_loop());
    tasks_.spawn(recover_loop());
    tasks_.spawn(repin_.run());
    tasks_.spawn(room_.run());
    tasks_.spawn(leaves_.run());
}

Async<> Cluster::wait_ready(Duration limit) {
    const auto end =
        parts_.world.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    while (!ready_) {
        const auto left = end - parts_.world.steady_now();
        if (left <= SteadyTime::duration::zero())
            co_return fail(Kind::timeout, "this peer is not ready yet");
        auto woken = co_await with_deadline(parts_.world, left, "readiness", ready_signal_.wait());
        if (!woken && woken.error().kind == Kind::cancelled) co_return woken;
    }
    co_return ok();
}

Async<> Cluster::publish_ping() {
    auto ipfs = co_await parts_.ipfs.id();
    if (ipfs) last_ipfs_ = ipfs.value();
    const Duration ttl = kPingTtlPeriods * options_.ping_interval;
    PingValue value{.peername = options_.peername,
                    .ipfs = last_ipfs_,
                    .ttl = ttl,
                    .outside = options_.fetches_outside};
    Metric ping{.name = "ping", .peer = self(), .value = to_json(value)};
    ping.expire = parts_.world.system_now() + ttl;
    ping.valid = true;
    auto sent = co_await parts_.monitor.publish(std::move(ping));
    co_return sent;
}

asio::awaitable<void> Cluster::ping_loop() {
    bool told = false;
    while (true) {
        // To be counted on, a peer must be able to note what it is told.
        if (const auto alive = vitals_.check(); !alive) {
            if (!std::exchange(told, true))
                logger("cluster")->error("this peer sends no pings any more reason=\"{}\"",
                                         alive.error().text);
            auto slept =
                co_await parts_.world.sleep_for(std::min(options_.ping_interval, kVitalsRetry));
            if (!slept) co_return;
            continue;
        }
        if (std::exchange(told, false)) logger("cluster")->info("this peer sends pings again");
        auto sent = co_await publish_ping();
        if (!sent) {
            if (sent.error().kind == Kind::cancelled) co_return;
            logger("monitor")->warn("a ping could not be sent error=\"{}\"", sent.error().text);
        }
        // Clocks are watched where nothing expires, too.
        if (auto time = clocks_.time(); !time)
            logger("cluster")->debug("the cluster's time is not known reason=\"{}\"",
                                     time.error().text);
        auto slept = co_await parts_.world.sleep_for(options_.ping_interval);
        if (!slept) co_return;
    }
}

/// True when every metric was valid.
Async<bool> Cluster::publish_metrics(component::Informer* informer) {
    auto metrics = co_await informer->metrics();
    // An informer has no error to tell of a cancellation with.
    ICL_CO_TRY(co_await check_cancelled());
    bool all_valid = true;
    for (auto& metric : metrics) {
        metric.peer = self();
        metric.expire = parts_.world.system_now() + informer->ttl();
        all_valid = all_valid && metric.valid;
        ICL_CO_TRY(co_await parts_.monitor.publish(std::move(metric)));
    }
    co_return all_valid;
}

asio::awaitable<void> Cluster::informer_loop(component::Informer* informer) {
    while (true) {
        auto published = co_await publish_metrics(informer);
        if (!published) {
            if (published.error().kind == Kind::cancelled) co_return;
            logger("monitor")->warn("metrics could not be sent informer={} error=\"{}\"",
                                    informer->name(), published.error().text);
        }
        const bool good = published && published.value();
        auto slept = co_await parts_.world.sleep_for(informer->ttl() / (good ? 2 : 4));
        if (!slept) co_return;
    }
}

Async<> Cluster::send_metrics() {
    for (auto* informer : parts_.informers) {
        ICL_CO_TRY(co_await publish_metrics(informer));
    }
    co_return ok();
}

asio::awaitable<void> Cluster::expire_one(Cid cid, Time now, std::shared_ptr<Expiries> out) {
    const auto rank = parts_.duty.rank(cid);
    if (!rank) co_return;
    // Those who come before this peer have their time first.
    const auto waited = static_cast<std::int64_t>(*rank) * options_.duty_delay;
    auto removed = co_await pinner_.expire(cid, now - waited);
    if (!removed) {
        // `conflict`: others are at it.
        if (removed.error().kind != Kind::conflict) out->failure = removed.error();
    } else if (removed.value()) {
        ++out->removed;
        logger("cluster")->info("a pin has expired and was removed cid={}", cid.to_string());
    }
}

Async<bool> Cluster::expire_once() {
    // Not by this peer's own clock: what expires is gone for good.
    const auto known = clocks_.time();
    if (!known) {
        logger("cluster")->debug("nothing expires now reason=\"{}\"", known.error().text);
        co_return false;
    }
    const auto now = known.value();
    ICL_CO_TRY(auto due, parts_.state.expired(now, kExpireBatchMax));
    // Shared, as a removal may end after this has been cancelled.
    const auto done = std::make_shared<Expiries>();
    // Some at a time, which one synced batch of the log can carry.
    for (std::size_t at = 0; at < due.size() && !done->failure; at += kExpireAtOnce) {
        std::vector<asio::awaitable<void>> removals;
        for (auto i = at; i < std::min(due.size(), at + kExpireAtOnce); ++i)
            removals.push_back(expire_one(due[i], now, done));
        ICL_CO_TRY(co_await run_all(std::move(removals)));
    }
    if (done->failure) co_return fail(*done->failure);
    // Without any removed the same batch would come again.
    co_return done->removed > 0 && due.size() == kExpireBatchMax;
}

Async<> Cluster::expire_all() {
    while (parts_.duty.may_act()) {
        ICL_CO_TRY(auto more, co_await expire_once());
        if (!more) break;
        co_await asio::post(parts_.world.executor(), asio::use_awaitable);
        ICL_CO_TRY(co_await check_cancelled());
    }
    co_return ok();
}

asio::awaitable<void> Cluster::expiry_loop() {
    while (true) {
        if (!options_.follower) {
            auto done = co_await expire_all();
            if (!done) {
                if (done.error().kind == Kind::cancelled) co_return;
                logger("cluster")->warn("expired pins could not be removed error=\"{}\"",
                                        done.error().text);
            }
        }
        // A peer that has just become ready has heard few clocks yet: it need not wait so long.
        const auto pause = clocks_.time()
                               ? options_.state_sync_interval
                               : std::min(options_.state_sync_interval, options_.ping_interval);
        auto slept = co_await parts_.world.sleep_for(pause);
        if (!slept) co_return;
    }
}

asio::awaitable<void> Cluster::recover_loop() {
    while (true) {
        std::size_t queued = 0;
        auto rows = parts_.tracker.recover_lost();
        while (true) {
            auto row = co_await rows->next();
            if (!row) {
                if (row.error().kind == Kind::cancelled) co_return;
                logger("cluster")->warn("recovery stopped early error=\"{}\"", row.error().text);
                break;
            }
            if (!row.value()) break;
            ++queued;
        }
        if (queued > 0) logger("cluster")->info("recovery queued pins again count={}", queued);
        auto slept = co_await parts_.world.sleep_for(options_.pin_recover_interval);
        if (!slept) co_return;
    }
}

Async<> Cluster::learn_addresses(PeerId peer) {
    // The routing table of the network first, then what other members know.
    auto found = co_await parts_.host.find_peer(peer, options_.dial_timeout);
    if (found && !found.value().empty()) {
        parts_.host.add_addresses(peer, found.value());
        co_return ok();
    }
    if (!found && found.error().kind == Kind::cancelled) co_return fail(found.error());
    for (const auto& member : parts_.members.known()) {
        if (member == self() || member == peer || !parts_.host.connected(member)) continue;
        auto info = co_await parts_.peers.id(member);
        if (!info) {
            if (info.error().kind == Kind::cancelled) co_return fail(info.error());
            continue;
        }
        std::vector<Multiaddr> known;
        for (const auto& address : info.value().cluster_peers_addresses)
            if (address.peer_id() == peer) known.push_back(address.without_peer());
        if (known.empty()) continue;
        parts_.host.add_addresses(peer, known);
        co_return ok();
    }
    co_return fail(Kind::not_found, "no connected member knows where it is");
}

asio::awaitable<void> Cluster::connect_loop() {
    while (true) {
        const auto known = parts_.members.known();
        parts_.monitor.expect(known);
        std::erase_if(pings_, [&](const auto& ping) {
            return std::find(known.begin(), known.end(), ping.first) == known.end();
        });
        pinner_.forget_others(known);
        for (const auto& peer : known) {
            if (peer == self() || parts_.host.connected(peer)) continue;
            const std::vector<Multiaddr> as_known;
            auto connected = co_await parts_.host.connect(peer, as_known, options_.dial_timeout);
            if (connected) continue;
            if (connected.error().kind == Kind::cancelled) co_return;
            logger("cluster")->debug("a member cannot be reached peer={} error=\"{}\"",
                                     peer.to_string(), connected.error().text);
            auto learned = co_await learn_addresses(peer);
            if (!learned && learned.error().kind == Kind::cancelled) co_return;
        }
        auto slept = co_await parts_.world.sleep_for(options_.peer_watch_interval);
        if (!slept) co_return;
    }
}

}  // namespace ipfscluster::cluster
