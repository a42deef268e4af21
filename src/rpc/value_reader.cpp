#include "rpc/value_reader.hpp"

#include <boost/asio/this_coro.hpp>

#include "runtime/task_group.hpp"

namespace ipfscluster::rpc {
namespace {
/// A buffer that grew for one large value is given back.
constexpr std::size_t kBufferKeptMax = 256 * 1024;
}  // namespace

Async<std::optional<BytesView>> ValueReader::next(std::size_t bytes_max) {
    if (at_ == buffer_.size()) {
        buffer_.clear();
        if (buffer_.capacity() > kBufferKeptMax) buffer_.shrink_to_fit();
        at_ = 0;
    }
    codec::Scanner scanner(bytes_max);
    while (true) {
        if (at_ < buffer_.size()) {
            ICL_CO_TRY(const auto size, scanner.scan(BytesView(buffer_).substr(at_)));
            if (size) {
                const auto value = BytesView(buffer_).substr(at_, *size);
                at_ += *size;
                co_return std::optional<BytesView>(value);
            }
        }
        if (at_ > 0) {
            // Only the head of an unfinished value is left: moving it costs little and keeps the
            // buffer small.
            buffer_.erase(0, at_);
            at_ = 0;
        }
        auto more = co_await with_deadline<Bytes>(world_, idle_limit_, "waiting for the peer",
                                                  stream_.read(net::kStreamChunkMax));
        if (!more) co_return fail(more.error());
        if (more.value().empty()) {
            if (buffer_.empty()) co_return std::optional<BytesView>{};
            co_return fail(Kind::corrupt, "the stream ended inside a value");
        }
        if (buffer_.empty())
            buffer_ = std::move(more.value());
        else
            buffer_ += more.value();
    }
}

asio::awaitable<bool> is_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace ipfscluster::rpc
