#pragma once
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "model/peer_info.hpp"
#include "multi/key_pair.hpp"
#include "net/memory_host.hpp"
#include "rpc/client.hpp"
#include "rpc/server.hpp"
#include "support/drive.hpp"

namespace ipfscluster::rpc::test {

using namespace std::chrono_literals;
using codec::Empty;
using ipfscluster::test::drive;
using ipfscluster::test::start;

inline PeerId peer(char number) {
    return ed25519_from_seed(Bytes(32, number)).id;
}
inline Bytes hex(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c != ' ') digits.push_back(c);
    return hex_decode(digits).value();
}

/// What the handlers saw.
struct Seen {
    int calls = 0;
    int cancelled = 0;
    int produced = 0;
    int received = 0;
    bool source_gone = false;
    PeerId caller;
};

inline Async<std::int64_t> twice(Seen* seen, PeerId caller, std::int64_t value) {
    ++seen->calls;
    seen->caller = std::move(caller);
    co_return 2 * value;
}

inline Async<Empty> fail_with(Kind kind, std::string text) {
    co_return fail(kind, std::move(text));
}

inline Async<Empty> sleep_long(World* world, Seen* seen) {
    ++seen->calls;
    auto slept = co_await world->sleep_for(1h);
    if (!slept) ++seen->cancelled;
    if (!slept) co_return fail(slept.error());
    co_return Empty{};
}

/// Counts up to `count`, then ends or fails.
class Counting final : public Source<std::string> {
 public:
    Counting(World* world, Seen* seen, int count, bool fails)
        : world_(world), seen_(seen), count_(count), fails_(fails) {}
    ~Counting() override { seen_->source_gone = true; }
    Async<std::optional<std::string>> next() override {
        if (seen_->produced == count_) {
            if (fails_) co_return fail(Kind::disk_full, "no room at the other side");
            co_return std::optional<std::string>{};
        }
        auto slept = co_await world_->sleep_for(1us);
        if (!slept) co_return fail(slept.error());
        co_return std::optional<std::string>(std::string(1000, 'x') +
                                             std::to_string(seen_->produced++));
    }

 private:
    World* world_;
    Seen* seen_;
    int count_;
    bool fails_;
};

/// Takes blocks; fails at the one numbered `fail_at`; gives back their number at the end.
class Counter final : public Source<std::int64_t> {
 public:
    Counter(Seen* seen, SourcePtr<NodeWithMeta> blocks, int fail_at)
        : seen_(seen), blocks_(std::move(blocks)), fail_at_(fail_at) {}
    ~Counter() override { seen_->source_gone = true; }
    Async<std::optional<std::int64_t>> next() override {
        if (ended_) co_return std::optional<std::int64_t>{};
        while (true) {
            auto block = co_await blocks_->next();
            if (!block) co_return fail(block.error());
            if (!block.value()) break;
            if (++seen_->received == fail_at_)
                co_return fail(Kind::disk_full, "disk full on a peer");
        }
        ended_ = true;
        co_return std::optional<std::int64_t>(seen_->received);
    }

 private:
    Seen* seen_;
    SourcePtr<NodeWithMeta> blocks_;
    int fail_at_;
    bool ended_ = false;
};

/// Two peers: `server_host` serves, `client_host` calls.
struct Fixture : ::testing::Test {
    Fixture()
        : world(7),
          network(world),
          server_host(network.add_host(peer(1))),
          client_host(network.add_host(peer(2))),
          server(
              world, *server_host,
              {.known = [this](const PeerId& id) -> Result<> {
                   if (trusted && id == peer(2)) return ok();
                   return fail(distrust);
               },
               .find_out = [this](PeerId, Error unsure) { return find_out(std::move(unsure)); }}),
          client(world, *client_host) {
        client_host->add_addresses(peer(1), {network.address_of(peer(1))});
        register_methods(server);
        server.start();
    }
    ~Fixture() override {
        ICL_EXPECT_OK(drive(world, server.stop()));
        world.run_for(1min);
    }

    void register_methods(Server& s) {
        const auto add_twice = [&](const char* name, Policy policy) {
            s.unary<std::int64_t, std::int64_t>("Cluster", name, policy,
                                                [this](PeerId caller, std::int64_t value) {
                                                    return twice(&seen, std::move(caller), value);
                                                });
        };
        add_twice("Open", Policy::open);
        add_twice("Trusted", Policy::trusted);
        s.refuse("Cluster", {"Pin"});
        s.unary<Empty, codec::Version>("Cluster", "Version", Policy::open,
                                       [](PeerId, Empty) { return version(); });
        s.unary<Empty, Empty>("Cluster", "Long", Policy::open,
                              [this](PeerId, Empty) { return sleep_long(&world, &seen); });
        s.unary<Empty, Empty>("Cluster", "Conflict", Policy::open,
                              [](PeerId, Empty) { return fail_with(Kind::conflict, "moved on"); });
        s.unary<Empty, Empty>("Cluster", "Silent", Policy::open,
                              [](PeerId, Empty) { return fail_with(Kind::internal, ""); });
        s.stream<std::int64_t, std::string>(
            "Cluster", "Count", Policy::open,
            [this](PeerId, SourcePtr<std::int64_t>) -> SourcePtr<std::string> {
                return std::make_unique<Counting>(&world, &seen, count, fails);
            });
        for (const auto& [name, policy] :
             {std::pair("Blocks", Policy::open), std::pair("Store", Policy::trusted)})
            s.stream<NodeWithMeta, std::int64_t>(
                "Cluster", name, policy,
                [this](PeerId, SourcePtr<NodeWithMeta> blocks) -> SourcePtr<std::int64_t> {
                    return std::make_unique<Counter>(&seen, std::move(blocks), fail_at);
                });
    }
    Async<> find_out(Error unsure) {
        ++questions;
        if (found_out) co_return ok();
        co_return fail(found_out.error().kind, std::move(unsure.text));
    }
    static Async<codec::Version> version() { co_return codec::Version{"1.1.6"}; }

    template <class Reply, class Arg>
    Result<Reply> call(const char* method, Arg arg, CallOptions options = {}) {
        return drive(world,
                     client.call<Reply>(peer(1), {"Cluster", method}, std::move(arg), options));
    }
    /// Sends bytes on a fresh stream and gives all that comes back until the end.
    static Async<Bytes> exchange(net::Host* host, Bytes request, bool close) {
        std::vector<std::string> protocols(1, std::string(kRpcProtocol));
        auto stream = co_await host->open(peer(1), std::move(protocols), 10s);
        if (!stream) co_return fail(stream.error());
        auto written = co_await stream.value()->write(std::move(request));
        if (!written) co_return fail(written.error());
        if (close) {
            auto closed = co_await stream.value()->close_write();
            if (!closed) co_return fail(closed.error());
        }
        Bytes all;
        while (true) {
            auto piece = co_await stream.value()->read();
            if (!piece) co_return fail(piece.error());
            if (piece.value().empty()) break;
            all += piece.value();
        }
        co_return all;
    }
    Result<Bytes> raw(Bytes request, bool close = false) {
        return drive(world, exchange(client_host.get(), std::move(request), close));
    }

    SimWorld world;
    net::MemoryNetwork network;
    std::unique_ptr<net::MemoryHost> server_host;
    std::unique_ptr<net::MemoryHost> client_host;
    bool trusted = true;
    Error distrust{Kind::denied, "not a member"};
    Result<> found_out = ok();  ///< by a question
    int questions = 0;
    Seen seen;
    int count = 3;
    bool fails = false;
    int fail_at = -1;
    Server server;
    Client client;
};

}  // namespace ipfscluster::rpc::test
