// What surrounds the pins: identity, repository, swarm, configuration.
#include "ipfs/http/http_connector.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "dag/path_resolver.hpp"

namespace ipfscluster::ipfshttp {
namespace {

class GcSource final : public Source<RepoGcKey> {
 public:
    GcSource(KuboClient& client, KuboCall call, Duration whole)
        : client_(client), call_(std::move(call)), whole_(whole) {}

    Async<std::optional<RepoGcKey>> next() override {
        const auto now = client_.world().steady_now();
        if (!stream_) {
            end_ = now + std::chrono::duration_cast<SteadyTime::duration>(whole_);
            ICL_CO_TRY(stream_, co_await client_.open(call_));
        } else if (whole_.count() > 0) {
            if (now >= end_)
                co_return fail(Kind::timeout,
                               "repo/gc: not done within " + format_go_duration(whole_));
            stream_->set_limit(end_ - now);
        }
        ICL_CO_TRY(auto line, co_await stream_->next_line());
        if (!line) co_return std::optional<RepoGcKey>{};
        auto row = parse_gc_row(*line);
        if (!row) co_return fail(row.error().in("repo/gc"));
        co_return std::optional<RepoGcKey>(std::move(row).value());
    }

 private:
    KuboClient& client_;
    KuboCall call_;
    Duration whole_;
    SteadyTime end_{};
    KuboStreamPtr stream_;
};

/// Each pin that may run has a connection; what is done beside them never waits for one of those.
KuboClientOptions client_options(const HttpConnectorOptions& options) {
    auto client = options.client;
    const auto pins = static_cast<std::size_t>(std::max(options.concurrent_pins, 1));
    client.connections_max = pins + component::kSlowPinsMax + kConnectionsBesidePins;
    return client;
}

}  // namespace

Result<std::unique_ptr<HttpConnector>> HttpConnector::make(World& world,
                                                           HttpConnectorOptions options) {
    auto where = http::client_config_for(options.node);
    if (!where) return fail(where.error().in("ipfs_connector.ipfshttp.node_multiaddress"));
    for (const auto& part : options.node.components())
        where.value().tls = where.value().tls || part.protocol == "tls" || part.protocol == "https";
    return std::unique_ptr<HttpConnector>(
        new HttpConnector(world, std::move(where).value(), std::move(options)));
}

HttpConnector::HttpConnector(World& world, http::ClientConfig where, HttpConnectorOptions options)
    : world_(world),
      options_(std::move(options)),
      client_(world, std::move(where), client_options(options_),
              {.back = [this] { tell_changed(); },
               .answered = [this](Duration took) { note_answer(took); }}),
      limit_(options_.concurrent_pins),
      origins_changed_(world.executor()),
      tasks_(world, "ipfshttp") {}

HttpConnector::~HttpConnector() = default;

Async<> HttpConnector::start() {
    logger("ipfshttp")->info("the IPFS daemon is expected at {}", options_.node.to_string());
    client_.start();
    co_return ok();
}

Async<> HttpConnector::stop() {
    ICL_CO_TRY(co_await tasks_.stop());
    ICL_CO_TRY(co_await client_.stop());
    co_return ok();
}

KuboCall HttpConnector::request(std::string path) const {
    KuboCall call;
    call.path = std::move(path);
    call.patience.limit = options_.request_timeout;
    return call;
}

Async<IpfsId> HttpConnector::id() {
    const auto& breaker = client_.breaker();
    if (!breaker.closed())
        co_return fail(Kind::unavailable, "the IPFS daemon is away: " + breaker.reason());
    if (client_.identity()) co_return *client_.identity();
    ICL_CO_TRY(const auto body, co_await client_.fetch(request("id")));
    auto parsed = parse_id(body);
    if (!parsed) co_return fail(parsed.error().in("id"));
    co_return parsed;
}

Async<RepoStat> HttpConnector::repo_stat() {
    auto call = request("repo/stat");
    call.arguments.emplace_back("size-only", "true");
    ICL_CO_TRY(const auto body, co_await client_.fetch(std::move(call)));
    auto parsed = parse_repo_stat(body);
    if (!parsed) co_return fail(parsed.error().in("repo/stat"));
    co_return parsed;
}

SourcePtr<RepoGcKey> HttpConnector::repo_gc() {
    auto call = request("repo/gc");
    call.arguments.emplace_back("stream-errors", "true");
    call.patience = {.limit = options_.repogc_timeout, .gives_up = false};
    return std::make_unique<GcSource>(client_, std::move(call), options_.repogc_timeout);
}

Async<> HttpConnector::connect_one(Multiaddr address) {
    auto call = request("swarm/connect");
    call.arguments.emplace_back("arg", address.to_string());
    ICL_CO_TRY(co_await client_.fetch(std::move(call)));
    co_return ok();
}

Async<> HttpConnector::swarm_connect(std::vector<Multiaddr> addresses) {
    // The daemon stops at the first address that fails, so each is a call of its own.
    std::optional<Error> failed;
    bool connected = addresses.empty();
    for (const auto& address : addresses) {
        auto one = co_await connect_one(address);
        if (one) {
            connected = true;
            continue;
        }
        const auto kind = one.error().kind;
        if (kind == Kind::cancelled || kind == Kind::unavailable) co_return one;
        failed = one.error();
    }
    if (!connected) co_return fail(std::move(*failed));
    co_return ok();
}

Async<std::vector<PeerId>> HttpConnector::swarm_peers() {
    ICL_CO_TRY(const auto body, co_await client_.fetch(request("swarm/peers")));
    auto parsed = parse_swarm_peers(body);
    if (!parsed) co_return fail(parsed.error().in("swarm/peers"));
    co_return parsed;
}

Async<Cid> HttpConnector::resolve(std::string path) {
    // A bare CID needs no daemon.
    const auto simple = dag::parse_ipfs_path(path);
    if (simple && simple.value().segments.empty()) co_return simple.value().root;
    if (!simple && simple.error().kind == Kind::invalid) co_return fail(simple.error());
    auto call = request("resolve");
    call.arguments.emplace_back("arg", path.starts_with('/') ? path : "/ipfs/" + path);
    ICL_CO_TRY(const auto body, co_await client_.fetch(std::move(call)));
    auto parsed = parse_resolve(body);
    if (!parsed) co_return fail(parsed.error().in("resolve"));
    co_return parsed;
}

void HttpConnector::count_operations(std::size_t count) {
    if (options_.informer_trigger_interval <= 0 || !options_.trigger_informers) return;
    operations_ += static_cast<std::int64_t>(count);
    if (operations_ < options_.informer_trigger_interval) return;
    operations_ = 0;
    options_.trigger_informers();
}

}  // namespace ipfscluster::ipfshttp
