#pragma once
#include <array>
#include <deque>

#include "net/host.hpp"
#include "net/memory_lanes.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::net {

/// Bytes of one direction that may be on the way or unread; a writer waits beyond.
inline constexpr std::size_t kMemoryWindowMax = 256 * 1024;

/// A simulated stream: what both ends share. End 0 opened it, end 1 accepted it; each end knows
/// only what has reached it over the lanes.
struct MemoryPipe : std::enable_shared_from_this<MemoryPipe> {
    MemoryPipe(World& world, std::shared_ptr<MemoryLanes> wires, PeerId opener, PeerId acceptor,
               std::string name);

    struct End {
        explicit End(asio::any_io_executor executor)
            : readable(executor), writable(std::move(executor)) {}
        std::deque<Bytes> inbox;
        bool ended = false;  ///< the other side closed its direction
        bool lost = false;   ///< reset by either side, or the connection is gone
        bool write_closed = false;
        std::size_t unread = 0;  ///< sent by us, not yet read there
        Signal readable;
        Signal writable;
    };

    /// Marks one end as reset and wakes its operations.
    void lose(std::size_t end);
    /// `lose`, and the other end hears of it.
    void reset(std::size_t end);
    void send(std::size_t from, std::function<void(MemoryPipe&)> deliver, std::size_t bytes = 0);

    std::shared_ptr<MemoryLanes> lanes;
    std::array<PeerId, 2> peers;
    std::string protocol;
    std::array<End, 2> ends;
};

/// One end of a MemoryPipe. Owned by whoever opened or accepted it; the world's strand.
class MemoryStream final : public Stream {
 public:
    MemoryStream(std::shared_ptr<MemoryPipe> pipe, std::size_t end,
                 std::shared_ptr<BandwidthTotals> totals)
        : pipe_(std::move(pipe)), end_(end), totals_(std::move(totals)) {}
    ~MemoryStream() override;

    const PeerId& remote() const override { return pipe_->peers[1 - end_]; }
    const std::string& protocol() const override { return pipe_->protocol; }
    Async<Bytes> read(std::size_t max) override;
    Async<> write(Bytes data) override;
    Async<> close_write() override;
    void reset() override { pipe_->reset(end_); }

 private:
    std::shared_ptr<MemoryPipe> pipe_;
    std::size_t end_;
    std::shared_ptr<BandwidthTotals> totals_;
};

}  // namespace ipfscluster::net
