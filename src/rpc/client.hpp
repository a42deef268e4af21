#pragma once
#include <string>
#include <vector>

#include "rpc/raw_call.hpp"
#include "rpc/stream_call.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::rpc {

/// Streams we keep open to one peer at most; further calls wait.
inline constexpr std::size_t kRpcStreamsPerPeerMax = 256;

/// Calls methods of other peers; a peer does not call itself. Owned by main, outlives everything
/// that calls, needs no stop; one strand.
///
/// Delivery of failures: `unavailable`, `unsupported`, `denied` and `retryable` – nothing was
/// carried out; `unknown_outcome` – the request was sent and no answer came; any other kind – the
/// other side answered, and the text is its own.
class Client {
 public:
    Client(World& world, net::Host& host);

    template <class Reply, class Arg>
    Async<Reply> call(PeerId peer, ServiceId id, Arg arg, CallOptions options = {});

    /// The items of a call whose few arguments are known from the start. Nothing is sent before the
    /// first `next`.
    template <class Item, class Arg>
    SourcePtr<Item> stream(PeerId peer, ServiceId id, std::vector<Arg> args,
                           CallOptions options = {});

    /// A call whose arguments come over time.
    template <class Arg, class Item>
    Async<std::unique_ptr<StreamCall<Arg, Item>>> open_stream(PeerId peer, ServiceId id,
                                                              CallOptions options = {});

    /// Peers with streams of ours.
    std::size_t callees() const { return slots_.peers(); }

 private:
    template <class Item>
    friend class RemoteSource;

    /// Opens a stream and sends `head` on it.
    Async<std::unique_ptr<RawCall>> open(PeerId peer, ServiceId id, CallOptions options);
    Async<Bytes> call_bytes(PeerId peer, ServiceId id, Bytes request, CallOptions options);

    World& world_;
    net::Host& host_;
    Slots slots_;
};

}  // namespace ipfscluster::rpc

#include "rpc/client.ipp"
