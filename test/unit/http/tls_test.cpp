// TLS with a certificate made for the test.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "support/http_fixture.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::http {
namespace {

void write_certificate(const std::string& cert_file, const std::string& key_file) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    auto* name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_sign(cert, key, EVP_sha256());
    auto* out = std::fopen(cert_file.c_str(), "w");
    PEM_write_X509(out, cert);
    std::fclose(out);
    out = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(cert);
    EVP_PKEY_free(key);
}

Async<> echo(Exchange& e) {
    ICL_CO_TRY(auto body, co_await e.read_whole_body(4 * 1024 * 1024));
    e.start(200, "text/plain");
    ICL_CO_TRY(co_await e.write("got "));
    ICL_CO_TRY(co_await e.write(body));
    co_return co_await e.finish();
}

class Tls : public test::HttpFixture {
 protected:
    void start() {
        write_certificate(folder.path("cert"), folder.path("key"));
        ServerConfig config;
        config.tls_cert_file = folder.path("cert");
        config.tls_key_file = folder.path("key");
        serve(echo, config);
    }
    test::TempFolder folder;
};

TEST_F(Tls, requests_travel_encrypted) {
    start();
    auto config = client_config();
    config.tls = true;
    config.tls_verify = false;
    Client client(world, config);
    const std::string body(1024 * 1024, 'q');
    for (int i = 0; i < 2; ++i) {
        auto answer = run(client.fetch({.method = Method::post, .target = "/", .body = body}));
        ASSERT_TRUE(answer) << answer.error().text;
        EXPECT_EQ(answer.value().body, "got " + body);
    }
    EXPECT_EQ(server->connections(), 1u);
}

Async<> row_then_nothing(Exchange& e, World& world) {
    e.start(200, "text/plain");
    ICL_CO_TRY(co_await e.write("row\n"));
    co_return co_await world.sleep_for(std::chrono::hours(1));
}

TEST_F(Tls, a_row_is_seen_while_its_producer_waits) {
    write_certificate(folder.path("cert"), folder.path("key"));
    ServerConfig server_config;
    server_config.tls_cert_file = folder.path("cert");
    server_config.tls_key_file = folder.path("key");
    serve([this](Exchange& e) { return row_then_nothing(e, world); }, server_config);
    auto config = client_config();
    config.tls = true;
    config.tls_verify = false;
    Client client(world, config);
    auto call = run(client.send({.target = "/"}));
    ASSERT_TRUE(call) << call.error().text;
    EXPECT_EQ(run(call.value()->read()).value(), "row\n");
}

TEST_F(Tls, an_unknown_certificate_is_refused_when_verified) {
    start();
    auto config = client_config();
    config.tls = true;
    Client client(world, config);
    auto answer = run(client.fetch({.target = "/"}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::unavailable);
}

TEST_F(Tls, plain_http_is_not_served) {
    start();
    EXPECT_EQ(raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n").find("200"), std::string::npos);
}

TEST_F(Tls, bad_files_are_named) {
    ServerConfig config;
    config.tls_cert_file = folder.path("missing");
    config.tls_key_file = folder.path("key");
    Server broken(world, config, echo);
    auto started = run(broken.start());
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().text.find("ssl_cert_file"), std::string::npos);
    config.tls_key_file.clear();
    Server half(world, config, echo);
    EXPECT_FALSE(run(half.start()));
}

}  // namespace
}  // namespace ipfscluster::http
