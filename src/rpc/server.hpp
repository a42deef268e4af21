#pragma once
#include <functional>
#include <map>
#include <string>

#include "net/host.hpp"
#include "net/stream_places.hpp"
#include "rpc/method.hpp"
#include "rpc/refusal_log.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::rpc {

class ValueReader;

/// Calls that run here at once; one more is refused. A peer that is no member asks a few small
/// questions: each of its calls holds no more than a head and an argument of kHeadBytesMax.
inline constexpr net::StreamBounds kServerCalls{
    .per_member = 512, .per_stranger = 16, .strangers = 256, .in_all = 4096, .refusals = 64};
/// How long a caller may take to say what it calls, and then to send a unary argument.
inline constexpr Duration kRequestLimit = std::chrono::seconds(30);
/// The same for one that is no member.
inline constexpr Duration kStrangerRequestLimit = std::chrono::seconds(5);
/// Longest pause between the arguments of a stream: a person's slow upload may be behind it.
inline constexpr Duration kArgumentIdleLimit = std::chrono::minutes(15);
/// A caller that takes none of its answer for this long is given up.
inline constexpr Duration kWriteStallLimit = std::chrono::minutes(2);
/// The same for items of a stream: who merges the lists of several peers reads no further while the
/// slowest of them still compares its pins. A caller that is gone resets the stream.
inline constexpr Duration kItemsStallLimit = std::chrono::minutes(20);
/// How long an answered stream waits for its caller to close.
inline constexpr Duration kLingerLimit = std::chrono::seconds(10);
/// Items that wait for the network in one stream before the handler is held back.
inline constexpr std::size_t kStreamBufferBytesMax = 64 * 1024;

/// Whose calls are served.
struct Trust {
    /// ok: a member; `denied` or `retryable` with the reason why it counts as none. `retryable`: it
    /// may be one of which this peer has not heard.
    std::function<Result<>(const PeerId&)> known;
    /// Finds out about one of those, with the reason that `known` gave; `denied` or `retryable` as
    /// above. Empty: nobody can be asked.
    std::function<Async<>(PeerId, Error)> find_out;
};

/// Answers the calls of other peers. Owned by main, registered before `start`. One strand. Handlers
/// must answer `cancelled` when cancelled.
class Server {
 public:
    Server(World& world, net::Host& host, Trust trust);

    template <class Arg, class Reply>
    void unary(std::string service, std::string method, Policy policy,
               UnaryHandler<Arg, Reply> handler) {
        add(std::move(service), std::move(method),
            std::make_unique<UnaryMethod<Arg, Reply>>(policy, std::move(handler)));
    }
    template <class Arg, class Item>
    void stream(std::string service, std::string method, Policy policy,
                StreamHandler<Arg, Item> handler) {
        add(std::move(service), std::move(method),
            std::make_unique<StreamMethod<Arg, Item>>(policy, std::move(handler)));
    }
    /// Names that no peer may call. They differ from unknown ones in the answer: `denied`.
    void refuse(const std::string& service, std::initializer_list<const char*> methods);

    /// Accepts streams from now on.
    void start();
    /// Accepts no more, cancels the handlers that run and waits for them.
    Async<> stop();

    /// "Cluster.ID" and so on, sorted, with their policy.
    std::vector<std::pair<std::string, Policy>> methods() const;
    std::size_t running() const { return places_.open(); }
    /// Peers with calls that run.
    std::size_t callers() const { return places_.peers(); }
    std::uint64_t refused() const { return refusals_.count(); }

 private:
    struct Queue;

    void add(std::string service, std::string method, std::unique_ptr<Method> entry);
    Method* find_method(const ServiceId& id) const;
    struct Refusal {
        ErrorType type = ErrorType::server;
        Error error;
    };
    void accept(net::StreamPtr stream);
    asio::awaitable<void> serve(net::StreamPtr stream, net::StreamPlaces::Place place);
    /// For a stream that got no place.
    asio::awaitable<void> serve_refusal(net::StreamPtr stream, net::StreamPlaces::Place place);
    /// What a request says that it calls; nothing when it cannot be answered.
    asio::awaitable<std::optional<ServiceId>> read_head(net::Stream* stream, ValueReader* reader,
                                                        Duration limit);
    /// The reason to refuse a call, before its argument is looked at.
    asio::awaitable<std::optional<Refusal>> check(ServiceId id, PeerId peer);
    void note_refusal(const PeerId& peer, const std::string& why);
    asio::awaitable<void> serve_unary(net::Stream* stream, UnaryMethodBase* method, ServiceId id,
                                      Bytes arg);
    asio::awaitable<void> serve_stream(net::Stream* stream, StreamMethodBase* method, ServiceId id,
                                       SourcePtr<Bytes> args);
    asio::awaitable<void> run_unary(net::Stream* stream, UnaryMethodBase* method, ServiceId id,
                                    Bytes arg);
    asio::awaitable<void> produce(Queue* queue, SourcePtr<Bytes> items, ServiceId id);
    asio::awaitable<void> send_queue(Queue* queue, net::Stream* stream);
    asio::awaitable<void> tell_refusal(net::Stream* stream, ServiceId id, ErrorType type,
                                       Error error);

    World& world_;
    net::Host& host_;
    Trust trust_;
    std::map<std::string, std::map<std::string, std::unique_ptr<Method>, std::less<>>, std::less<>>
        services_;
    net::StreamPlaces places_{kServerCalls};
    RefusalLog refusals_;
    TaskGroup tasks_;
};

}  // namespace ipfscluster::rpc
