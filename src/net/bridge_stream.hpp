#pragma once
#include "net/bridge_call.hpp"
#include "net/host.hpp"

namespace ipfscluster::net {

/// What the streams of one host count together. Strand of the host.
struct StreamCounters {
    explicit StreamCounters(asio::any_io_executor executor) : outbound_ended(std::move(executor)) {}

    std::map<std::string, BandwidthTotals> by_protocol;
    /// Streams we are opening or have opened and that still live, by peer.
    std::map<PeerId, std::size_t> outbound;
    Signal outbound_ended;
    /// Open streams in both directions, by peer.
    std::map<PeerId, std::size_t> live;

    std::size_t live_with(const PeerId& peer) const {
        const auto found = live.find(peer);
        return found == live.end() ? 0 : found->second;
    }
    std::size_t outbound_to(const PeerId& peer) const {
        const auto found = outbound.find(peer);
        return found == outbound.end() ? 0 : found->second;
    }
};

/// One outbound stream in the count, from before it is opened until it is destroyed.
class OutboundPlace {
 public:
    OutboundPlace() = default;
    OutboundPlace(std::shared_ptr<StreamCounters> counters, PeerId peer);
    OutboundPlace(OutboundPlace&& other) noexcept = default;
    OutboundPlace& operator=(OutboundPlace&&) = delete;
    ~OutboundPlace();

 private:
    std::shared_ptr<StreamCounters> counters_;
    PeerId peer_;
};

/// A stream of BridgeHost. Reads grow their buffer with what arrives, so idle streams stay small.
class BridgeStream final : public Stream {
 public:
    BridgeStream(asio::any_io_executor executor, BridgeStreamPtr stream, PeerId remote,
                 std::string protocol, std::shared_ptr<StreamCounters> counters,
                 OutboundPlace place);
    ~BridgeStream() override;

    const PeerId& remote() const override { return remote_; }
    const std::string& protocol() const override { return protocol_; }
    Async<Bytes> read(std::size_t max) override;
    Async<> write(Bytes data) override;
    Async<> close_write() override;
    void reset() override { bridge(icl_stream_reset, stream_.get()); }

 private:
    asio::any_io_executor executor_;
    BridgeStreamPtr stream_;
    PeerId remote_;
    std::string protocol_;
    std::shared_ptr<StreamCounters> counters_;
    BandwidthTotals& totals_;
    OutboundPlace place_;
    std::size_t room_;
};

}  // namespace ipfscluster::net
