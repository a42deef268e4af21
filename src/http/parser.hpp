#pragma once
#include <boost/beast/http/basic_parser.hpp>

#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/headers.hpp"

namespace ipfscluster::http {

/// Grammar of HTTP/1.x messages over Beast's parser: bytes go in by `put`, head and body pieces
/// come out as plain members. No I/O; one message per object. Used by connections of server and
/// client only.
template <bool kIsRequest>
class MessageParser final : public boost::beast::http::basic_parser<kIsRequest> {
 public:
    using Base = boost::beast::http::basic_parser<kIsRequest>;

    explicit MessageParser(std::size_t header_bytes_max) {
        this->header_limit(static_cast<std::uint32_t>(header_bytes_max));
        this->body_limit(boost::none);
        this->eager(true);
    }

    /// Parses as much of `in` as makes sense, at most up to the end of the head, or one body piece.
    /// Gives the bytes used. `corrupt` for a broken message (`header_too_large` tells one kind
    /// apart).
    Result<std::size_t> feed(BytesView in) {
        if (broken_) return fail(*broken_);
        if (this->is_done()) return std::size_t{0};
        // Beast asserts when the last chunk's line has come and fewer than these bytes are there.
        if (this->is_header_done() && this->chunked() && chunk_left_ == 0 &&
            in.size() < kChunkEndBytes)
            return std::size_t{0};
        boost::system::error_code ec;
        // The head alone first: its reader decides what happens to the body.
        this->eager(this->is_header_done());
        const std::size_t used = this->put(boost::asio::const_buffer(in.data(), in.size()), ec);
        if (ec && ec != boost::beast::http::error::need_more) {
            header_too_large = ec == boost::beast::http::error::header_limit;
            bad_version = ec == boost::beast::http::error::bad_version;
            // Beast's parser must not be fed again after an error: it asserts on what it saw
            // before.
            broken_ = Error{Kind::corrupt, "malformed HTTP message: " + ec.message()};
            return fail(*broken_);
        }
        return used;
    }
    /// The connection ended. `corrupt` when the message is not complete then.
    Result<> feed_end() {
        if (broken_) return fail(*broken_);
        boost::system::error_code ec;
        if (this->got_some() && !this->is_done()) this->put_eof(ec);
        if (ec || !this->is_done())
            return fail(Kind::corrupt, "the connection ended in the middle of a message");
        return ok();
    }

    std::string method;
    std::string target;
    int status = 0;
    int version = 11;
    Headers headers;
    Headers trailers;
    Bytes body;  ///< what the last `feed` found; the reader takes it away
    bool header_too_large = false;
    bool bad_version = false;

 private:
    static constexpr std::size_t kChunkEndBytes = 5;  ///< of "0\r\n\r\n"
    std::optional<Error> broken_;
    std::uint64_t chunk_left_ = 0;
    using View = boost::beast::string_view;
    using Code = boost::system::error_code;
    void on_request_impl(boost::beast::http::verb, View name, View where, int http,
                         Code&) override {
        method.assign(name.data(), name.size());
        target.assign(where.data(), where.size());
        version = http;
    }
    void on_response_impl(int code, View, int http, Code&) override {
        status = code;
        version = http;
    }
    void on_field_impl(boost::beast::http::field, View name, View value, Code&) override {
        (this->is_header_done() ? trailers : headers)
            .add({name.data(), name.size()}, {value.data(), value.size()});
    }
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(View piece, Code&) override {
        body.append(piece.data(), piece.size());
        return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t size, View, Code&) override { chunk_left_ = size; }
    std::size_t on_chunk_body_impl(std::uint64_t, View piece, Code&) override {
        body.append(piece.data(), piece.size());
        chunk_left_ -= piece.size();
        return piece.size();
    }
    void on_finish_impl(Code&) override {}
};

using RequestParser = MessageParser<true>;
using ResponseParser = MessageParser<false>;

}  // namespace ipfscluster::http
