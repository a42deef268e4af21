#pragma once
#include <optional>

#include "exchange/message.hpp"
#include "net/host.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::exchange {

/// A message that began must be whole within this time.
inline constexpr std::chrono::seconds kMessageStallMax{60};

/// Reads messages from one stream. Owned by the stream's task; one strand.
class FrameReader {
 public:
    FrameReader(World& world, net::Stream& stream) : world_(world), stream_(stream) {}
    /// The next message; nothing at the clean end. `corrupt` for bytes that are none, `timeout` for
    /// one that stalls.
    Async<std::optional<Message>> next();

 private:
    /// Reads until `bytes` are buffered; false at the end of the stream.
    Async<bool> fill(std::size_t bytes);

    World& world_;
    net::Stream& stream_;
    Bytes buffer_;
    std::size_t at_ = 0;  // consumed
};

}  // namespace ipfscluster::exchange
