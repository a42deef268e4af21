// A daemon that is not there, or is there and silent.
#include <boost/asio/local/stream_protocol.hpp>

#include "stub_daemon.hpp"

namespace ipfscluster::ipfshttp {
namespace {

using namespace test;

class AwayTest : public StubTest {
 protected:
    bool closed() const { return connector->client().breaker().closed(); }
    void stop_stub() {
        ASSERT_TRUE(run(server->stop(Duration{})));
        server.reset();
    }
};

TEST_F(AwayTest, the_peer_may_start_first) {
    make_connector();
    EXPECT_FALSE(connector->ready());
    ASSERT_TRUE(run(until([this] { return connector->client().probes() >= 2; })));
    const auto id = run(connector->id());
    EXPECT_EQ(id.error().kind, Kind::unavailable);
    EXPECT_NE(id.error().text.find("api.sock"), std::string::npos) << id.error().text;
    start_stub();
    ASSERT_TRUE(run(until([this] { return connector->ready(); })));
    EXPECT_TRUE(run(connector->id()));
}

TEST_F(AwayTest, no_connection_opens_at_once_and_probes_are_rare) {
    begin();
    nothing_is_pinned();
    EXPECT_TRUE(connector->daemon().available);
    EXPECT_EQ(connector->daemon().reason, "");
    stop_stub();
    EXPECT_EQ(run(connector->pin(wanted(), {})).error().kind, Kind::unavailable);
    EXPECT_FALSE(connector->daemon().available);
    EXPECT_NE(connector->daemon().reason, "");
    int told = 0;
    connector->on_daemon([this, &told] {
        EXPECT_TRUE(connector->daemon().available);
        ++told;
    });
    const auto start = world.steady_now();
    const auto probes = connector->client().probes();
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(run(connector->pin(wanted(), {})).error().kind, Kind::unavailable);
        EXPECT_EQ(run(connector->unpin(cid)).error().kind, Kind::unavailable);
        EXPECT_FALSE(run(collect(connector->pin_ls({}))));
        ASSERT_TRUE(run(world.sleep_for(2ms)));
    }
    const auto took = world.steady_now() - start;
    EXPECT_LE(connector->client().probes() - probes, 1 + static_cast<std::uint64_t>(took / 100ms));
    EXPECT_TRUE(connector->ready());  // that it was there once
    EXPECT_EQ(told, 0);
    start_stub();
    const auto back = world.steady_now();
    ASSERT_TRUE(run(until([&told] { return told > 0; })));
    EXPECT_LE(world.steady_now() - back, 1s);
    connector->on_daemon(nullptr);
    answer("pin/add", {{.pieces = {pinned}}});
    EXPECT_TRUE(run(connector->pin(wanted(), {})));
}

TEST_F(AwayTest, a_silent_daemon_is_found_out_and_found_back) {
    options.client.probe_limit = 400ms;
    begin();
    nothing_is_pinned();
    answer("pin/add", {{.pieces = {pinned}}});
    hanging = true;  // it accepts and never answers
    const auto first = run(connector->pin(wanted(), {}));
    EXPECT_EQ(first.error().kind, Kind::unavailable);
    EXPECT_FALSE(closed());
    // From now on nothing waits and only probes reach it.
    const auto before = calls.size();
    const auto start = world.steady_now();
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(run(connector->pin(wanted(), {})).error().kind, Kind::unavailable);
        EXPECT_EQ(run(connector->repo_stat()).error().kind, Kind::unavailable);
        EXPECT_EQ(run(connector->open_blocks()).error().kind, Kind::unavailable);
        ASSERT_TRUE(run(world.sleep_for(5ms)));
    }
    const auto took = world.steady_now() - start;
    EXPECT_LE(calls.size() - before, 2 + static_cast<std::size_t>(took / 100ms));
    for (std::size_t i = before; i < calls.size(); ++i) EXPECT_EQ(calls[i], "id?");
    release();
    ASSERT_TRUE(run(until([this] { return closed(); })));
    EXPECT_TRUE(run(connector->pin(wanted(), {})));
}

TEST_F(AwayTest, a_pin_that_runs_outlives_a_pause_of_the_daemon) {
    options.client.probe_limit = 300ms;
    begin();
    nothing_is_pinned();
    Answer paused{.pieces = {R"({"Progress":1})", pinned}, .pause = 1s};
    answer("pin/add", {paused});
    TaskGroup tasks(world, "pins");
    std::optional<Result<>> done;
    struct One {
        static asio::awaitable<void> pin(HttpConnector* c, Pin p, std::optional<Result<>>* out) {
            auto r = co_await c->pin(std::move(p), {});
            out->emplace(std::move(r));
        }
    };
    tasks.spawn(One::pin(connector.get(), wanted(), &done));
    ASSERT_TRUE(run(until([this] { return running["pin/add"] == 1; })));
    hanging = true;  // for every other call
    ASSERT_TRUE(run(until([this] { return !closed(); })));
    ASSERT_TRUE(run(tasks.drain()));
    EXPECT_TRUE(*done) << done->error().text;
    release();
}

TEST_F(AwayTest, a_daemon_that_dies_under_a_pin_is_away) {
    begin();
    nothing_is_pinned();
    answer("pin/add", {{.pieces = {R"({"Progress":1})"}, .end = Answer::End::hang}});
    TaskGroup tasks(world, "pins");
    std::optional<Result<>> done;
    struct One {
        static asio::awaitable<void> pin(HttpConnector* c, Pin p, std::optional<Result<>>* out) {
            auto r = co_await c->pin(std::move(p), {});
            out->emplace(std::move(r));
        }
    };
    tasks.spawn(One::pin(connector.get(), wanted(), &done));
    ASSERT_TRUE(run(until([this] { return running["pin/add"] == 1; })));
    stop_stub();
    ASSERT_TRUE(run(tasks.drain()));
    EXPECT_EQ(done->error().kind, Kind::unavailable) << done->error().text;
    EXPECT_FALSE(closed());
}

