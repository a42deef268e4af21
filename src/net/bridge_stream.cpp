#include "net/bridge_stream.hpp"

#include <algorithm>

namespace ipfscluster::net {

namespace {
/// First size of a read buffer; it doubles up to kStreamChunkMax while reads fill it.
constexpr std::size_t kReadRoomMin = 2 * 1024;

/// The answer of a call on a stream. A cancelled caller resets the stream: what was under way
/// cannot be taken back. The handle stays alive with its owner, who is this coroutine's object.
Async<BridgeAnswer> finish(std::shared_ptr<BridgeCall> call, icl_stream* stream) {
    auto answer = co_await BridgeCall::wait(std::move(call));
    if (!answer && answer.error().kind == Kind::cancelled) bridge(icl_stream_reset, stream);
    // To the owner of a stream a host that has stopped is a lost connection.
    if (!answer && answer.error().kind == Kind::shutting_down)
        co_return fail(Kind::unavailable, answer.error().text);
    co_return answer;
}
}  // namespace

OutboundPlace::OutboundPlace(std::shared_ptr<StreamCounters> counters, PeerId peer)
    : counters_(std::move(counters)), peer_(std::move(peer)) {
    ++counters_->outbound[peer_];
}

OutboundPlace::~OutboundPlace() {
    if (!counters_) return;  // moved from, or an inbound stream
    const auto found = counters_->outbound.find(peer_);
    if (--found->second == 0) counters_->outbound.erase(found);
    counters_->outbound_ended.notify_all();
}

BridgeStream::BridgeStream(asio::any_io_executor executor, BridgeStreamPtr stream, PeerId remote,
                           std::string protocol, std::shared_ptr<StreamCounters> counters,
                           OutboundPlace place)
    : executor_(std::move(executor)),
      stream_(std::move(stream)),
      remote_(std::move(remote)),
      protocol_(std::move(protocol)),
      counters_(std::move(counters)),
      totals_(counters_->by_protocol[protocol_]),
      place_(std::move(place)),
      room_(kReadRoomMin) {
    ++counters_->live[remote_];
}

BridgeStream::~BridgeStream() {
    const auto found = counters_->live.find(remote_);
    if (--found->second == 0) counters_->live.erase(found);
}

Async<Bytes> BridgeStream::read(std::size_t max) {
    if (max == 0) co_return fail(Kind::invalid, "stream read: no room given");
    const auto room = std::min({max, room_, kStreamChunkMax});
    auto call = std::make_shared<BridgeCall>(executor_);
    call->buffer.resize(room);
    auto* out = reinterpret_cast<std::uint8_t*>(call->buffer.data());
    bridge(icl_stream_read, stream_.get(), out, room, &BridgeCall::answered, call->begin());
    auto answer = co_await finish(call, stream_.get());
    if (!answer) co_return fail(answer.error());
    const auto count = answer.value().count;
    if (count == room_ && room_ < kStreamChunkMax) room_ *= 2;
    totals_.bytes_in += count;
    call->buffer.resize(count);
    co_return std::move(call->buffer);
}

Async<> BridgeStream::write(Bytes data) {
    auto call = std::make_shared<BridgeCall>(executor_);
    call->buffer = std::move(data);
    bridge(icl_stream_write, stream_.get(), as_uchar(call->buffer), call->buffer.size(),
           &BridgeCall::answered, call->begin());
    auto answer = co_await finish(call, stream_.get());
    if (!answer) co_return fail(answer.error());
    totals_.bytes_out += answer.value().count;
    co_return ok();
}

Async<> BridgeStream::close_write() {
    auto call = std::make_shared<BridgeCall>(executor_);
    bridge(icl_stream_close_write, stream_.get(), &BridgeCall::answered, call->begin());
    auto answer = co_await finish(call, stream_.get());
    if (!answer) co_return fail(answer.error());
    co_return ok();
}

}  // namespace ipfscluster::net
