#include "http/byte_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace ipfscluster::http {

namespace {

/// Writes the kernel took at once before the loop gets a turn.
constexpr int kDirectWritesMax = 16;

int poll_events(int handle) {
    pollfd entry{handle, POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) > 0 ? entry.revents : 0;
}

class PlainStream final : public ByteStream {
 public:
    using ByteStream::ByteStream;

    Async<std::size_t> read_some(char* to, std::size_t size) override {
        boost::system::error_code ec;
        const auto got = co_await socket_.async_read_some(
            asio::buffer(to, size), asio::redirect_error(asio::use_awaitable, ec));
        moved_ += got;
        if (ec == asio::error::eof) co_return std::size_t{0};
        if (ec) co_return fail(stream_error("read", ec));
        co_return got;
    }

    Async<> write(BytesView bytes) override {
        if (direct_left_-- > 0) {
            bytes.remove_prefix(write_now(bytes));
            if (bytes.empty()) co_return ok();
        }
        direct_left_ = kDirectWritesMax;
        boost::system::error_code ec;
        while (!bytes.empty()) {
            const auto sent =
                co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                                  asio::redirect_error(asio::use_awaitable, ec));
            moved_ += sent;
            if (ec) co_return fail(stream_error("write", ec));
            bytes.remove_prefix(sent);
        }
        co_return ok();
    }

    bool writes_now() const override { return true; }
    std::size_t write_now(BytesView bytes) override {
        const auto sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) return 0;  // an error shows again, and is reported, in the waiting write
        moved_ += static_cast<std::uint64_t>(sent);
        return static_cast<std::size_t>(sent);
    }

 private:
    int direct_left_ = kDirectWritesMax;
};

}  // namespace

Error stream_error(std::string_view what, const boost::system::error_code& ec) {
    if (ec == asio::error::operation_aborted)
        return {Kind::cancelled, std::string(what) + " cancelled"};
    return {Kind::unavailable, std::string(what) + ": " + ec.message()};
}

ByteStream::ByteStream(GenericSocket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    if (socket_.local_endpoint(ignored).protocol().family() != AF_UNIX)
        socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
}

void ByteStream::shutdown_send() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void ByteStream::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

bool ByteStream::peer_closed() const {
    return (poll_events(const_cast<GenericSocket&>(socket_).native_handle()) &
            (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool ByteStream::broken() const {
    return (poll_events(const_cast<GenericSocket&>(socket_).native_handle()) &
            (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

std::string ByteStream::remote() const {
    boost::system::error_code ec;
    const auto endpoint = socket_.remote_endpoint(ec);
    if (ec || endpoint.protocol().family() == AF_UNIX) return "@";
    asio::ip::tcp::endpoint tcp;
    if (endpoint.size() > tcp.capacity()) return "@";
    std::memcpy(tcp.data(), endpoint.data(), endpoint.size());
    tcp.resize(endpoint.size());
    const auto host = tcp.address().to_string();
    return (tcp.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(tcp.port());
}

ByteStreamPtr plain_stream(GenericSocket socket) {
    return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace ipfscluster::http
