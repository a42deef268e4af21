#pragma once
#include <functional>
#include <map>
#include <string>

#include "net/host.hpp"
#include "rpc/method.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::rpc {

/// Calls of one peer, and of all, that run here at once; one more is refused.
inline constexpr std::size_t kServerCallsPerPeerMax = 512;
inline constexpr std::size_t kServerCallsMax = 4096;
/// How long a caller may take to say what it calls and to send a unary argument.
inline constexpr Duration kRequestLimit = std::chrono::seconds(30);
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

/// Answers the calls of other peers. Owned by main, registered before `start`. One strand. Handlers
/// must answer `cancelled` when cancelled.
class Server {
 public:
    using Trusted = std::function<bool(const PeerId&)>;
    Server(World& world, net::Host& host, Trusted trusted);

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
    std::size_t running() const { return running_; }

 private:
    struct Queue;

    void add(std::string service, std::string method, std::unique_ptr<Method> entry);
    Method* find_method(const ServiceId& id) const;
    void accept(net::StreamPtr stream);
    asio::awaitable<void> serve(net::StreamPtr stream);
    /// The reason to refuse a call, before its argument is looked at.
    std::optional<std::pair<ErrorType, Error>> check(const ServiceId& id, const PeerId& peer) const;
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
    Trusted trusted_;
    std::map<std::string, std::map<std::string, std::unique_ptr<Method>, std::less<>>, std::less<>>
        services_;
    std::map<PeerId, std::size_t> running_by_peer_;
    std::size_t running_ = 0;
    TaskGroup tasks_;
};

}  // namespace ipfscluster::rpc
