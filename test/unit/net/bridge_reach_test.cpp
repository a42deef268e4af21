// Finding and reaching peers over the real network library: on loopback, and for mDNS in a network
// namespace of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "bridge_fixture.hpp"
#include "loopback_port.hpp"

namespace ipfscluster::net {
namespace {

Multiaddr address(const std::string& text) {
    return Multiaddr::parse(text).value();
}

struct BridgeReachTest : BridgeFixture {
    /// Announces the address it listens on, so that it counts as reachable by others.
    static BridgeHostOptions reachable_options() {
        auto options = usual_options();
        options.listen = {address("/ip4/127.0.0.1/tcp/" + std::to_string(free_loopback_port()))};
        options.announce = options.listen;
        return options;
    }
    BridgeHost& dht_host(bool reachable = true) {
        auto options = reachable ? reachable_options() : usual_options();
        options.routing = {.protocol = "/ipfs/kad/1.0.0", .provider_keys_max = 100};
        options.gossip.d_factor = 0;
        return host_with(std::move(options));
    }
    /// The providers found, asked again until there are `wanted` (records travel in their own
    /// time).
    std::set<PeerId> providers(BridgeHost& seeker, std::size_t wanted, std::size_t most = 20) {
        std::set<PeerId> found;
        const auto end = std::chrono::steady_clock::now() + kLimit;
        while (found.size() < wanted && std::chrono::steady_clock::now() < end) {
            ProviderHandler take = [&found](Provider provider) {
                EXPECT_FALSE(provider.addresses.empty());
                found.insert(provider.peer);
            };
            auto ended = run<std::size_t>(seeker.find_providers("a multihash", most, kLimit, take));
            EXPECT_TRUE(ended) << ended.error().text;
        }
        return found;
    }
};

TEST_F(BridgeReachTest, providers_are_told_and_found) {
    auto& middle = dht_host();
    auto& seeker = dht_host();
    std::set<PeerId> havers;
    auto alone = run<std::size_t>(seeker.provide("a multihash", kLimit));
    EXPECT_EQ(alone.error().kind, Kind::unavailable) << alone.error().text;
    ASSERT_TRUE(connect(seeker, middle));
    for (int i = 0; i < 3; ++i) {
        auto& haver = dht_host();
        ASSERT_TRUE(connect(haver, middle));
        Result<std::size_t> told = fail(Kind::unavailable, "not tried");
        // Until the middle one has said what it speaks, there is nobody to tell, and a try ends at
        // once: how many fit into that time is the machine's affair.
        const auto end = std::chrono::steady_clock::now() + kLimit;
        while (!told && std::chrono::steady_clock::now() < end)
            told = run<std::size_t>(haver.provide("a multihash", kLimit));
        ASSERT_TRUE(told) << told.error().text;
        EXPECT_GE(told.value(), 1u);
        havers.insert(haver.id());
    }
    EXPECT_EQ(providers(seeker, 3), havers);
    EXPECT_EQ(providers(seeker, 2, 2).size(), 2u);
}

TEST_F(BridgeReachTest, nothing_is_provided_by_who_cannot_be_reached) {
    auto& middle = dht_host();
    auto& hidden = dht_host(false);
    ASSERT_TRUE(connect(hidden, middle));
    auto told = run<std::size_t>(hidden.provide("a multihash", kLimit));
    EXPECT_EQ(told.error().kind, Kind::unsupported) << told.error().text;
    EXPECT_NE(told.error().text.find("no address"), std::string::npos);
}

TEST_F(BridgeReachTest, a_host_without_gossip_says_so) {
    auto& quiet = dht_host();
    EXPECT_EQ(run<void>(quiet.publish("t", "x")).error().kind, Kind::unsupported);
}

TEST_F(BridgeReachTest, quic_is_spoken_without_a_secret_and_skipped_with_one) {
    auto options = usual_options();
    options.listen = {address("/ip4/127.0.0.1/udp/0/quic-v1")};
    options.quic = true;
    auto& a = host_with(options);
    options.private_key = generate_ed25519().private_key;
    auto& b = host_with(options);
    ASSERT_EQ(b.addresses().size(), 1u);
    EXPECT_TRUE(b.addresses().front().value_of("quic-v1"));
    serve(b);
    ASSERT_TRUE(connect(a, b));
    auto answer = run<Bytes>(ask(&a, b.id(), "over quic"));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer.value(), "over quic");

    options.secret = Bytes(32, 's');
    auto refused = run<std::unique_ptr<BridgeHost>>(BridgeHost::start(world, options));
    EXPECT_EQ(refused.error().kind, Kind::unavailable);
    EXPECT_NE(refused.error().text.find("cluster secret"), std::string::npos)
        << refused.error().text;
    options.listen.push_back(address("/ip4/127.0.0.1/tcp/0"));
    auto& c = host_with(options);
    ASSERT_EQ(c.addresses().size(), 1u);
    EXPECT_TRUE(c.addresses().front().value_of("tcp"));
}

TEST_F(BridgeReachTest, a_host_behind_a_relay_is_reached_under_a_secret) {
    auto options = reachable_options();
    options.secret = Bytes(32, 's');
    options.reach.relay_server = true;
    auto& relay = host_with(options);
    auto behind = usual_options();
    behind.secret = options.secret;
    behind.reach.relay_client = true;
    auto through = relay.addresses().front().to_string() + "/p2p-circuit";
    behind.listen = {address(through)};
    auto& hidden = host_with(behind);
    serve(hidden);
    ASSERT_EQ(hidden.addresses().size(), 1u);
    EXPECT_EQ(hidden.addresses().front(), address(through).with_peer(hidden.id()));
    behind.private_key = generate_ed25519().private_key;
    behind.listen.clear();
    auto& guest = host_with(behind);
    ASSERT_TRUE(connect(guest, hidden));
    auto answer = run<Bytes>(ask(&guest, hidden.id(), "through the relay"));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer.value(), "through the relay");
}

TEST_F(BridgeReachTest, autonat_tells_whether_others_can_dial_us) {
    auto options = usual_options();
    options.reach.autonat_delay = 200ms;
    auto& asked = host_with(options);
    options.private_key = generate_ed25519().private_key;
    auto& open = host_with(options);
    options.private_key = generate_ed25519().private_key;
    options.listen.clear();
    auto& hidden = host_with(options);
    EXPECT_EQ(open.reachability(), Reachability::unknown);
    ASSERT_TRUE(connect(open, asked));
    ASSERT_TRUE(connect(hidden, asked));
    EXPECT_TRUE(until([&] { return open.reachability() == Reachability::reachable; }));
    EXPECT_TRUE(until([&] { return hidden.reachability() == Reachability::unreachable; }));
}

TEST_F(BridgeReachTest, surplus_connections_without_streams_are_closed) {
    auto options = usual_options();
    options.bounds = {.high_water = 4, .low_water = 2, .grace = 0s};
    auto& a = host_with(options);
    StreamPtr kept;
    a.handle(kEcho, [&kept](StreamPtr stream) { kept = std::move(stream); });
    auto& talking = host();
    ASSERT_TRUE(connect(talking, a));
    auto stream = run<StreamPtr>(talking.open(a.id(), {kEcho}, kLimit));
    ASSERT_TRUE(stream) << stream.error().text;
    ASSERT_TRUE(until([&kept] { return kept != nullptr; }));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(connect(host(), a));
    EXPECT_TRUE(until([&a] { return a.connected_peers().size() == 2; }));
    EXPECT_TRUE(a.connected(talking.id()));
}

}  // namespace
}  // namespace ipfscluster::net
