#pragma once
#include <gtest/gtest.h>

#include "cluster/peer_client.hpp"
#include "cluster/rpc_handlers.hpp"
#include "multi/key_pair.hpp"
#include "multi/multihash.hpp"
#include "net/memory_host.hpp"
#include "support/drive.hpp"
#include "support/fake_cluster_api.hpp"
#include "support/fake_parts.hpp"

namespace ipfscluster::cluster::test {

using namespace std::chrono_literals;
using codec::Empty;
using ipfscluster::test::drive;

inline PeerId peer(char number) {
    return ed25519_from_seed(Bytes(32, number)).id;
}
inline Cid raw_cid(const Bytes& data) {
    return Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, data).value());
}

/// Peer 1 serves with its handlers; peer 2 asks.
struct Fixture : ::testing::Test {
    Fixture()
        : world(3),
          network(world),
          host(network.add_host(peer(1))),
          asking_host(network.add_host(peer(2))),
          server(world, *host, {.known = [](const PeerId&) { return ok(); }, .find_out = {}}),
          client(world, *asking_host),
          peers(client) {
        asking_host->add_addresses(peer(1), {network.address_of(peer(1))});
        api.us = peer(1);
        register_rpc_handlers(server, {.api = api,
                                       .tracker = tracker,
                                       .ipfs = ipfs,
                                       .log = consensus,
                                       .members = consensus,
                                       .alive = [this] { return alive; }});
        server.start();
    }
    ~Fixture() override {
        ICL_EXPECT_OK(drive(world, server.stop()));
        world.run_for(1min);
    }

    SimWorld world;
    net::MemoryNetwork network;
    std::unique_ptr<net::MemoryHost> host;
    std::unique_ptr<net::MemoryHost> asking_host;
    ipfscluster::test::FakeClusterApi api;
    ipfscluster::test::TableTracker tracker;
    ipfscluster::test::BlockIpfs ipfs;
    ipfscluster::test::LoneConsensus consensus;
    Result<> alive = ok();
    rpc::Server server;
    rpc::Client client;  ///< of peer 2
    PeerClient peers;
};

template <class T>
Async<std::vector<T>> collect(SourcePtr<T> source) {
    std::vector<T> all;
    while (true) {
        Result<std::optional<T>> item = co_await source->next();
        if (!item) co_return fail(item.error());
        if (!item.value()) co_return all;
        all.push_back(std::move(*item.value()));
    }
}

}  // namespace ipfscluster::cluster::test
