#include <gtest/gtest.h>

#include <algorithm>

#include "config/config.hpp"

namespace ipfscluster::config {
namespace {

std::string text() {
    InitOptions options;
    options.custom_secret = std::string(64, '1');
    options.ipfs = IpfsChoice::kubo;
    return default_config_json(options).value();
}

Result<Config> with(const std::string& name, const std::string& value) {
    Warnings warnings;
    return parse_config(text(), Environment(Environment::Variables{{name, value}}), warnings);
}

TEST(Environment, overrides_the_file) {
    EXPECT_EQ(with("CLUSTER_PEERNAME", "beta").value().cluster.peername, "beta");
    EXPECT_EQ(with("CLUSTER_CONNECTIONMANAGER_HIGHWATER", "0x200")
                  .value()
                  .cluster.connection_manager.high_water,
              512);
    EXPECT_TRUE(with("CLUSTER_LEAVEONSHUTDOWN", "T").value().cluster.leave_on_shutdown);
    EXPECT_EQ(with("CLUSTER_RAFT_HEARTBEATTIMEOUT", "700ms").value().raft.heartbeat_timeout,
              Duration(std::chrono::milliseconds(700)));
    EXPECT_EQ(with("CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS", "/ip4/0.0.0.0/tcp/1,/ip6/::1/tcp/2")
                  .value()
                  .restapi.http_listen_multiaddress.size(),
              2u);
    const auto auth = with("CLUSTER_RESTAPI_BASICAUTHCREDENTIALS", "a:b,c:d").value();
    EXPECT_EQ(auth.restapi.basic_auth_credentials, (StringMap{{"a", "b"}, {"c", "d"}}));
    EXPECT_EQ(with("CLUSTER_RESTAPI_HEADERS", "X:y").value().restapi.headers,
              (HeaderMap{{"X", {"y"}}}));
    EXPECT_EQ(with("CLUSTER_IPFSHTTP_NODEMULTIADDRESS", "/dns4/ipfs/tcp/5001")
                  .value()
                  .ipfshttp.node_multiaddress.to_string(),
              "/dns4/ipfs/tcp/5001");
}

TEST(Environment, variables_of_a_section_that_is_not_in_the_file_are_warned_about) {
    const auto warned = [](const std::string& name, const std::string& value) {
        Warnings warnings;
        const auto config =
            parse_config(text(), Environment(Environment::Variables{{name, value}}), warnings);
        EXPECT_TRUE(config) << config.error().text;
        return std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
            return warning.find("have no effect") != std::string::npos;
        });
    };
    EXPECT_TRUE(warned("CLUSTER_EMBEDDED_NETWORK", "public"));
    EXPECT_FALSE(warned("CLUSTER_IPFSHTTP_NODEMULTIADDRESS", "/ip4/127.0.0.1/tcp/1"));
}

TEST(Environment, set_but_empty_counts_as_set) {
    EXPECT_EQ(with("CLUSTER_LISTENMULTIADDRESS", "").error().kind, Kind::invalid);
    EXPECT_EQ(with("CLUSTER_STATESYNCINTERVAL", "").value().cluster.state_sync_interval,
              Duration(std::chrono::minutes(5)));
}

TEST(Environment, set_but_empty_takes_no_protection_away) {
    for (const std::string name : {"CLUSTER_RESTAPI_BASICAUTHCREDENTIALS", "CLUSTER_SECRET"}) {
        const auto open = with(name, "");
        ASSERT_FALSE(open) << name;
        EXPECT_NE(open.error().text.find(name + " is empty"), std::string::npos);
    }
}

TEST(Environment, a_cluster_without_secret_is_warned_about) {
    InitOptions options;
    options.custom_secret = "";
    Warnings warnings;
    const auto config =
        parse_config(default_config_json(options).value(),
                     Environment(Environment::Variables{{"CLUSTER_SECRET", ""}}), warnings);
    ASSERT_TRUE(config) << config.error().text;
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find("cluster.secret is empty"), std::string::npos) << warnings[0];
}

TEST(Environment, zero_does_not_beat_a_default_that_zero_means) {
    EXPECT_EQ(with("CLUSTER_RAFT_BACKUPSROTATE", "0").value().raft.backups_rotate, 6);
}

TEST(Environment, a_bad_value_names_the_variable) {
    for (const auto& [name, value] :
         {std::pair("CLUSTER_LEAVEONSHUTDOWN", "yes"),
          std::pair("CLUSTER_RAFT_COMMITRETRIES", "1x"),
          std::pair("CLUSTER_RAFT_COMMITRETRIES", "--1"),
          std::pair("CLUSTER_MONITORPINGINTERVAL", "5"),
          std::pair("CLUSTER_RESTAPI_BASICAUTHCREDENTIALS", "a:b:c"),
          std::pair("CLUSTER_PEERADDRESSES", "/ip4/1.2.3.4/tcp/1, /ip4")}) {
        const auto config = with(name, value);
        ASSERT_FALSE(config) << name;
        EXPECT_NE(config.error().text.find(name), std::string::npos) << config.error().text;
    }
    const auto config = with("CLUSTER_RESTAPI_BASICAUTHCREDENTIALS", "user:pass:word");
    EXPECT_EQ(config.error().text.find("word"), std::string::npos) << "secrets stay hidden";
}

TEST(Environment, identity_variables_leave_the_cluster_section_alone) {
    EXPECT_EQ(with("CLUSTER_ID", "x").value().cluster.id, "");
}

}  // namespace
}  // namespace ipfscluster::config
