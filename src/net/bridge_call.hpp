#pragma once
#include <icl_p2p.h>

#include <atomic>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "runtime/async.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::net {

/// The library is not instrumented for ThreadSanitizer, which sees its memory calls but none of its
/// locks and would report every hand-over inside it. So its code is not watched: neither its
/// threads nor our calls into it. Our own code is watched everywhere: each callback of ours holds
/// one of these. Nothing in other builds.
class WatchedCode {
 public:
    WatchedCode();
    ~WatchedCode();
    WatchedCode(const WatchedCode&) = delete;
    WatchedCode& operator=(const WatchedCode&) = delete;

 private:
    [[maybe_unused]] bool before_ = false;
};
/// Held during a call into the library.
class LibraryCode {
 public:
    LibraryCode();
    ~LibraryCode();
    LibraryCode(const LibraryCode&) = delete;
    LibraryCode& operator=(const LibraryCode&) = delete;

 private:
    [[maybe_unused]] bool before_ = false;
};
/// Calls a function of the library: `bridge(icl_p2p_stop, host)`.
template <class F, class... Args>
auto bridge(F function, Args... args) {
    const LibraryCode code;
    return function(args...);
}
/// To be called before the library makes its first thread; may be repeated.
void prepare_bridge_threads();

struct FreeBridgeStream {
    void operator()(icl_stream* stream) const { bridge(icl_stream_free, stream); }
};
using BridgeStreamPtr = std::unique_ptr<icl_stream, FreeBridgeStream>;

inline icl_slice to_slice(BytesView bytes) {
    return {as_uchar(bytes), bytes.size()};
}
inline BytesView to_view(const icl_buffer& buffer) {
    return {reinterpret_cast<const char*>(buffer.ptr), buffer.len};
}

/// The Error for a negative status of the bridge.
Error bridge_error(std::int32_t status, BytesView text);
/// Result of a call that answers with a status and leaves its text with the thread.
Result<> bridge_result(std::int32_t status);

/// Items of the bridge's list form (4 byte little-endian length and bytes, repeated).
Bytes encode_list(const std::vector<Bytes>& items);
std::vector<Bytes> decode_list(BytesView list);

/// What an operation of the bridge answered.
struct BridgeAnswer {
    std::int32_t status = 0;
    std::size_t count = 0;
    BridgeStreamPtr stream;
    Bytes detail;
};

/// One asynchronous call into the bridge. Its callback may fire on any thread, also before the call
/// has returned; it only stores the answer and posts. `buffer` is lent to the call and lives until
/// then, also when nobody waits any more.
///
///     auto call = std::make_shared<BridgeCall>(executor);
///     icl_p2p_listen(host, address, &BridgeCall::answered, call->begin());
///     ICL_CO_TRY(auto answer, co_await BridgeCall::wait(call));
class BridgeCall : public std::enable_shared_from_this<BridgeCall> {
 public:
    explicit BridgeCall(asio::any_io_executor executor)
        : ended_(executor), executor_(std::move(executor)) {}

    Bytes buffer;

    /// The context for the callback; the call owns itself until the callback has fired.
    void* begin();
    static void answered(void* ctx, std::int32_t status, std::size_t count, icl_stream* stream,
                         icl_slice detail);
    /// The answer of a good status, otherwise its error; `cancelled` when the awaiting coroutine
    /// is.
    static Async<BridgeAnswer> wait(std::shared_ptr<BridgeCall> call);

 private:
    enum Phase { calling, left, done };

    Signal ended_;
    asio::any_io_executor executor_;
    // Also orders the memory of the two threads: the library between them may not be instrumented.
    std::atomic<Phase> phase_{calling};
    bool posted_ = false;
    BridgeAnswer answer_;
    std::shared_ptr<BridgeCall> self_;
};

}  // namespace ipfscluster::net
