#pragma once
#include <functional>
#include <memory>

#include "base/bytes.hpp"
#include "http/message.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::http {

class Connection;

/// Largest piece `read_body` gives.
inline constexpr std::size_t kBodyPieceMax = 64 * 1024;

/// One request and its answer, as a handler sees it. Owned by the connection, valid until the
/// handler returns. One strand. Reading the body and writing the answer may go on concurrently, in
/// two coroutines, one operation each at a time. When the client disconnects the handler is
/// cancelled.
class Exchange {
 public:
    explicit Exchange(Connection& connection) : connection_(connection) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    Request request;
    /// Fields every kind of answer to this request carries; set before answering.
    Headers headers;

    /// The next piece of the request body, at least one byte and at most kBodyPieceMax; empty at
    /// its end. `corrupt` when it is truncated or malformed, `cancelled` when the client stalls.
    /// Sends `100 Continue` first where the client waits for it.
    Async<Bytes> read_body();
    /// The whole body. Longer than `limit`: `invalid`, and `body_too_large` says so.
    Async<Bytes> read_whole_body(std::size_t limit);
    bool body_too_large() const { return body_too_large_; }

    /// Sends a complete answer. `body` is left out for HEAD, 204 and 304.
    Async<> respond(int status, std::string_view content_type, Bytes body);
    Async<> respond_empty(int status) { return respond(status, {}, {}); }
    /// A complete answer whose body of `length` bytes follows by `write`, ended by `finish`.
    Async<> start_sized(int status, std::string content_type, std::uint64_t length);

    /// Begins a chunked answer (close-delimited for HTTP/1.0). Nothing is sent until the first
    /// `write`, `flush` or `finish`. Trailers must be declared in `headers` ("Trailer:
    /// X-Stream-Error").
    void start(int status, std::string_view content_type);
    /// Appends to the answer; sent at once when more than kWriteBufferMax is held back, else with
    /// `flush`.
    Async<> write(Bytes piece);
    Async<> flush();
    /// Adds a trailer field, sent by `finish`. Line breaks in `value` become spaces.
    void add_trailer(std::string_view name, std::string_view value);
    /// Ends a started answer.
    Async<> finish();

    bool started() const { return status_ != 0; }
    bool finished() const { return finished_; }
    int status() const { return status_; }
    /// Bytes of answer body sent or buffered.
    std::uint64_t body_bytes() const { return body_bytes_; }
    /// The connection closes after this answer.
    void close_after() { close_ = true; }

    /// Most answer bytes held back by `write`.
    static constexpr std::size_t kWriteBufferMax = 32 * 1024;

 private:
    friend class Connection;
    void reset();
    void put_head(int status, std::string_view content_type);
    bool bodyless() const;
    void append(BytesView piece);
    void seal_chunk();
    void schedule_flush();
    void flush_now();
    Async<> send_pending();

    Connection& connection_;
    Headers trailers_;
    std::string out_;              ///< head and body bytes not yet sent
    std::size_t sent_ = 0;         ///< of `out_`, by flush_now
    std::size_t chunk_at_ = npos;  ///< where the open chunk's size will be patched in
    std::uint64_t body_bytes_ = 0;
    std::uint64_t length_left_ = 0;
    int status_ = 0;
    bool chunked_ = false;
    bool sized_ = false;
    bool head_sent_ = false;
    bool writing_ = false;
    bool flush_posted_ = false;
    bool finished_ = false;
    bool failed_ = false;
    bool close_ = false;
    bool body_too_large_ = false;
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

/// Answers one request. An error it returns before answering becomes a 500; after it has started,
/// the connection is cut so that the client sees a truncated answer, never a complete one.
using Handler = std::function<Async<>(Exchange&)>;

}  // namespace ipfscluster::http
