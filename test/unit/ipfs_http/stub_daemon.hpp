#pragma once
#include <deque>
#include <map>
#include <set>

#include "base/encoding.hpp"
#include "ipfs/http/http_connector.hpp"
#include "runtime/signal.hpp"
#include "support/http_fixture.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::ipfshttp::test {

using namespace std::chrono_literals;

/// One scripted answer of the stub.
struct Answer {
    enum class End { clean, cut, hang };
    int status = 200;
    std::vector<std::string> pieces;
    std::string trailer = {};
    End end = End::clean;
    Duration pause{};  ///< before each piece
};

inline Answer fault(std::string message, int status = 500) {
    return {.status = status,
            .pieces = {"{\"Message\":\"" + message + "\",\"Code\":0,\"Type\":\"error\"}\n"}};
}
inline Answer late(std::vector<std::string> pieces, std::string trailer) {
    return {.pieces = std::move(pieces), .trailer = std::move(trailer)};
}

/// A daemon inside the test that does what it is told, on a unix socket; counts what it sees.
class StubTest : public ipfscluster::test::HttpFixture {
 protected:
    StubTest() : released(world.executor()) {
        answers["id"].push_back(
            {.pieces = {
                 R"({"ID":"12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp","Addresses":["/ip4/127.0.0.1/tcp/4001"]})"}});
        options.node = Multiaddr::parse("/unix" + socket_path()).value();
        options.request_timeout = 10s;
        options.pin_timeout = 10s;
        options.client.self = "alpha";
        options.client.times = {.probe_interval = 100ms, .health_interval = 60s};
        options.client.silence = 300ms;
        options.client.probe_limit = 10s;
    }
    ~StubTest() override {
        release();
        if (connector) {
            EXPECT_TRUE(run(connector->stop()));
        }
        // Its handlers use the members below.
        if (server) {
            EXPECT_TRUE(run(server->stop(Duration{})));
        }
        server.reset();
    }

    std::string socket_path() const { return folder.path() + "/api.sock"; }

    void start_stub() {
        http::ServerConfig config;
        config.listen = {options.node};
        serve([this](http::Exchange& e) { return handle(e); }, std::move(config));
    }
    void make_connector() {
        connector = std::move(HttpConnector::make(world, options)).value();
        ASSERT_TRUE(run(connector->start()));
    }
    /// Stub and connector, which has seen the stub.
    void begin() {
        start_stub();
        make_connector();
        ASSERT_TRUE(run(until([this] { return connector->client().breaker().closed(); })));
    }
    Async<> until(std::function<bool()> holds) {
        while (!holds()) {
            ICL_CO_TRY(co_await world.sleep_for(5ms));
        }
        co_return ok();
    }
    /// The last answer of a call stays; the others are used up.
    void answer(const std::string& call, std::deque<Answer> list) {
        answers[call] = std::move(list);
    }
    /// How often a call came.
    std::size_t count(const std::string& path) const {
        std::size_t n = 0;
        for (const auto& call : calls) n += call.substr(0, call.find('?')) == path ? 1 : 0;
        return n;
    }
    std::string last(const std::string& path) const {
        std::string found;
        for (const auto& call : calls)
            if (call.substr(0, call.find('?')) == path) found = call;
        return found;
    }
    void release() {
        hanging = false;
        released.notify_all();
    }

    template <class T>
    static Async<std::vector<T>> collect(SourcePtr<T> source) {
        std::vector<T> all;
        while (true) {
            ICL_CO_TRY(auto item, co_await source->next());
            if (!item) co_return all;
            all.push_back(std::move(*item));
        }
    }

    Async<> handle(http::Exchange& e) {
        const std::string path(e.request.path.substr(std::string_view("/api/v0/").size()));
        auto body = co_await e.read_whole_body(16 << 20);
        if (!body) co_return fail(body.error());
        bodies.push_back(std::move(body).value());
        calls.push_back(path + "?" + std::string(e.request.query));
        ++running[path];
        most_running[path] = std::max(most_running[path], running[path]);
        auto done = co_await play(e, path);
        --running[path];
        if (!done && done.error().kind == Kind::cancelled) ++cut_by_client[path];
        co_return done;
    }

    Async<> play(http::Exchange& e, std::string path) {
        while (hanging) {
            ICL_CO_TRY(co_await released.wait());
        }
        const std::string by_type =
            path + " " +
            std::string(e.request.query.find("type=direct") != std::string_view::npos
                            ? "direct"
                            : "recursive");
        auto& list = answers.contains(by_type) ? answers[by_type] : answers[path];
        if (list.empty()) co_return co_await e.respond(404, "text/plain", "404 page not found\n");
        const Answer now = list.front();
        if (list.size() > 1) list.pop_front();
        if (now.status != 200)
            co_return co_await e.respond(now.status, "application/json", now.pieces.front());
        e.headers.add("Trailer", "X-Stream-Error");
        e.start(200, "application/json");
        for (const auto& piece : now.pieces) {
            if (now.pause.count() > 0) {
                ICL_CO_TRY(co_await world.sleep_for(now.pause));
            }
            ICL_CO_TRY(co_await e.write(piece + "\n"));
            ICL_CO_TRY(co_await e.flush());
        }
        if (now.end == Answer::End::cut) {
            ICL_CO_TRY(co_await e.flush());
            co_return fail(Kind::internal, "cut on purpose");
        }
        if (now.end == Answer::End::hang) {
            ICL_CO_TRY(co_await e.flush());
            while (true) {
                ICL_CO_TRY(co_await released.wait());
            }
        }
        if (!now.trailer.empty()) e.add_trailer("X-Stream-Error", now.trailer);
        co_return co_await e.finish();
    }

    ipfscluster::test::TempFolder folder;
    HttpConnectorOptions options;
    std::map<std::string, std::deque<Answer>> answers;  ///< by path, or "pin/ls direct"
    std::vector<std::string> calls;                     ///< "path?query"
    std::vector<Bytes> bodies;
    std::map<std::string, int> running, most_running, cut_by_client;
    bool hanging = false;
    Signal released;
    std::unique_ptr<HttpConnector> connector;

    const Cid cid =
        Cid::parse("bafkreiem4twkqzsq2aj4shbycd4yvoj2cx72vezicletlhi7dijjciqpui").value();
    const Cid other = Cid::parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn").value();
    const std::string pinned = "{\"Pins\":[\"" + cid.to_string() + "\"]}";
    Pin wanted(int depth = kDepthRecursive) const {
        Pin pin;
        pin.cid = cid;
        pin.max_depth = depth;
        return pin;
    }
    std::string row(const Cid& c, const std::string& type) const {
        return "{\"Cid\":\"" + c.to_string() + "\",\"Type\":\"" + type + "\"}";
    }
    void nothing_is_pinned() {
        answer("pin/ls", {fault("path '" + cid.to_string() + "' is not pinned")});
    }
};

}  // namespace ipfscluster::ipfshttp::test
