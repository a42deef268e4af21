// Server and client against each other over loopback.
#include <gtest/gtest.h>

#include "runtime/signal.hpp"
#include "support/http_fixture.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::http {
namespace {

using test::HttpFixture;

class ClientServer : public HttpFixture {};

Async<> echo(Exchange& e) {
    ICL_CO_TRY(auto body, co_await e.read_whole_body(64 * 1024 * 1024));
    co_return co_await e.respond(
        200, "text/plain",
        std::string(method_name(e.request.method)) + " " + e.request.target + " " + body);
}

TEST_F(ClientServer, whole_bodies_travel_both_ways_on_one_connection) {
    serve(echo);
    Client client(world, client_config());
    for (int i = 0; i < 3; ++i) {
        auto answer =
            run(client.fetch({.method = Method::post, .target = "/a?b=1", .body = "hello"}));
        ASSERT_TRUE(answer) << answer.error().text;
        EXPECT_EQ(answer.value().status, 200);
        EXPECT_EQ(answer.value().body, "POST /a?b=1 hello");
        EXPECT_EQ(answer.value().headers.get("content-type"), "text/plain");
        EXPECT_EQ(server->connections(), 1u);
    }
}

TEST_F(ClientServer, large_bodies_arrive_unchanged) {
    serve(echo);
    Client client(world, client_config());
    std::string large(5 * 1024 * 1024, 'x');
    for (std::size_t i = 0; i < large.size(); i += 97) large[i] = static_cast<char>(i);
    auto answer =
        run(client.fetch({.method = Method::post, .target = "/", .body = large}, 64 * 1024 * 1024));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer.value().body, "POST / " + large);
}

TEST_F(ClientServer, head_has_the_length_but_no_body) {
    serve(echo);
    Client client(world, client_config());
    auto answer = run(client.fetch({.method = Method::head, .target = "/x"}));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer.value().headers.get("Content-Length"), "8");
    EXPECT_TRUE(answer.value().body.empty());
    // The connection is still in step.
    EXPECT_EQ(run(client.fetch({.target = "/y"})).value().body, "GET /y ");
    EXPECT_EQ(server->connections(), 1u);
}

Async<> rows(Exchange& e) {
    e.headers.add("Trailer", "X-Stream-Error");
    e.start(200, "application/json");
    for (int i = 0; i < 10000; ++i) {
        ICL_CO_TRY(co_await e.write("{\"row\":" + std::to_string(i) + "}\n"));
    }
    e.add_trailer("X-Stream-Error", "");
    e.add_trailer("X-Stream-Error", "broke\r\nX: y");
    co_return co_await e.finish();
}

TEST_F(ClientServer, streams_end_with_their_trailers) {
    serve([](Exchange& e) { return rows(e); });
    Client client(world, client_config());
    auto call = run(client.send({.target = "/"}));
    ASSERT_TRUE(call) << call.error().text;
    EXPECT_EQ(call.value()->headers().get("Trailer"), "X-Stream-Error");
    auto body = run(call.value()->read_all(1024 * 1024)).value();
    EXPECT_TRUE(body.starts_with("{\"row\":0}\n"));
    EXPECT_TRUE(body.ends_with("{\"row\":9999}\n"));
    EXPECT_EQ(call.value()->trailers().all("x-stream-error").size(), 2u);
    EXPECT_EQ(call.value()->trailer_error(), "broke  X: y");
}

struct Gate {
    explicit Gate(World& world) : signal(world.executor()) {}
    Signal signal;
    bool open = false;
    int cancelled = 0;
    int entered = 0;
};

Async<> first_row_then_wait(Exchange& e, std::shared_ptr<Gate> gate) {
    e.start(200, "application/json");
    ICL_CO_TRY(co_await e.write("first\n"));
    ++gate->entered;
    while (!gate->open) {
        auto woken = co_await gate->signal.wait();
        if (!woken) {
            ++gate->cancelled;
            co_return woken;
        }
    }
    ICL_CO_TRY(co_await e.write("second\n"));
    co_return co_await e.finish();
}

