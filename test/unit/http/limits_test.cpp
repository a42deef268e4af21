// What a server refuses, and how it survives slow, broken and hostile clients.
#include <gtest/gtest.h>

#include <random>

#include "support/http_fixture.hpp"

namespace ipfscluster::http {
namespace {

class Limits : public test::HttpFixture {};

Async<> echo(Exchange& e) {
    auto body = co_await e.read_whole_body(1000);
    if (!body) {
        const int status = e.body_too_large() ? 413 : 400;
        co_return co_await e.respond(status, "text/plain", body.error().text);
    }
    co_return co_await e.respond(200, "text/plain", "[" + body.value() + "]");
}

std::string close_header() {
    return "Host: x\r\nConnection: close\r\n\r\n";
}

TEST_F(Limits, a_head_over_the_limit_is_431_in_plain_text) {
    serve(echo);
    const auto answer =
        raw("GET / HTTP/1.1\r\nX: " + std::string(9000, 'y') + "\r\n" + close_header());
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
    EXPECT_NE(answer.find("Content-Type: text/plain"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(Limits, many_small_fields_count_together) {
    serve(echo);
    std::string head = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 1000; ++i) head += "X-" + std::to_string(i) + ": y\r\n";
    EXPECT_TRUE(raw(head + close_header()).starts_with("HTTP/1.1 431 "));
}

TEST_F(Limits, broken_heads_are_400) {
    serve(echo);
    for (const auto& text :
         {std::string("GET / HTTP/1.1\r\nNo-Colon\r\n\r\n"), std::string("\x01\x02\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\n\r\n"),
          std::string("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
          std::string("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")})
        EXPECT_TRUE(raw(text).starts_with("HTTP/1.1 400 ")) << text;
    EXPECT_TRUE(raw("GET index HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(
        raw("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
            .starts_with("HTTP/1.1 501 "));
    EXPECT_TRUE(raw("GET / HTTP/3.7\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 505 "));
    EXPECT_TRUE(raw("POST / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 2\r\n\r\n")
                    .starts_with("HTTP/1.1 417 "));
}

TEST_F(Limits, an_oversized_body_is_refused_and_the_client_can_read_why) {
    serve(echo);
    const auto answer = raw("POST / HTTP/1.1\r\nContent-Length: 400000\r\n" + close_header() +
                            std::string(400000, 'z'));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
    EXPECT_NE(answer.find("larger than 1000 bytes"), std::string::npos);
}

TEST_F(Limits, a_truncated_body_is_an_error_to_the_handler) {
    std::optional<Error> seen;
    serve([&seen](Exchange& e) -> Async<> {
        struct Body {
            static Async<> read(Exchange& x, std::optional<Error>& out) {
                auto body = co_await x.read_whole_body(1000);
                if (!body) out = body.error();
                co_return co_await x.respond_empty(400);
            }
        };
        return Body::read(e, seen);
    });
    auto socket = run(raw_connect()).value();
    ASSERT_TRUE(
        run(raw_send(socket.get(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")));
    socket->shutdown(asio::socket_base::shutdown_send);
    EXPECT_TRUE(run(raw_read(socket.get(), "")).value().starts_with("HTTP/1.1 400 "));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->kind, Kind::corrupt);
}

TEST_F(Limits, chunked_bodies_with_trailers_and_bad_chunks) {
    serve(echo);
    EXPECT_NE(raw("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + close_header() +
                  "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nX-T: 1\r\n\r\n")
                  .find("[abcdefg]"),
              std::string::npos);
    EXPECT_TRUE(
        raw("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + close_header() + "zz\r\nabc\r\n")
            .starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(raw("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + close_header() +
                    "3\r\nabcXX0\r\n\r\n")
                    .starts_with("HTTP/1.1 400 "));
}

TEST_F(Limits, requests_sent_together_are_answered_in_order) {
    serve(echo);
    const auto answer =
        raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nA"
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nB"
            "POST / HTTP/1.1\r\nContent-Length: 1\r\n" +
            close_header() + "C");
    const auto a = answer.find("[A]"), b = answer.find("[B]"), c = answer.find("[C]");
    ASSERT_NE(c, std::string::npos) << answer;
    EXPECT_LT(a, b);
    EXPECT_LT(b, c);
}

TEST_F(Limits, a_client_that_asks_first_is_told_to_continue) {
    serve(echo);
    auto socket = run(raw_connect()).value();
    ASSERT_TRUE(run(raw_send(
        socket.get(),
        "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" + close_header())));
    EXPECT_EQ(run(raw_read(socket.get(), "\r\n\r\n")).value(), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(run(raw_send(socket.get(), "hi")));
    EXPECT_NE(run(raw_read(socket.get(), "")).value().find("[hi]"), std::string::npos);
}

Async<> refuse(Exchange& e) {
    return e.respond(403, "text/plain", "no");
}

TEST_F(Limits, a_refused_client_that_asked_first_sends_nothing) {
    serve(refuse);
    const auto answer =
        raw("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
}

TEST_F(Limits, http_1_0_gets_a_closed_connection) {
    serve(echo);
    const auto answer = raw("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n[]"));
}

TEST_F(Limits, slow_heads_and_idle_connections_are_closed) {
    ServerConfig config;
    config.header_timeout = std::chrono::milliseconds(40);
    config.idle_timeout = std::chrono::milliseconds(40);
    serve(echo, config);
    EXPECT_EQ(raw("GET / HT"), "");
    EXPECT_EQ(raw(""), "");
    EXPECT_EQ(server->connections(), 0u);
}

TEST_F(Limits, stalled_bodies_are_cut) {
    ServerConfig config;
    config.stall_timeout = std::chrono::milliseconds(40);
    std::optional<Error> seen;
    struct Body {
        static Async<> read(Exchange& x, std::optional<Error>& out) {
            auto body = co_await x.read_whole_body(1000);
            if (!body) out = body.error();
            co_return co_await x.respond_empty(400);
        }
    };
    serve([&seen](Exchange& e) { return Body::read(e, seen); }, config);
    raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(server->connections(), 0u);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->kind, Kind::cancelled);
}

TEST_F(Limits, a_whole_request_has_its_own_limit) {
    ServerConfig config;
    config.read_timeout = std::chrono::milliseconds(40);
    serve(echo, config);
    raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(server->connections(), 0u);
}

TEST_F(Limits, connections_beyond_the_maximum_are_closed_at_once) {
    ServerConfig config;
    config.connections_max = 1;
    serve(echo, config);
    auto first = run(raw_connect()).value();
    ASSERT_TRUE(
        run(raw_send(first.get(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nA")));
    EXPECT_NE(run(raw_read(first.get(), "[A]")).value().find("[A]"), std::string::npos);
    EXPECT_EQ(raw(""), "");
}

TEST_F(Limits, unread_bodies_do_not_break_the_next_request) {
    serve(refuse);
    const auto answer =
        raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
            "GET / HTTP/1.1\r\n" +
            close_header());
    std::size_t answers = 0;
    for (auto at = answer.find("403"); at != std::string::npos; at = answer.find("403", at + 1))
        ++answers;
    EXPECT_EQ(answers, 2u) << answer;
}

TEST_F(Limits, damaged_requests_never_harm_the_next_client) {
    ServerConfig config;
    config.header_timeout = config.stall_timeout = config.idle_timeout =
        std::chrono::milliseconds(20);
    serve(echo, config);
    const std::string good =
        "POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
        "3\r\nabc\r\n0\r\nT: 1\r\n\r\n";
    std::mt19937 random(20260101);
    for (int round = 0; round < 150; ++round) {
        std::string bad = good;
        for (int change = 0; change < 3; ++change) {
            const auto at = random() % bad.size();
            if (random() % 3 == 0)
                bad.erase(at, random() % 5);
            else
                bad[at] = static_cast<char>(random());
        }
        auto socket = run(raw_connect()).value();
        (void)run(raw_send(socket.get(), bad));
        socket->shutdown(asio::socket_base::shutdown_send);
        const auto answer = run(raw_read(socket.get(), "")).value();
        EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.")) << answer;
    }
    EXPECT_NE(raw("POST / HTTP/1.1\r\nContent-Length: 1\r\n" + close_header() + "C").find("[C]"),
              std::string::npos);
}

}  // namespace
}  // namespace ipfscluster::http
