#include "net/bridge_call.hpp"

#include <boost/asio/post.hpp>

#if defined(__SANITIZE_THREAD__)
// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizer's own names
extern "C" void __tsan_ignore_thread_begin();
extern "C" void __tsan_ignore_thread_end();
// NOLINTEND(bugprone-reserved-identifier)
#endif

namespace ipfscluster::net {

#if defined(__SANITIZE_THREAD__)
namespace {
/// Whether the current thread runs code that is not watched.
struct Unwatched {
    bool on = false;
    void set(bool value) {
        if (value == on) return;
        on = value;
        if (on)
            __tsan_ignore_thread_begin();
        else
            __tsan_ignore_thread_end();
    }
    /// A thread must be watched when it ends.
    ~Unwatched() { set(false); }
};
thread_local Unwatched unwatched;

void on_library_thread() {
    unwatched.set(true);
}
}  // namespace

void prepare_bridge_threads() {
    icl_on_thread_start(&on_library_thread);
}
WatchedCode::WatchedCode() : before_(unwatched.on) {
    unwatched.set(false);
}
WatchedCode::~WatchedCode() {
    unwatched.set(before_);
}
LibraryCode::LibraryCode() : before_(unwatched.on) {
    unwatched.set(true);
}
LibraryCode::~LibraryCode() {
    unwatched.set(before_);
}
#else
void prepare_bridge_threads() {}
WatchedCode::WatchedCode() = default;
WatchedCode::~WatchedCode() = default;
LibraryCode::LibraryCode() = default;
LibraryCode::~LibraryCode() = default;
#endif

namespace {
Kind kind_of(std::int32_t status) {
    switch (status) {
        case ICL_CANCELED:
        case ICL_CLOSED:
            return Kind::shutting_down;
        case ICL_NOT_CONNECTED:
        case ICL_RESET:
        case ICL_IO:
        case ICL_DIAL_FAILED:
            return Kind::unavailable;
        case ICL_UNSUPPORTED_PROTOCOL:
        case ICL_UNAVAILABLE:
            return Kind::unsupported;
        case ICL_TIMEOUT:
            return Kind::timeout;
        case ICL_INVALID:
            return Kind::invalid;
        case ICL_EXISTS:
            return Kind::conflict;
        case ICL_WOULD_BLOCK:
            return Kind::retryable;
        case ICL_NOT_FOUND:
            return Kind::not_found;
        case ICL_WRONG_SECRET:
            return Kind::denied;
        default:
            return Kind::internal;
    }
}
}  // namespace

Error bridge_error(std::int32_t status, BytesView text) {
    if (text.empty()) return {kind_of(status), "network: status " + std::to_string(status)};
    return {kind_of(status), Bytes(text)};
}

Result<> bridge_result(std::int32_t status) {
    if (status >= 0) return ok();
    Bytes text(bridge(icl_last_error, nullptr, 0), '\0');
    bridge(icl_last_error, reinterpret_cast<std::uint8_t*>(text.data()), text.size());
    return fail(bridge_error(status, text));
}

Bytes encode_list(const std::vector<Bytes>& items) {
    Bytes out;
    for (const auto& item : items) {
        const auto size = static_cast<std::uint32_t>(item.size());
        for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(size >> shift));
        out += item;
    }
    return out;
}

std::vector<Bytes> decode_list(BytesView list) {
    std::vector<Bytes> out;
    while (list.size() >= 4) {
        std::size_t size = 0;
        for (int i = 3; i >= 0; --i)
            size = size << 8 | static_cast<std::uint8_t>(list[static_cast<std::size_t>(i)]);
        list.remove_prefix(4);
        if (size > list.size()) break;
        out.emplace_back(list.substr(0, size));
        list.remove_prefix(size);
    }
    return out;
}

void* BridgeCall::begin() {
    self_ = shared_from_this();
    phase_.store(calling, std::memory_order_release);
    return this;
}

void BridgeCall::answered(void* ctx, std::int32_t status, std::size_t count, icl_stream* stream,
                          icl_slice detail) {
    const WatchedCode watched;
    auto* raw = static_cast<BridgeCall*>(ctx);
    (void)raw->phase_.load(std::memory_order_acquire);
    auto self = std::move(raw->self_);
    self->answer_.status = status;
    self->answer_.count = count;
    self->answer_.stream.reset(stream);
    if (detail.len != 0)
        self->answer_.detail.assign(reinterpret_cast<const char*>(detail.ptr), detail.len);
    if (self->phase_.exchange(done, std::memory_order_acq_rel) == calling) return;
    auto executor = self->executor_;
    asio::post(executor, [self = std::move(self)] {
        self->posted_ = true;
        self->ended_.notify_all();
    });
}

Async<BridgeAnswer> BridgeCall::wait(std::shared_ptr<BridgeCall> call) {
    if (call->phase_.exchange(left, std::memory_order_acq_rel) != done) {
        while (!call->posted_) {
            auto woken = co_await call->ended_.wait();
            if (!woken) co_return fail(woken.error());
        }
    }
    auto answer = std::move(call->answer_);
    if (answer.status < 0) co_return fail(bridge_error(answer.status, answer.detail));
    co_return std::move(answer);
}

}  // namespace ipfscluster::net
