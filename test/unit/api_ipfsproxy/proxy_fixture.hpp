#pragma once
#include "api/ipfsproxy/ipfs_proxy.hpp"
#include "multi/key_pair.hpp"
#include "multi/multihash.hpp"
#include "support/fake_cluster_api.hpp"
#include "support/http_fixture.hpp"

namespace ipfscluster::ipfsproxy {

inline Cid test_cid(const std::string& text) {
    return Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, text).value());
}

/// A proxy over a fake peer, in front of a stub daemon (`server`), both on free ports.
class ProxyFixture : public test::HttpFixture {
 protected:
    ~ProxyFixture() override {
        if (proxy) {
            EXPECT_TRUE(run(proxy->stop(Duration{})));
        }
    }

    /// Without a handler the daemon answers 200 "daemon" and counts.
    void start(http::Handler daemon = {}, config::ProxyConfig config = config::ProxyConfig()) {
        if (!daemon)
            daemon = [this](http::Exchange& e) {
                daemon_saw.push_back(std::string(http::method_name(e.request.method)) + " " +
                                     e.request.target);
                return e.respond(200, "text/plain", "daemon");
            };
        serve(std::move(daemon));
        UpstreamNode node;
        node.address = server->addresses().front();
        start_before(std::move(node), std::move(config));
    }
    void start_before(UpstreamNode node, config::ProxyConfig config = config::ProxyConfig()) {
        config.listen_multiaddress = {Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()};
        cluster.us = ed25519_from_seed(std::string(32, 'a')).id;
        cluster.add_state.root = test_cid("root");
        proxy = IpfsProxy::make(world, cluster, config, std::move(node)).value();
        auto started = run(proxy->start());
        ASSERT_TRUE(started) << started.error().text;
        client = std::make_unique<http::Client>(
            world, http::client_config_for(proxy->addresses().front()).value());
    }

    http::ClientAnswer ask(http::Method method, std::string target, http::Headers headers = {},
                           Bytes body = {}) {
        auto answer = run(client->fetch({.method = method,
                                         .target = std::move(target),
                                         .headers = std::move(headers),
                                         .body = std::move(body)}));
        EXPECT_TRUE(answer) << answer.error().text;
        return answer ? answer.value() : http::ClientAnswer{};
    }
    http::ClientAnswer post(std::string target, http::Headers headers = {}, Bytes body = {}) {
        return ask(http::Method::post, std::move(target), std::move(headers), std::move(body));
    }
    /// The message of a failure in Kubo's form.
    static std::string message_of(const http::ClientAnswer& answer) {
        const std::string_view body = answer.body;
        const auto from = body.find("\"Message\":\"");
        const auto to = body.rfind("\",\"Code\":");
        if (from == std::string_view::npos || to == std::string_view::npos) return {};
        return std::string(body.substr(from + 11, to - from - 11));
    }

    void hold(const std::string& text, PinType type = PinType::data, int depth = kDepthRecursive) {
        Pin pin;
        pin.cid = test_cid(text);
        pin.type = type;
        pin.max_depth = depth;
        pin.options.name = text;
        pin.options.replication_min = pin.options.replication_max = -1;
        cluster.pinset[pin.cid] = pin;
    }

    test::FakeClusterApi cluster;
    std::vector<std::string> daemon_saw;
    std::unique_ptr<IpfsProxy> proxy;
    std::unique_ptr<http::Client> client;
};

}  // namespace ipfscluster::ipfsproxy