TEST_F(ClientServer, a_row_is_seen_while_its_producer_waits) {
    auto gate = std::make_shared<Gate>(world);
    serve([gate](Exchange& e) { return first_row_then_wait(e, gate); });
    Client client(world, client_config());
    auto call = run(client.send({.target = "/"})).value();
    EXPECT_EQ(run(call->read()).value(), "first\n");
    gate->open = true;
    gate->signal.notify_all();
    EXPECT_EQ(run(call->read()).value(), "second\n");
    EXPECT_EQ(run(call->read()).value(), "");
}

Async<> until_cancelled(World& world, std::shared_ptr<Gate> gate) {
    while (gate->cancelled == 0) {
        ICL_CO_TRY(co_await world.sleep_for(std::chrono::milliseconds(1)));
    }
    co_return ok();
}

TEST_F(ClientServer, a_client_that_goes_away_cancels_its_handler) {
    auto gate = std::make_shared<Gate>(world);
    serve([gate](Exchange& e) { return first_row_then_wait(e, gate); });
    {
        Client client(world, client_config());
        auto call = run(client.send({.target = "/"})).value();
        EXPECT_EQ(run(call->read()).value(), "first\n");
    }
    EXPECT_TRUE(run(until_cancelled(world, gate)));
    EXPECT_EQ(gate->cancelled, 1);
}

// Answers each piece before it asks for the next: works only when both directions move at once.
Async<> ping_pong(Exchange& e) {
    e.start(200, "text/plain");
    while (true) {
        ICL_CO_TRY(auto piece, co_await e.read_body());
        if (piece.empty()) break;
        ICL_CO_TRY(co_await e.write("<" + piece + ">"));
        ICL_CO_TRY(co_await e.flush());
    }
    co_return co_await e.finish();
}

TEST_F(ClientServer, upload_and_answer_go_on_at_the_same_time) {
    serve(ping_pong);
    Client client(world, client_config());
    auto call = run(client.open({.method = Method::post, .target = "/", .streamed = true})).value();
    for (const auto* text : {"one", "two", "three"}) {
        ASSERT_TRUE(run(call->write_body(text)));
        ASSERT_TRUE(run(call->read_head()));
        EXPECT_EQ(run(call->read()).value(), "<" + std::string(text) + ">");
    }
    ASSERT_TRUE(run(call->finish_body()));
    EXPECT_EQ(run(call->read()).value(), "");
    call.reset();
    EXPECT_EQ(run(client.open({.target = "/"})).value()->status(), 0);
}

Async<> sized(Exchange& e) {
    ICL_CO_TRY(co_await e.start_sized(206, "application/octet-stream", 40000));
    ICL_CO_TRY(co_await e.write(std::string(20000, 'a')));
    ICL_CO_TRY(co_await e.write(std::string(20000, 'b')));
    co_return co_await e.finish();
}

TEST_F(ClientServer, sized_answers_announce_their_length) {
    serve(sized);
    Client client(world, client_config());
    auto answer = run(client.fetch({.target = "/"})).value();
    EXPECT_EQ(answer.headers.get("Content-Length"), "40000");
    EXPECT_EQ(answer.body, std::string(20000, 'a') + std::string(20000, 'b'));
    EXPECT_TRUE(run(client.fetch({.target = "/"})));
}

Async<> cut_short(Exchange& e) {
    e.start(200, "text/plain");
    ICL_CO_TRY(co_await e.write("half"));
    ICL_CO_TRY(co_await e.flush());
    co_return fail(Kind::internal, "broke");
}

TEST_F(ClientServer, an_answer_cut_short_is_never_complete) {
    serve(cut_short);
    Client client(world, client_config());
    auto answer = run(client.fetch({.target = "/"}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::corrupt);
}

Async<> failing(Exchange&) {
    co_return fail(Kind::internal, "no luck");
}

TEST_F(ClientServer, a_handler_that_fails_first_gives_500) {
    serve(failing);
    Client client(world, client_config());
    auto answer = run(client.fetch({.target = "/"})).value();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, "no luck\n");
}

