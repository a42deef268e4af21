#pragma once
#include "rpc/frame.hpp"
#include "rpc/slots.hpp"
#include "rpc/value_reader.hpp"

namespace ipfscluster::rpc {

/// How long a call may take and how large an answer may be.
struct CallOptions {
    /// Unary: the whole call. Streams: opening it and each wait for the next item or for room to
    /// send.
    Duration limit = std::chrono::seconds(30);
    std::size_t reply_bytes_max = codec::kMsgpackBytesMax;
};

/// The calling end of one stream, in bytes. Used through Client.
class RawCall {
 public:
    RawCall(World& world, net::StreamPtr stream, Slots::Slot slot, ServiceId id,
            CallOptions options);

    /// Sends bytes; when the other side has failed already, its error.
    Async<> send(Bytes bytes);
    Async<> close_send();
    /// The body of the next response, valid until the next call; nothing at the clean end.
    Async<std::optional<BytesView>> next();

 private:
    /// A failure after something was sent: nobody knows what the other side did with it.
    Error unknown(const Error& cause) const;

    World& world_;
    Slots::Slot slot_;
    net::StreamPtr stream_;
    ServiceId id_;
    CallOptions options_;
    ValueReader reader_;
};

}  // namespace ipfscluster::rpc