TEST_F(AwayTest, a_call_that_takes_its_time_is_no_fault_of_the_daemon) {
    options.request_timeout = 1s;
    begin();
    answer("repo/stat", {{.pieces = {}, .end = Answer::End::hang}});
    const auto stat = run(connector->repo_stat());
    EXPECT_EQ(stat.error().kind, Kind::timeout) << stat.error().text;
    EXPECT_TRUE(closed());
    EXPECT_GE(connector->client().probes(), 2u);  // it was asked meanwhile
    answer("repo/stat", {{.pieces = {R"({"RepoSize":1})"}}});
    EXPECT_TRUE(run(connector->repo_stat()));
}

TEST_F(AwayTest, calls_that_wait_for_a_connection_do_not_make_the_daemon_away) {
    options.client.probe_limit = 400ms;
    options.request_timeout = 1500ms;
    begin();
    answer("cat", {{.pieces = {"x"}, .end = Answer::End::hang}});
    answer("repo/stat", {{.pieces = {R"({"RepoSize":1})"}}});
    std::vector<SourcePtr<Bytes>> held;
    while (held.size() < static_cast<std::size_t>(options.concurrent_pins) +
                             component::kSlowPinsMax + kConnectionsBesidePins)
        held.push_back(std::move(run(connector->cat(cid, 0, UINT64_MAX)).value()));
    const auto probes = connector->client().probes();
    const auto stat = run(connector->repo_stat());
    ASSERT_FALSE(stat);
    EXPECT_EQ(stat.error().kind, Kind::timeout) << stat.error().text;
    EXPECT_TRUE(closed()) << connector->client().breaker().reason();
    EXPECT_GE(connector->client().probes(), probes + 2);
    held.pop_back();
    EXPECT_TRUE(run(connector->repo_stat()));
}

TEST_F(AwayTest, pins_leave_connections_for_other_calls) {
    options.concurrent_pins = 70;
    begin();
    nothing_is_pinned();
    answer("pin/add", {{.pieces = {R"({"Progress":1})"}, .end = Answer::End::hang}});
    answer("repo/stat", {{.pieces = {R"({"RepoSize":1})"}}});
    TaskGroup tasks(world, "pins");
    struct One {
        static asio::awaitable<void> pin(HttpConnector* c, Pin p) {
            auto done = co_await c->pin(std::move(p), {});
            EXPECT_FALSE(done);
        }
    };
    for (int i = 0; i < options.concurrent_pins; ++i)
        tasks.spawn(One::pin(connector.get(), wanted()));
    EXPECT_TRUE(run(until([this] { return running["pin/add"] == options.concurrent_pins; })));
    EXPECT_TRUE(run(connector->repo_stat()));
    EXPECT_TRUE(closed());
    EXPECT_TRUE(run(tasks.stop()));
}

TEST_F(AwayTest, identity_is_reported_when_it_is_known) {
    std::vector<IpfsId> told;
    options.client.on_id = [&told](const IpfsId& id) { told.push_back(id); };
    begin();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_FALSE(told[0].id.empty());
}

/// Answers `id` properly and everything else with a body that only the end of the connection ends.
struct Endless {
    using Acceptor = asio::local::stream_protocol::acceptor;
    static asio::awaitable<void> serve(Acceptor* acceptor, std::string id, std::string body) {
        while (true) {
            boost::system::error_code ec;
            auto socket =
                co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, ec));
            if (ec) co_return;
            std::string request;
            char piece[4096];
            while (!ec && request.find("\r\n\r\n") == std::string::npos) {
                const auto got = co_await socket.async_read_some(
                    asio::buffer(piece), asio::redirect_error(asio::use_awaitable, ec));
                request.append(piece, got);
            }
            const bool whole = request.find("/api/v0/id ") != std::string::npos;
            std::string answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
            if (whole) answer += "Content-Length: " + std::to_string(id.size()) + "\r\n";
            answer += "\r\n" + (whole ? id : body);
            co_await asio::async_write(socket, asio::buffer(answer),
                                       asio::redirect_error(asio::use_awaitable, ec));
        }
    }
};

TEST_F(AwayTest, an_answer_that_does_not_say_where_it_ends_is_refused) {
    asio::local::stream_protocol::acceptor acceptor(
        io, asio::local::stream_protocol::endpoint(socket_path()));
    TaskGroup tasks(world, "endless");
    tasks.spawn(Endless::serve(&acceptor, answers["id"].front().pieces.front(),
                               row(cid, "recursive") + "\n"));
    make_connector();
    ASSERT_TRUE(run(until([this] { return closed(); })));
    // The row may be all there is, or the first of a million.
    const auto listed = run(collect(connector->pin_ls({})));
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().kind, Kind::corrupt);
    EXPECT_NE(listed.error().text.find("does not say where it ends"), std::string::npos)
        << listed.error().text;
    ASSERT_TRUE(run(tasks.stop()));
}

TEST_F(AwayTest, an_address_that_is_none_is_refused) {
    options.node = Multiaddr::parse("/ip4/127.0.0.1/udp/5001").value();
    EXPECT_EQ(HttpConnector::make(world, options).error().kind, Kind::invalid);
}

}  // namespace
}  // namespace ipfscluster::ipfshttp
