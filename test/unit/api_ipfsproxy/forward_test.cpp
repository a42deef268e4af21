// What is passed on to the daemon, byte for byte and in both directions.
#include "runtime/signal.hpp"
#include "unit/api_ipfsproxy/proxy_fixture.hpp"

namespace ipfscluster::ipfsproxy {
namespace {

using http::ClientRequest;
using http::Exchange;
using http::Headers;
using http::Method;

using Forward = ProxyFixture;

Async<> echo(Exchange& e) {
    e.headers.add("X-Target", e.request.target);
    e.headers.add("X-Method", http::method_name(e.request.method));
    e.headers.add("X-From", e.request.headers.get("X-Forwarded-For"));
    e.headers.add("X-Host", e.request.headers.get("Host"));
    e.headers.add("X-Own", e.request.headers.get("X-Mine"));
    e.headers.add("X-Hop", e.request.headers.get("X-Drop"));
    e.headers.add("Trailer", "X-Stream-Error");
    e.start(203, "application/x-echo");
    while (true) {
        ICL_CO_TRY(auto piece, co_await e.read_body());
        if (piece.empty()) break;
        ICL_CO_TRY(co_await e.write(std::move(piece)));
    }
    e.add_trailer("X-Stream-Error", "late words");
    co_return co_await e.finish();
}

TEST_F(Forward, target_fields_body_status_and_trailers_arrive_unchanged) {
    start(echo);
    const Bytes body(300'000, 'b');
    auto answer = post("/api/v0/cat?arg=%2Fipfs%2Fx&a+b=%zz",
                       {{"X-Mine", "1"},
                        {"X-Drop", "2"},
                        {"Connection", "X-Drop"},
                        {"X-Forwarded-For", "10.0.0.1"},
                        {"Host", "somewhere:1"}},
                       body);
    EXPECT_EQ(answer.status, 203);
    EXPECT_EQ(answer.body, body);
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/x-echo");
    EXPECT_EQ(answer.headers.get("X-Target"), "/api/v0/cat?arg=%2Fipfs%2Fx&a+b=%zz");
    EXPECT_EQ(answer.headers.get("X-Method"), "POST");
    EXPECT_EQ(answer.headers.get("X-From"), "10.0.0.1, 127.0.0.1");
    EXPECT_EQ(answer.headers.get("X-Host"), "somewhere:1");
    EXPECT_EQ(answer.headers.get("X-Own"), "1");
    EXPECT_EQ(answer.headers.get("X-Hop"), "");
    EXPECT_EQ(answer.headers.get("Trailer"), "X-Stream-Error");
    EXPECT_EQ(answer.trailers.get("X-Stream-Error"), "late words");
    for (const auto& call : cluster.calls) ADD_FAILURE() << call;
}

TEST_F(Forward, every_method_reaches_the_daemon) {
    start(echo);
    for (const auto method :
         {Method::get, Method::put, Method::del, Method::patch, Method::options}) {
        auto answer = ask(method, "/webui/x");
        EXPECT_EQ(answer.status, 203);
        EXPECT_EQ(answer.headers.get("X-Method"), http::method_name(method));
    }
    auto head = ask(Method::head, "/api/v0/pin/add?arg=x");
    EXPECT_EQ(head.status, 203);
    EXPECT_EQ(head.headers.get("X-Method"), "HEAD");
    EXPECT_TRUE(head.body.empty());
    EXPECT_NE(
        raw("BREW /api/v0/cat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("HTTP/1.1"),
        std::string::npos);
}

TEST_F(Forward, a_sized_answer_keeps_its_size_and_empty_ones_stay_empty) {
    start([](Exchange& e) -> Async<> {
        if (e.request.path == "/sized") return e.respond(200, "text/plain", "12345");
        if (e.request.path == "/none") return e.respond(204, {}, {});
        return e.respond(304, {}, {});
    });
    auto sized = ask(Method::get, "/sized");
    EXPECT_EQ(sized.body, "12345");
    EXPECT_EQ(sized.headers.get("Content-Length"), "5");
    auto head = ask(Method::head, "/sized");
    EXPECT_EQ(head.headers.get("Content-Length"), "5");
    EXPECT_EQ(ask(Method::get, "/none").status, 204);
    EXPECT_EQ(ask(Method::get, "/same").status, 304);
}

TEST_F(Forward, rows_come_through_while_the_request_is_still_being_sent) {
    start(echo);
    auto call = run(client->open({.method = Method::post, .target = "/api/v0/x", .streamed = true}))
                    .value();
    ASSERT_TRUE(run(call->write_body("first")));
    ASSERT_TRUE(run(call->read_head()));
    EXPECT_EQ(run(call->read()).value(), "first");
    ASSERT_TRUE(run(call->write_body("second")));
    EXPECT_EQ(run(call->read()).value(), "second");
    ASSERT_TRUE(run(call->finish_body()));
    EXPECT_EQ(run(call->read_all(100)).value(), "");
    EXPECT_EQ(call->trailer_error(), "late words");
}

TEST_F(Forward, an_answer_that_is_cut_is_cut_for_the_client) {
    // Two pieces, then the daemon's handler fails: its connection is cut.
    for (const bool sized : {false, true}) {
        start([sized](Exchange& e) -> Async<> {
            if (sized) {
                ICL_CO_TRY(co_await e.start_sized(200, "text/plain", 100));
            } else {
                e.start(200, "text/plain");
            }
            ICL_CO_TRY(co_await e.write("half"));
            ICL_CO_TRY(co_await e.flush());
            co_return fail(Kind::internal, "the daemon broke off");
        });
        auto call = run(client->open({.method = Method::post, .target = "/api/v0/cat"})).value();
        ASSERT_TRUE(run(call->read_head()));
        auto all = run(call->read_all(1000));
        ASSERT_FALSE(all);
        EXPECT_EQ(all.error().kind, Kind::corrupt);
        call.reset();
        client.reset();
        EXPECT_TRUE(run(proxy->stop(Duration{})));
        EXPECT_TRUE(run(server->stop(Duration{})));
        proxy.reset();
        server.reset();
    }
}

TEST_F(Forward, a_request_body_that_is_cut_never_ends_cleanly_at_the_daemon) {
    std::optional<Error> seen;
    Signal ended(io.get_executor());
    start([&](Exchange& e) -> Async<> {
        while (true) {
            auto piece = co_await e.read_body();
            if (!piece) {
                seen = piece.error();
                ended.notify_all();
                co_return fail(piece.error());
            }
            if (piece.value().empty()) break;
        }
        seen = Error{Kind::internal, "a clean end"};
        ended.notify_all();
        co_return co_await e.respond(200, {}, {});
    });
    {
        auto call =
            run(client->open({.method = Method::post, .target = "/api/v0/x", .streamed = true}))
                .value();
        ASSERT_TRUE(run(call->write_body(Bytes(1000, 'x'))));
    }
    if (!seen) {
        ASSERT_TRUE(run(ended.wait()));
    }
    EXPECT_NE(seen->text, "a clean end");
}

TEST_F(Forward, a_slow_client_holds_the_daemon_back) {
    std::size_t produced = 0;
    start([&](Exchange& e) -> Async<> {
        e.start(200, "application/octet-stream");
        for (int i = 0; i < 4096; ++i) {
            ICL_CO_TRY(co_await e.write(Bytes(64 * 1024, 'd')));
            produced += 64 * 1024;
        }
        co_return co_await e.finish();
    });
    auto call = run(client->open({.method = Method::post, .target = "/api/v0/cat"})).value();
    ASSERT_TRUE(run(call->read_head()));
    // The client reads nothing: what can be under way is what the sockets hold.
    std::size_t before = produced + 1;
    while (before != produced) {
        before = produced;
        ASSERT_TRUE(run(world.sleep_for(std::chrono::milliseconds(200))));
    }
    EXPECT_LT(produced, std::size_t{64} * 1024 * 1024) << "256 MiB were to come";
    call.reset();
}

TEST_F(Forward, an_early_answer_to_a_large_upload_arrives) {
    start([](Exchange& e) -> Async<> {
        e.close_after();
        return e.respond(400, "text/plain", "no thanks");
    });
    auto call = run(client->open({.method = Method::post, .target = "/api/v0/x", .streamed = true}))
                    .value();
    for (int i = 0; i < 100; ++i)
        if (!run(call->write_body(Bytes(64 * 1024, 'x')))) break;
    ASSERT_TRUE(run(call->read_head()));
    EXPECT_EQ(call->status(), 400);
}

TEST_F(Forward, a_daemon_that_is_not_there_is_a_502_with_the_cause) {
    UpstreamNode node;
    node.address = Multiaddr::parse("/ip4/127.0.0.1/tcp/1").value();
    start_before(node);
    auto answer = post("/api/v0/id");
    EXPECT_EQ(answer.status, 502);
    EXPECT_NE(message_of(answer).find("/ip4/127.0.0.1/tcp/1"), std::string::npos) << answer.body;
    auto with_body = post("/api/v0/x", {}, "body");
    EXPECT_EQ(with_body.status, 502);
}

TEST_F(Forward, without_an_address_clients_are_told_what_to_set) {
    UpstreamNode node;
    node.missing = "set this and that";
    start_before(node);
    auto answer = post("/api/v0/id");
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(message_of(answer), "set this and that");
}

TEST(ProxyNode, an_embedded_node_is_used_where_the_file_says_kubos_usual_address) {
    const std::vector<Multiaddr> listener{Multiaddr::parse("/ip4/127.0.0.1/tcp/4242").value()};
    config::ProxyConfig usual;
    EXPECT_EQ(*choose_node(usual, false, {}).address, usual.node_multiaddress);
    EXPECT_EQ(*choose_node(usual, true, listener).address, listener[0]);
    const auto none = choose_node(usual, true, {});
    EXPECT_FALSE(none.address);
    EXPECT_NE(none.missing.find("api_listen_multiaddress"), std::string::npos);
    config::ProxyConfig other;
    other.node_multiaddress = Multiaddr::parse("/ip4/10.0.0.1/tcp/5001").value();
    EXPECT_EQ(*choose_node(other, true, listener).address, other.node_multiaddress);
}

}  // namespace
}  // namespace ipfscluster::ipfsproxy
