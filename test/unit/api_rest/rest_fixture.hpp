#pragma once
#include "api/rest/rest_api.hpp"
#include "multi/key_pair.hpp"
#include "multi/multihash.hpp"
#include "support/fake_cluster_api.hpp"
#include "support/http_fixture.hpp"

namespace ipfscluster::rest {

inline Cid test_cid(const std::string& text) {
    return Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, text).value());
}

/// A REST API over a fake peer, on a free port.
class RestFixture : public test::HttpFixture {
 protected:
    ~RestFixture() override {
        if (api) {
            EXPECT_TRUE(run(api->stop(Duration{})));
        }
    }

    void start(config::RestConfig config = config::RestConfig(9094)) {
        config.http_listen_multiaddress = {Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()};
        cluster.us = ed25519_from_seed(std::string(32, 'a')).id;
        cluster.add_state.root = test_cid("root");
        api = std::make_unique<RestApi>(world, cluster, config);
        auto started = run(api->start());
        ASSERT_TRUE(started) << started.error().text;
        client = std::make_unique<http::Client>(
            world, http::client_config_for(api->addresses().front()).value());
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
    http::ClientAnswer get(std::string target) { return ask(http::Method::get, std::move(target)); }
    http::ClientAnswer post(std::string target, Bytes body = {}) {
        return ask(http::Method::post, std::move(target), {}, std::move(body));
    }
    http::ClientAnswer del(std::string target) { return ask(http::Method::del, std::move(target)); }

    void hold(const std::string& text, PinType type = PinType::data) {
        Pin pin;
        pin.cid = test_cid(text);
        pin.type = type;
        pin.options.name = text;
        cluster.pinset[pin.cid] = pin;
    }

    test::FakeClusterApi cluster;
    std::unique_ptr<RestApi> api;
    std::unique_ptr<http::Client> client;
};

}  // namespace ipfscluster::rest
