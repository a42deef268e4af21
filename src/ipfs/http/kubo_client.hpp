#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/client.hpp"
#include "http/ndjson.hpp"
#include "ipfs/http/circuit_breaker.hpp"
#include "ipfs/http/kubo_answers.hpp"
#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::ipfshttp {

/// Connections to the daemon kept idle.
inline constexpr std::size_t kIdleConnectionsMax = 16;

/// What a KuboClient is told besides where the daemon is.
struct KuboClientOptions {
    std::string self;  ///< this peer's name, for "disk full on …"
    BreakerTimes times;
    /// Open at once, without the probe's own; calls beyond wait for one.
    std::size_t connections_max = 64;
    Duration connect_limit = std::chrono::seconds(5);
    /// A call without a byte for this long makes the daemon suspect: it is probed.
    Duration silence = std::chrono::seconds(2);
    /// A probe without an answer after this long has failed.
    Duration probe_limit = std::chrono::seconds(10);
    /// Called whenever the daemon has said who it is.
    std::function<void(const IpfsId&)> on_id;
};

/// What a KuboClient tells its owner.
struct KuboClientEvents {
    std::function<void()> back;              ///< calls go out again after they did not
    std::function<void(Duration)> answered;  ///< how long a probe took: it costs the daemon nothing
};

/// How long a call waits.
struct Patience {
    /// Longest time without a byte of the answer; zero: none.
    Duration limit{};
    /// Gives up as soon as the breaker opens. Without it only `limit` counts: for long work of the
    /// daemon, which a pause does not harm.
    bool gives_up = true;
    /// Somebody further out waits with patience.
    bool kept_outside = false;
};

/// One call of the RPC API.
struct KuboCall {
    std::string path;  ///< "pin/add"
    std::vector<std::pair<std::string, std::string>> arguments;
    Patience patience;
    std::string content_type;  ///< of a streamed request body
    bool streamed = false;
};

class KuboClient;

/// The answer to one call, status 200. Owned by the caller, destroyed before its KuboClient;
/// destroying it before its end closes the connection, which ends the work at the daemon.
class KuboStream {
 public:
    KuboStream(KuboClient& client, http::ClientCallPtr call, KuboCall about);

    /// For a call with a streamed body; then `finish_body`, then `read_head`.
    Async<> write_body(Bytes piece);
    Async<> finish_body();
    /// Waits for the answer; another status than 200 is the daemon's error.
    Async<> read_head();

    /// The next piece; empty at the clean end. An answer that breaks off, or ends with an error in
    /// its trailer, fails.
    Async<Bytes> read();
    /// The next line of an answer of lines; nothing at the clean end.
    Async<std::optional<std::string>> next_line();
    /// From now on.
    void set_limit(Duration limit) { about_.patience.limit = limit; }
    const std::string& path() const { return about_.path; }

 private:
    friend class KuboClient;
    KuboClient& client_;
    http::ClientCallPtr call_;
    KuboCall about_;
    http::LineSplitter lines_{kLineBytesMax};
    bool ended_ = false;
};
using KuboStreamPtr = std::unique_ptr<KuboStream>;

/// Kubo's RPC API over pooled connections, behind a circuit breaker that probes with `id`. Errors:
/// `unavailable` when the daemon cannot be reached or does not answer, `timeout` past a call's own
/// limit while it does answer others, `corrupt` for an answer that breaks off, and what
/// `daemon_error` makes of the daemon's words. Owned by the connector; one strand; `start` before,
/// `stop` after use.
class KuboClient {
 public:
    KuboClient(World& world, http::ClientConfig config, KuboClientOptions options,
               KuboClientEvents events);

    void start();
    Async<> stop();

    /// Sends a call and waits for the head of its answer.
    Async<KuboStreamPtr> open(KuboCall call);
    /// Sends only the head of a call with a streamed body.
    Async<KuboStreamPtr> begin(KuboCall call);
    /// The whole of a small answer. The limit counts for all of it, not from byte to byte.
    Async<Bytes> fetch(KuboCall call);

    const CircuitBreaker& breaker() const { return breaker_; }
    /// What the daemon last said of itself; nothing before it did.
    const std::optional<IpfsId>& identity() const { return identity_; }
    World& world() { return world_; }
    /// How many probes went out, for tests.
    std::uint64_t probes() const { return probes_; }

 private:
    friend class KuboStream;
    Async<KuboStreamPtr> send_once(KuboCall call);
    Async<Bytes> fetch_whole(KuboCall call);
    asio::awaitable<void> supervise();
    Async<IpfsId> probe();
    /// A connection with the request sent on it; opens the breaker when there is none to be had.
    Async<http::ClientCallPtr> connect(http::ClientRequest request);
    /// Ends `work` with an error once it has waited too long.
    template <class T>
    Async<T> guarded(Patience patience, Async<T> work);
    Async<> alarm(Patience patience);
    void suspect();
    /// Something came from the daemon.
    void answered();
    /// After an answer was cut: `unavailable` when the daemon is gone, else `corrupt`.
    Async<> explain_cut(std::string path, Error error);

    World& world_;
    KuboClientOptions options_;
    KuboClientEvents events_;
    http::Client http_;
    /// One connection, of the probe alone: however many calls wait for one, that says nothing of
    /// the daemon.
    http::Client probe_http_;
    CircuitBreaker breaker_;
    std::optional<IpfsId> identity_;
    Signal changed_;  ///< the breaker: a suspicion, or the end of a probe
    TaskGroup tasks_;
    std::uint64_t probes_ = 0;
};

}  // namespace ipfscluster::ipfshttp
