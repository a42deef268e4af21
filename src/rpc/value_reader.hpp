#pragma once
#include <optional>

#include "codec/msgpack.hpp"
#include "net/host.hpp"

namespace ipfscluster::rpc {

/// Cuts a byte stream into MessagePack values. Lives no longer than the stream; one caller at a
/// time.
class ValueReader {
 public:
    /// `idle_limit`: longest wait for more bytes of the peer.
    ValueReader(World& world, net::Stream& stream, Duration idle_limit)
        : world_(world), stream_(stream), idle_limit_(idle_limit) {}

    /// One whole value, valid until the next call; nothing at the clean end between values.
    /// `corrupt` when the stream ends inside a value or the value is longer than `bytes_max`;
    /// `timeout` after an idle wait (the stream is reset then), otherwise the stream's error.
    Async<std::optional<BytesView>> next(std::size_t bytes_max);
    void set_idle_limit(Duration limit) { idle_limit_ = limit; }

 private:
    World& world_;
    net::Stream& stream_;
    Duration idle_limit_;
    Bytes buffer_;
    std::size_t at_ = 0;  ///< consumed bytes of the buffer
};

/// True when the running coroutine has been cancelled; for coroutines that do not throw then.
asio::awaitable<bool> is_cancelled();

}  // namespace ipfscluster::rpc
