#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "http/client.hpp"
#include "http/server.hpp"
#include "runtime/asio_world.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::test {

/// Longest a test waits for anything; reached only by a failing one.
inline constexpr Duration kTestLimit = std::chrono::seconds(20);

/// A real io_context with an HTTP server on a free loopback port. Calls `run` drive the loop until
/// the given work has ended.
class HttpFixture : public ::testing::Test {
 protected:
    ~HttpFixture() override {
        if (server) {
            EXPECT_TRUE(run(server->stop(Duration{})));
        }
        world.join();
    }

    template <class T>
    Result<T> run(Async<T> work) {
        std::optional<Result<T>> out;
        asio::co_spawn(io,
                       keep<T>(with_deadline<T>(world, kTestLimit, "test", std::move(work)), out),
                       [](std::exception_ptr error) {
                           if (error) std::rethrow_exception(error);
                       });
        io.restart();
        while (!out) io.run_one();
        return std::move(*out);
    }

    void serve(http::Handler handler, http::ServerConfig config = {}) {
        if (config.listen.empty())
            config.listen = {Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()};
        server = std::make_unique<http::Server>(world, std::move(config), std::move(handler));
        auto started = run(server->start());
        ASSERT_TRUE(started) << started.error().text;
    }

    http::ClientConfig client_config() {
        auto config = http::client_config_for(server->addresses().front()).value();
        return config;
    }

    /// Sends bytes as they are and gives all that comes back until the server closes.
    std::string raw(std::string text) {
        auto got = run(raw_exchange(std::move(text)));
        EXPECT_TRUE(got) << got.error().text;
        return got ? got.value() : std::string();
    }

    Async<std::unique_ptr<asio::ip::tcp::socket>> raw_connect() {
        auto socket = std::make_unique<asio::ip::tcp::socket>(io);
        boost::system::error_code ec;
        const asio::ip::tcp::endpoint to(asio::ip::address_v4::loopback(), client_config().port);
        co_await socket->async_connect(to, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return fail(Kind::unavailable, ec.message());
        co_return socket;
    }

    static Async<> raw_send(asio::ip::tcp::socket* socket, std::string text) {
        boost::system::error_code ec;
        co_await asio::async_write(*socket, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return fail(Kind::unavailable, ec.message());
        co_return ok();
    }

    /// Reads until `until` has been seen (or, when empty, until the end).
    static Async<std::string> raw_read(asio::ip::tcp::socket* socket, std::string until) {
        std::string all;
        char piece[4096];
        while (until.empty() || all.find(until) == std::string::npos) {
            boost::system::error_code ec;
            const auto got = co_await socket->async_read_some(
                asio::buffer(piece), asio::redirect_error(asio::use_awaitable, ec));
            all.append(piece, got);
            if (ec) break;
        }
        co_return all;
    }

    Async<std::string> raw_exchange(std::string text) {
        ICL_CO_TRY(auto socket, co_await raw_connect());
        ICL_CO_TRY(co_await raw_send(socket.get(), std::move(text)));
        auto all = co_await raw_read(socket.get(), "");
        co_return all;
    }

    asio::io_context io{1};
    AsioWorld world{io};
    std::unique_ptr<http::Server> server;

 private:
    template <class T>
    static asio::awaitable<void> keep(Async<T> work, std::optional<Result<T>>& out) {
        auto result = co_await std::move(work);
        out.emplace(std::move(result));
    }
};

}  // namespace ipfscluster::test
