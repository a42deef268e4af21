// A peer with made-up contents that serves the RPC methods over libp2p, for the Go program beside
// it. Usage: gorpc_peer SECRET_HEX. Prints its address, then serves until standard input ends.
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <iostream>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "cluster/rpc_handlers.hpp"
#include "multi/key_pair.hpp"
#include "multi/multihash.hpp"
#include "net/bridge_host.hpp"
#include "runtime/asio_world.hpp"
#include "support/fake_cluster_api.hpp"
#include "support/fake_parts.hpp"

namespace ipfscluster {
namespace {

struct Parts {
    test::FakeClusterApi api;
    test::TableTracker tracker;
    test::BlockIpfs ipfs;
    test::LoneConsensus consensus;

    void fill(const PeerId& self) {
        api.us = self;
        for (int i = 0; i < 1000; ++i) {
            const auto digest = multihash_digest(HashCode::sha2_256, std::to_string(i)).value();
            PinInfo row;
            row.cid = i % 2 == 0 ? Cid::v1(Codec::raw, digest) : Cid::v0(digest);
            row.name = "item " + std::to_string(i);
            row.peer = self;
            row.allocations = {self};
            row.created = Time(std::chrono::seconds(1700000000 + i));
            row.metadata["number"] = std::to_string(i);
            row.info.peername = "made-up";
            row.info.ipfs_peer = self;
            row.info.ipfs_addresses = {Multiaddr::parse("/ip4/127.0.0.1/tcp/4001").value()};
            row.info.status =
                i % 2 == 0 ? TrackerStatus::pinned : TrackerStatus::unexpectedly_unpinned;
            row.info.timestamp = Time(std::chrono::nanoseconds(1700000000123456789));
            row.info.attempt_count = i;
            tracker.rows[row.cid] = row;
        }
    }
};

Async<> serve(AsioWorld* world, asio::posix::stream_descriptor* input, Bytes secret) {
    Bytes seed;
    while (seed.size() < 32) put_be64(seed, world->random_u64());
    const auto key = ed25519_from_seed(seed);
    net::BridgeHostOptions options;
    options.private_key = key.private_key;
    options.secret = std::move(secret);
    options.listen = {Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()};
    auto host = co_await net::BridgeHost::start(*world, options);
    if (!host) co_return fail(host.error());
    Parts parts;
    parts.fill(host.value()->id());
    rpc::Server server(*world, *host.value(),
                       {.known = [](const PeerId&) { return ok(); }, .find_out = {}});
    cluster::register_rpc_handlers(server, {.api = parts.api,
                                            .tracker = parts.tracker,
                                            .ipfs = parts.ipfs,
                                            .log = parts.consensus,
                                            .members = parts.consensus,
                                            .alive = [] { return Result<>(ok()); }});
    server.start();
    std::cout << host.value()->addresses().at(0).to_string() << std::endl;

    char byte = 0;
    boost::system::error_code ec;
    while (!ec) {
        auto buffer = asio::buffer(&byte, 1);
        co_await input->async_read_some(buffer, asio::redirect_error(asio::use_awaitable, ec));
    }
    auto stopped = co_await server.stop();
    if (!stopped) co_return stopped;
    auto closed = co_await host.value()->close();
    co_return closed;
}

asio::awaitable<void> run(AsioWorld* world, asio::posix::stream_descriptor* input, Bytes secret,
                          int* status) {
    auto served = co_await serve(world, input, std::move(secret));
    if (served) {
        *status = 0;
        co_return;
    }
    std::cerr << "gorpc_peer: " << served.error().text << "\n";
}

}  // namespace
}  // namespace ipfscluster

int main(int argc, char** argv) {
    using namespace ipfscluster;
    const auto secret =
        argc == 2 ? hex_decode(argv[1]) : Result<Bytes>(fail(Kind::invalid, "one argument"));
    if (!secret) {
        std::cerr << "usage: gorpc_peer SECRET_HEX\n";
        return 2;
    }
    init_logging();
    int status = 1;
    asio::io_context io(1);
    AsioWorld world(io);
    asio::posix::stream_descriptor input(io, ::dup(STDIN_FILENO));
    asio::co_spawn(io, run(&world, &input, secret.value(), &status), asio::detached);
    io.run();
    world.join();
    return status;
}
