#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "multi/key_pair.hpp"
#include "net/bridge_host.hpp"
#include "runtime/asio_world.hpp"
#include "runtime/task_group.hpp"

/// Hosts over the real network library for tests, on loopback.
namespace ipfscluster::net {

using namespace std::chrono_literals;

inline constexpr auto kEcho = "/test/echo/1";
inline constexpr auto kLimit = 30s;

template <class T>
asio::awaitable<void> keep(Async<T> work, std::optional<Result<T>>& out) {
    auto result = co_await std::move(work);
    out.emplace(std::move(result));
}

inline asio::awaitable<void> echo(StreamPtr stream) {
    while (true) {
        auto data = co_await stream->read();
        if (!data || data.value().empty()) break;
        auto written = co_await stream->write(std::move(data).value());
        if (!written) co_return;
    }
    auto closed = co_await stream->close_write();
    (void)closed;
}

inline Async<Bytes> ask(Host* host, PeerId to, Bytes question) {
    std::vector<std::string> names{"/test/other/1", kEcho};
    auto stream = co_await host->open(to, std::move(names), kLimit);
    if (!stream) co_return fail(stream.error());
    auto written = co_await stream.value()->write(std::move(question));
    if (!written) co_return fail(written.error());
    auto closed = co_await stream.value()->close_write();
    if (!closed) co_return fail(closed.error());
    Bytes all;
    while (true) {
        auto data = co_await stream.value()->read();
        if (!data) co_return fail(data.error());
        if (data.value().empty()) co_return std::move(all);
        all += data.value();
    }
}

struct BridgeFixture : ::testing::Test {
    ~BridgeFixture() override {
        EXPECT_TRUE(run<void>(tasks.stop()));
        hosts.clear();
        world.join();
    }

    template <class T>
    Result<T> run(Async<T> work) {
        std::optional<Result<T>> out;
        asio::co_spawn(io, keep<T>(std::move(work), out), asio::detached);
        until([&out] { return out.has_value(); });
        if (!out) return fail(Kind::timeout, "the test came to a halt");
        return std::move(*out);
    }
    bool until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 2 * kLimit;
        while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(100ms);
        return done();
    }

    BridgeHost& host(Bytes secret = {}, Bytes key = generate_ed25519().private_key) {
        auto options = usual_options();
        options.private_key = std::move(key);
        options.secret = std::move(secret);
        return host_with(std::move(options));
    }
    static BridgeHostOptions usual_options() {
        BridgeHostOptions options;
        options.private_key = generate_ed25519().private_key;
        options.listen = {Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()};
        options.gossip.heartbeat = 100ms;
        options.reach.private_addresses = true;
        return options;
    }
    BridgeHost& host_with(BridgeHostOptions options) {
        auto started =
            run<std::unique_ptr<BridgeHost>>(BridgeHost::start(world, std::move(options)));
        EXPECT_TRUE(started) << started.error().text;
        hosts.push_back(std::move(started).value());
        return *hosts.back();
    }
    void serve(Host& host) {
        host.handle(kEcho, [this](StreamPtr stream) { tasks.spawn(echo(std::move(stream))); });
    }
    Result<> connect(Host& from, Host& to) {
        return run<void>(from.connect(to.id(), to.addresses(), kLimit));
    }

    asio::io_context io{1};
    // The network wakes the loop from outside, so it must not end while it has nothing to do.
    asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
    AsioWorld world{io};
    TaskGroup tasks{world, "test"};
    std::vector<std::unique_ptr<BridgeHost>> hosts;
};

}  // namespace ipfscluster::net
