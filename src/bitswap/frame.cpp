#include "bitswap/frame.hpp"

#include "base/varint.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::bitswap {

bool FrameRoom::take(std::size_t bytes) {
    if (bytes > max_ - used_ || (outer_ != nullptr && !outer_->take(bytes))) return false;
    used_ += bytes;
    return true;
}

void FrameRoom::give(std::size_t bytes) {
    used_ -= bytes;
    if (outer_ != nullptr) outer_->give(bytes);
}

FrameReader::~FrameReader() {
    if (room_ != nullptr) room_->give(buffer_.size());
}

void FrameReader::drop_consumed() {
    if (room_ != nullptr) room_->give(at_);
    buffer_.erase(0, at_);
    at_ = 0;
    const bool roomy = buffer_.capacity() > kIdleBufferBytesMax;
    if (roomy && buffer_.size() < kIdleBufferBytesMax / 2) buffer_.shrink_to_fit();
}

Async<bool> FrameReader::fill(std::size_t bytes) {
    while (buffer_.size() - at_ < bytes) {
        if (at_ > 0) drop_consumed();
        ICL_CO_TRY(const auto piece, co_await stream_.read());
        if (piece.empty()) co_return false;
        if (room_ != nullptr && !room_->take(piece.size()))
            co_return fail(Kind::retryable, "bitswap: too many messages are under way");
        buffer_ += piece;
    }
    co_return true;
}

Async<std::optional<Message>> FrameReader::next() {
    // Long pauses between messages are normal.
    ICL_CO_TRY(const bool begun, co_await fill(1));
    if (!begun) co_return std::optional<Message>{};
    std::uint64_t length = 0;
    while (true) {
        BytesView rest = BytesView(buffer_).substr(at_);
        const auto taken = take_uvarint(rest);
        if (taken) {
            length = taken.value();
            at_ = buffer_.size() - rest.size();
            break;
        }
        if (rest.size() >= kVarintBytesMax) co_return fail(taken.error().in("bitswap message"));
        ICL_CO_TRY(const bool more,
                   co_await with_deadline(world_, kMessageStallMax, "bitswap message",
                                          fill(rest.size() + 1)));
        if (!more) co_return fail(Kind::corrupt, "bitswap message: cut short");
    }
    if (length > kMessageBytesMax)
        co_return fail(Kind::corrupt, "bitswap message: " + std::to_string(length) +
                                          " bytes, at most " + std::to_string(kMessageBytesMax) +
                                          " are accepted");
    ICL_CO_TRY(const bool whole,
               co_await with_deadline(world_, kMessageStallMax, "bitswap message", fill(length)));
    if (!whole) co_return fail(Kind::corrupt, "bitswap message: cut short");
    auto message = decode_message(BytesView(buffer_).substr(at_, length));
    at_ += length;
    if (!message) co_return fail(message.error());
    co_return std::optional<Message>(std::move(message).value());
}

}  // namespace ipfscluster::bitswap