TEST_F(ClientServer, unix_sockets_serve_too) {
    test::TempFolder folder;
    ServerConfig config;
    config.listen = {Multiaddr::parse("/unix" + folder.path("s")).value()};
    serve(echo, config);
    Client client(world, client_config());
    EXPECT_EQ(run(client.fetch({.target = "/u"})).value().body, "GET /u ");
}

TEST_F(ClientServer, a_port_in_use_is_named) {
    serve(echo);
    ServerConfig config;
    config.listen = server->addresses();
    Server second(world, config, echo);
    auto started = run(second.start());
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().text.find(config.listen[0].to_string()), std::string::npos);
}

TEST_F(ClientServer, nobody_listening_is_unavailable) {
    serve(echo);
    auto config = client_config();
    ASSERT_TRUE(run(server->stop(Duration{})));
    Client client(world, config);
    auto answer = run(client.fetch({.method = Method::post, .target = "/"}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::unavailable);
}

Async<> close_silently(Exchange& e) {
    // The answer never comes: to the client the outcome of a POST is open.
    e.start(200, "text/plain");
    co_return fail(Kind::internal, "gone");
}

TEST_F(ClientServer, a_post_without_an_answer_has_an_unknown_outcome) {
    serve(close_silently);
    Client client(world, client_config());
    auto post = run(client.fetch({.method = Method::post, .target = "/"}));
    ASSERT_FALSE(post);
    EXPECT_EQ(post.error().kind, Kind::unknown_outcome);
    auto get = run(client.fetch({.target = "/"}));
    ASSERT_FALSE(get);
    EXPECT_EQ(get.error().kind, Kind::unavailable);
}

TEST_F(ClientServer, stop_lets_a_running_request_end) {
    auto gate = std::make_shared<Gate>(world);
    serve([gate](Exchange& e) { return first_row_then_wait(e, gate); });
    Client client(world, client_config());
    auto call = run(client.send({.target = "/"})).value();
    EXPECT_EQ(run(call->read()).value(), "first\n");
    TaskGroup tasks(world, "test");
    gate->open = true;
    struct Wake {
        static asio::awaitable<void> later(World& w, std::shared_ptr<Gate> g) {
            (void)co_await w.sleep_for(std::chrono::milliseconds(20));
            g->signal.notify_all();
        }
    };
    tasks.spawn(Wake::later(world, gate));
    EXPECT_TRUE(run(server->stop(std::chrono::seconds(10))));
    EXPECT_EQ(server->connections(), 0u);
    EXPECT_EQ(run(call->read_all(100)).value(), "second\n");
    EXPECT_TRUE(run(tasks.stop()));
}

TEST_F(ClientServer, stop_cuts_what_outlasts_its_deadline) {
    auto gate = std::make_shared<Gate>(world);
    serve([gate](Exchange& e) { return first_row_then_wait(e, gate); });
    Client client(world, client_config());
    auto call = run(client.send({.target = "/"})).value();
    EXPECT_EQ(run(call->read()).value(), "first\n");
    EXPECT_TRUE(run(server->stop(std::chrono::milliseconds(20))));
    EXPECT_EQ(gate->cancelled, 1);
    EXPECT_FALSE(run(call->read_all(100)));
}

TEST_F(ClientServer, the_access_log_tells_each_request) {
    std::vector<std::string> lines;
    ServerConfig config;
    config.access_log = [&](std::string_view line) { lines.emplace_back(line); };
    serve(echo, config);
    Client client(world, client_config());
    ASSERT_TRUE(run(client.fetch({.target = "/x?y=1"})));
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_TRUE(lines[0].starts_with("127.0.0.1 - - ["));
    EXPECT_TRUE(lines[0].ends_with("] \"GET /x?y=1 HTTP/1.1\" 200 11")) << lines[0];
}

}  // namespace
}  // namespace ipfscluster::http
