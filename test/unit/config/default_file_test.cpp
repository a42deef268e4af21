#include <gtest/gtest.h>

#include <set>

#include <boost/json.hpp>

#include "config/config.hpp"
#include "config/json_text.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

InitOptions plain() {
    InitOptions options;
    options.custom_secret = std::string(64, 'a');
    options.env = Environment(Environment::Variables{{"CLUSTER_PEERNAME", "alpha"}});
    return options;
}

constexpr const char* kPeer =
    "/ip4/10.0.0.1/tcp/9096/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

TEST(DefaultFile, has_the_layout_of_the_go_programs) {
    const std::string text = default_config_json(plain()).value();
    EXPECT_TRUE(
        text.starts_with("{\n  \"cluster\": {\n    \"peername\": \"alpha\",\n"
                         "    \"secret\": \"aaaa"));
    EXPECT_TRUE(text.ends_with("  }\n}")) << "no final newline";
    EXPECT_NE(text.find("    \"announce_multiaddress\": [],\n"), std::string::npos);
    EXPECT_NE(text.find("    \"listen_multiaddress\": [\n      \"/ip4/0.0.0.0/tcp/9096\",\n"),
              std::string::npos);
    EXPECT_NE(text.find("\"pin_recover_interval\": \"12m0s\""), std::string::npos);
    EXPECT_NE(text.find("\"sampling_prob\": 0.3,"), std::string::npos);
    EXPECT_NE(text.find("\"basic_auth_credentials\": null,"), std::string::npos);
    EXPECT_EQ(default_config_json(plain()).value(), text) << "written the same way each time";
}

TEST(DefaultFile, sections_and_components_come_in_order) {
    const json::object file = json::parse(default_config_json(plain()).value()).as_object();
    std::string order;
    for (const auto& [section, content] : file) {
        order += std::string(section) + "(";
        if (section != "cluster")
            for (const auto& entry : content.as_object()) order += std::string(entry.key()) + " ";
        order += ")";
    }
    EXPECT_EQ(order,
              "cluster()consensus(raft )api(ipfsproxy restapi )ipfs_connector(embedded )"
              "pin_tracker(stateless )monitor(pubsubmon )allocator(balanced )"
              "informer(disk pinqueue tags )observations(metrics tracing )");
}

TEST(DefaultFile, loads_again_to_the_same_values) {
    Warnings warnings;
    const std::string text = default_config_json(plain()).value();
    const auto config = parse_config(text, {}, warnings);
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config.value().cluster.peername, "alpha");
    EXPECT_FALSE(config.value().cluster.disable_repinning);
    EXPECT_TRUE(config.value().embedded.enabled);
    EXPECT_FALSE(config.value().ipfshttp.enabled);
    EXPECT_EQ(config.value().cluster.secret_bytes(), Bytes(32, '\xaa'));
    EXPECT_EQ(warnings, Warnings{}) << "what init writes, all works";
}

TEST(DefaultFile, each_call_makes_another_secret) {
    InitOptions options = plain();
    options.custom_secret.reset();
    EXPECT_NE(default_config_json(options).value(), default_config_json(options).value());
    options.custom_secret = "";
    EXPECT_NE(default_config_json(options).value().find("\"secret\": \"\""), std::string::npos);
    options.custom_secret = "abc";
    EXPECT_FALSE(default_config_json(options));
}

TEST(DefaultFile, kubo_is_written_when_chosen) {
    InitOptions options = plain();
    options.ipfs = IpfsChoice::kubo;
    Warnings warnings;
    const auto config = parse_config(default_config_json(options).value(), {}, warnings).value();
    EXPECT_TRUE(config.ipfshttp.enabled);
    EXPECT_FALSE(config.embedded.enabled);
}

TEST(DefaultFile, crdt_is_refused_by_name) {
    InitOptions options = plain();
    options.consensus = "crdt";
    EXPECT_EQ(default_config_json(options).error().kind, Kind::unsupported);
    EXPECT_NE(default_config_json(options).error().text.find("crdt"), std::string::npos);
    options.consensus = "paxos";
    EXPECT_EQ(default_config_json(options).error().kind, Kind::invalid);
}

TEST(DefaultFile, peers_become_the_initial_peer_set) {
    InitOptions options = plain();
    options.peers = {Multiaddr::parse(kPeer).value()};
    Warnings warnings;
    const auto config = parse_config(default_config_json(options).value(), {}, warnings).value();
    ASSERT_EQ(config.raft.init_peerset.size(), 1u);
    EXPECT_EQ(config.raft.init_peerset[0], options.peers[0].peer_id());
    options.peers = {Multiaddr::parse("/ip4/10.0.0.1/tcp/9096").value()};
    EXPECT_FALSE(default_config_json(options));
}

TEST(DefaultFile, random_ports_replace_every_listener) {
    InitOptions options = plain();
    options.random_ports = true;
    const std::string text = default_config_json(options).value();
    for (const char* port : {"9096", "9094", "9095", "9097", "5011"})
        EXPECT_EQ(text.find(std::string("/") + port), std::string::npos) << port;
}

TEST(DefaultFile, random_ports_differ_from_each_other) {
    InitOptions options = plain();
    options.random_ports = true;
    // The system names a free port twice only now and then.
    for (int round = 0; round < 2000; ++round) {
        const std::string text = default_config_json(options).value();
        std::multiset<std::string> tcp;
        for (auto at = text.find("/tcp/"); at != std::string::npos; at = text.find("/tcp/", at + 5))
            tcp.insert(text.substr(at + 5, text.find_first_of("\"/", at + 5) - at - 5));
        tcp.erase("5001");  // the daemon's, as it is
        EXPECT_GE(tcp.size(), 6u);
        for (const auto& port : tcp)
            ASSERT_EQ(tcp.count(port), 1u) << port << " in round " << round;
    }
}

TEST(DefaultFile, display_hides_every_secret) {
    Warnings warnings;
    auto config = parse_config(default_config_json(plain()).value(), {}, warnings).value();
    config.restapi.basic_auth_credentials = {{"user", "password1"}};
    const std::string shown = display_json(config);
    EXPECT_EQ(shown.find("aaaaaaaa"), std::string::npos);
    EXPECT_EQ(shown.find("password1"), std::string::npos);
    EXPECT_NE(shown.find("\"secret\": \"XXX_hidden_XXX\""), std::string::npos);
}

TEST(JsonText, escapes_as_go_does) {
    EXPECT_EQ(json_quote("a<b>&\"\\\n\x01\u2028é"),
              "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\n\\u0001\\u2028é\"");
    EXPECT_EQ(json_text(json::parse(R"({"a":[],"b":{},"c":[1,-2,0.5,1e21],"d":null})"), 0),
              R"({"a":[],"b":{},"c":[1,-2,0.5,1e+21],"d":null})");
}

}  // namespace
}  // namespace ipfscluster::config
