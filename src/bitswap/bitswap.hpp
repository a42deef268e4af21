#pragma once
#include "bitswap/client.hpp"
#include "bitswap/fetcher.hpp"
#include "bitswap/frame.hpp"
#include "bitswap/server.hpp"

namespace ipfscluster::bitswap {

/// Streams accepted at once from one peer; further ones are reset.
inline constexpr std::size_t kPeerStreamsMax = 32;
/// Bytes of unfinished messages held at once, and of one peer's; a stream that brings more is
/// reset.
inline constexpr std::size_t kUnfinishedBytesMax = 64 << 20;
inline constexpr std::size_t kPeerUnfinishedBytesMax = 32 << 20;

/// Bitswap 1.2.0 and 1.1.0 over a host: fetches blocks from connected peers and serves ours to
/// them. Owned by main, outlives its sessions; `start` before, `stop` after use; one strand.
class Bitswap final : public Fetcher {
 public:
    Bitswap(World& world, net::Host& host, BlockSupply& supply);

    /// Begins to accept streams.
    void start();
    Async<> stop();

    std::unique_ptr<FetchSession> session() override;
    void announce(const Cid& cid) override;

    std::uint64_t blocks_sent() const { return server_.blocks_sent(); }
    std::uint64_t blocks_received() const { return blocks_received_; }
    /// Blocks that came without being wanted (any more).
    std::uint64_t blocks_unwanted() const { return blocks_unwanted_; }
    std::size_t wants() const { return client_.wants(); }

 private:
    class Session;
    void accept(net::StreamPtr stream);
    asio::awaitable<void> read_stream(net::StreamPtr stream);
    asio::awaitable<void> read_messages(net::Stream& stream, FrameRoom& room);
    void on_message(const PeerId& from, Message message);

    /// What one peer's accepted streams share.
    struct Accepted {
        explicit Accepted(FrameRoom* all) : room(kPeerUnfinishedBytesMax, all) {}
        std::size_t open = 0;
        FrameRoom room;
    };

    World& world_;
    net::Host& host_;
    FrameRoom room_{kUnfinishedBytesMax};
    std::map<PeerId, Accepted> streams_;
    TaskGroup tasks_;
    Client client_;
    Server server_;
    std::shared_ptr<void> connections_;
    std::uint64_t blocks_received_ = 0;
    std::uint64_t blocks_unwanted_ = 0;
};

}  // namespace ipfscluster::bitswap
