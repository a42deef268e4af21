#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/byte_stream.hpp"

namespace ipfscluster::http {

namespace {

class TlsStream final : public ByteStream {
 public:
    TlsStream(GenericSocket socket, TlsContext context)
        : ByteStream(std::move(socket)), context_(std::move(context)), tls_(socket_, *context_) {}

    Async<> handshake(asio::ssl::stream_base::handshake_type side, const std::string& host,
                      bool verify) {
        if (!host.empty()) SSL_set_tlsext_host_name(tls_.native_handle(), host.c_str());
        if (verify) tls_.set_verify_callback(asio::ssl::host_name_verification(host));
        boost::system::error_code ec;
        co_await tls_.async_handshake(side, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return fail(stream_error("TLS handshake", ec));
        co_return ok();
    }

    Async<std::size_t> read_some(char* to, std::size_t size) override {
        boost::system::error_code ec;
        const auto got = co_await tls_.async_read_some(
            asio::buffer(to, size), asio::redirect_error(asio::use_awaitable, ec));
        moved_ += got;
        // A stream that ends without TLS' farewell counts as ended: HTTP's own framing tells
        // truncation.
        if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated)
            co_return std::size_t{0};
        if (ec) co_return fail(stream_error("TLS read", ec));
        co_return got;
    }

    Async<> write(BytesView bytes) override {
        boost::system::error_code ec;
        while (!bytes.empty()) {
            const auto sent =
                co_await tls_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                               asio::redirect_error(asio::use_awaitable, ec));
            moved_ += sent;
            if (ec) co_return fail(stream_error("TLS write", ec));
            bytes.remove_prefix(sent);
        }
        co_return ok();
    }

 private:
    TlsContext context_;
    asio::ssl::stream<GenericSocket&> tls_;
};

Result<> restrict_versions(asio::ssl::context& context) {
    if (SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION) != 1)
        return fail(Kind::internal, "TLS 1.2 is not available");
    return ok();
}

Async<ByteStreamPtr> shake(GenericSocket socket, TlsContext context,
                           asio::ssl::stream_base::handshake_type side, std::string host,
                           bool verify) {
    auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(context));
    ICL_CO_TRY(co_await stream->handshake(side, host, verify));
    co_return ByteStreamPtr(std::move(stream));
}

}  // namespace

Result<TlsContext> server_tls(const std::string& cert_file, const std::string& key_file) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    boost::system::error_code ec;
    context->use_certificate_chain_file(cert_file, ec);
    if (ec) return fail(Kind::invalid, "ssl_cert_file " + cert_file + ": " + ec.message());
    context->use_private_key_file(key_file, asio::ssl::context::pem, ec);
    if (ec) return fail(Kind::invalid, "ssl_key_file " + key_file + ": " + ec.message());
    if (SSL_CTX_check_private_key(context->native_handle()) != 1)
        return fail(Kind::invalid,
                    "ssl_key_file " + key_file + " does not belong to the certificate");
    ICL_TRY(restrict_versions(*context));
    return context;
}

Result<TlsContext> client_tls(bool verify) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    boost::system::error_code ec;
    if (verify) {
        context->set_default_verify_paths(ec);
        if (ec) return fail(Kind::internal, "the system's certificates: " + ec.message());
    }
    context->set_verify_mode(verify ? asio::ssl::verify_peer : asio::ssl::verify_none, ec);
    ICL_TRY(restrict_versions(*context));
    return context;
}

Async<ByteStreamPtr> tls_accept(GenericSocket socket, TlsContext context) {
    return shake(std::move(socket), std::move(context), asio::ssl::stream_base::server, {}, false);
}

Async<ByteStreamPtr> tls_connect(GenericSocket socket, TlsContext context, std::string host,
                                 bool verify) {
    return shake(std::move(socket), std::move(context), asio::ssl::stream_base::client,
                 std::move(host), verify);
}

}  // namespace ipfscluster::http
