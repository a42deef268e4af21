#pragma once
#include <optional>

#include "bitswap/message.hpp"
#include "net/host.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::bitswap {

/// A message that began must be whole within this time.
inline constexpr std::chrono::seconds kMessageStallMax{60};

/// A reader between two messages keeps a buffer of at most this size.
inline constexpr std::size_t kIdleBufferBytesMax = 256 * 1024;

/// Bounds the bytes that several readers hold of unfinished messages. Owned by who makes the
/// readers, outlives them; one strand.
class FrameRoom {
 public:
    /// What is taken here counts in `outer` as well, which outlives this.
    explicit FrameRoom(std::size_t max, FrameRoom* outer = nullptr) : max_(max), outer_(outer) {}
    /// False, and nothing taken, when it would be too much.
    bool take(std::size_t bytes);
    void give(std::size_t bytes);
    std::size_t used() const { return used_; }

 private:
    std::size_t max_;
    FrameRoom* outer_;
    std::size_t used_ = 0;
};

/// Reads messages from one stream. Owned by the stream's task; one strand.
class FrameReader {
 public:
    /// `room`: where the bytes it holds count; null: nowhere.
    FrameReader(World& world, net::Stream& stream, FrameRoom* room = nullptr)
        : world_(world), stream_(stream), room_(room) {}
    ~FrameReader();
    FrameReader(const FrameReader&) = delete;
    FrameReader& operator=(const FrameReader&) = delete;

    /// The next message; nothing at the clean end. `corrupt` for bytes that are none, `timeout` for
    /// one that stalls, `retryable` when there is no room for it.
    Async<std::optional<Message>> next();
    /// Bytes its buffer takes.
    std::size_t capacity() const { return buffer_.capacity(); }

 private:
    /// Reads until `bytes` are buffered; false at the end of the stream.
    Async<bool> fill(std::size_t bytes);
    void drop_consumed();

    World& world_;
    net::Stream& stream_;
    FrameRoom* room_;
    Bytes buffer_;
    std::size_t at_ = 0;  // consumed
};

}  // namespace ipfscluster::bitswap
