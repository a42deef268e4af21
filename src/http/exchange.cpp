#include "http/exchange.hpp"

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"
#include "http/connection.hpp"

namespace ipfscluster::http {

namespace {

/// Pieces from here on are sent without being copied behind the head.
constexpr std::size_t kDirectPieceMin = 16 * 1024;
/// "xxxxxxxx\r\n": leading zeros are allowed, so the size can be filled in when the chunk is full.
constexpr std::string_view kChunkHole = "00000000\r\n";

void put_number(std::string& out, std::uint64_t value) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

}  // namespace

void Exchange::reset() {
    request.headers.clear();
    request.user.clear();
    headers.clear();
    trailers_.clear();
    out_.clear();
    if (out_.capacity() > 4 * kWriteBufferMax) out_.shrink_to_fit();
    sent_ = 0;
    chunk_at_ = npos;
    body_bytes_ = length_left_ = 0;
    status_ = 0;
    chunked_ = sized_ = head_sent_ = writing_ = flush_posted_ = false;
    finished_ = failed_ = close_ = body_too_large_ = false;
}

bool Exchange::bodyless() const {
    return request.method == Method::head || status_ == 204 || status_ == 304 || status_ < 200;
}

void Exchange::put_head(int status, std::string_view content_type) {
    ICL_ASSERT(status_ == 0, "a request is answered once");
    status_ = status;
    out_.append(request.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ");
    put_number(out_, static_cast<std::uint64_t>(status));
    out_.push_back(' ');
    out_.append(status_text(status)).append("\r\n");
    headers.write_to(out_);
    if (!content_type.empty()) out_.append("Content-Type: ").append(content_type).append("\r\n");
    out_.append(connection_.date_field());
    if (!connection_.keeps_alive()) {
        close_ = true;
        if (!headers.has("Connection")) out_.append("Connection: close\r\n");
    } else if (request.version == 10) {
        out_.append("Connection: keep-alive\r\n");
    }
}

Async<Bytes> Exchange::read_body() {
    return connection_.read_body();
}

Async<Bytes> Exchange::read_whole_body(std::size_t limit) {
    Bytes whole;
    while (true) {
        ICL_CO_TRY(auto piece, co_await connection_.read_body());
        if (piece.empty()) co_return whole;
        if (whole.size() + piece.size() > limit) {
            body_too_large_ = true;
            co_return fail(Kind::invalid,
                           "the request body is larger than " + std::to_string(limit) + " bytes");
        }
        if (whole.empty())
            whole = std::move(piece);
        else
            whole.append(piece);
    }
}

Async<> Exchange::respond(int status, std::string_view content_type, Bytes body) {
    put_head(status, content_type);
    if (status != 204 && status != 304) {
        out_.append("Content-Length: ");
        put_number(out_, body.size());
        out_.append("\r\n");
    }
    out_.append("\r\n");
    finished_ = true;
    if (bodyless()) co_return co_await send_pending();
    body_bytes_ = body.size();
    if (body.size() < kDirectPieceMin) {
        out_.append(body);
        co_return co_await send_pending();
    }
    ICL_CO_TRY(co_await send_pending());
    out_ = std::move(body);
    co_return co_await send_pending();
}

Async<> Exchange::start_sized(int status, std::string content_type, std::uint64_t length) {
    put_head(status, content_type);
    out_.append("Content-Length: ");
    put_number(out_, length);
    out_.append("\r\n\r\n");
    sized_ = true;
    length_left_ = bodyless() ? 0 : length;
    co_return ok();
}

void Exchange::start(int status, std::string_view content_type) {
    chunked_ = request.version != 10;
    if (!chunked_) close_ = true;
    put_head(status, content_type);
    if (chunked_ && status != 204) out_.append("Transfer-Encoding: chunked\r\n");
    out_.append("\r\n");
    if (bodyless()) chunked_ = false;
}

void Exchange::append(BytesView piece) {
    if (chunked_ && chunk_at_ == npos) {
        chunk_at_ = out_.size();
        out_.append(kChunkHole);
    }
    out_.append(piece);
}

void Exchange::seal_chunk() {
    if (chunk_at_ == npos) return;
    const auto size = out_.size() - chunk_at_ - kChunkHole.size();
    constexpr char kDigits[] = "0123456789abcdef";
    for (int i = 0; i < 8; ++i) out_[chunk_at_ + i] = kDigits[size >> (4 * (7 - i)) & 15];
    out_.append("\r\n");
    chunk_at_ = npos;
}

Async<> Exchange::write(Bytes piece) {
    ICL_ASSERT(status_ != 0 && !finished_, "write belongs between start and finish");
    if (failed_) co_return fail(Kind::unavailable, "the client is gone");
    if (piece.empty() || bodyless()) co_return ok();
    body_bytes_ += piece.size();
    if (sized_) {
        ICL_ASSERT(piece.size() <= length_left_, "more body than was announced");
        length_left_ -= piece.size();
    }
    if (piece.size() < kDirectPieceMin) {
        append(piece);
        // TLS cannot write without waiting, so there a row is not held back at all.
        if (out_.size() - sent_ >= kWriteBufferMax || !connection_.writes_now())
            co_return co_await flush();
        schedule_flush();
        co_return ok();
    }
    seal_chunk();
    if (chunked_) {
        char text[16];
        out_.append(text, std::to_chars(text, text + sizeof text, piece.size(), 16).ptr);
        out_.append("\r\n");
    }
    ICL_CO_TRY(co_await send_pending());
    writing_ = true;
    auto sent = co_await connection_.write(piece);
    writing_ = false;
    if (!sent) {
        failed_ = true;
        co_return fail(sent.error());
    }
    if (chunked_) out_.append("\r\n");
    co_return ok();
}

Async<> Exchange::flush() {
    seal_chunk();
    return send_pending();
}

Async<> Exchange::send_pending() {
    if (failed_) co_return fail(Kind::unavailable, "the client is gone");
    if (out_.size() == sent_) co_return ok();
    head_sent_ = writing_ = true;
    auto sent = co_await connection_.write(BytesView(out_).substr(sent_));
    writing_ = false;
    out_.clear();
    sent_ = 0;
    if (!sent) failed_ = true;
    co_return sent;
}

// Rows wait in `out_` for company, but only until their producer gives the loop a turn: a slow list
// is seen row by row, a fast one goes out in large writes.
void Exchange::schedule_flush() {
    if (flush_posted_) return;
    flush_posted_ = true;
    connection_.post_flush();
}

void Exchange::flush_now() {
    flush_posted_ = false;
    if (writing_ || failed_ || finished_ || out_.size() == sent_) return;
    seal_chunk();
    const auto sent = connection_.write_now(BytesView(out_).substr(sent_));
    if (sent > 0) head_sent_ = true;
    sent_ += sent;
    if (sent_ < out_.size()) return;
    out_.clear();
    sent_ = 0;
}

void Exchange::add_trailer(std::string_view name, std::string_view value) {
    std::string clean(value);
    for (char& c : clean)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    trailers_.add(name, clean);
}

Async<> Exchange::finish() {
    ICL_ASSERT(status_ != 0 && !finished_, "finish ends a started answer once");
    if (sized_ && length_left_ != 0) {
        failed_ = true;
        co_return fail(Kind::internal, "the answer is shorter than was announced");
    }
    seal_chunk();
    finished_ = true;
    if (chunked_) {
        out_.append("0\r\n");
        trailers_.write_to(out_);
        out_.append("\r\n");
    }
    co_return co_await send_pending();
}

}  // namespace ipfscluster::http
