#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "config/config.hpp"
#include "config/json_text.hpp"
#include "temp_folder.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

json::object default_file() {
    InitOptions options;
    options.custom_secret = std::string(64, '0');
    return json::parse(default_config_json(options).value()).as_object();
}

/// Sets the value at a dotted path; an empty text removes the key.
std::string changed(const std::string& path, const std::string& value) {
    json::object file = default_file();
    json::object* at = &file;
    std::size_t begin = 0;
    for (std::size_t dot; (dot = path.find('.', begin)) != std::string::npos; begin = dot + 1)
        at = &(*at)[path.substr(begin, dot - begin)].as_object();
    if (value.empty())
        at->erase(path.substr(begin));
    else
        (*at)[path.substr(begin)] = json::parse(value);
    return json_text(file, 2);
}

Result<Config> load(const std::string& text) {
    Warnings warnings;
    return parse_config(text, {}, warnings);
}

std::string error_of(const std::string& text) {
    const auto config = load(text);
    return config ? "(accepted)" : config.error().text;
}

struct Wrong {
    const char* path;
    const char* value;
};

TEST(Load, a_wrong_value_is_refused_with_its_key) {
    const std::vector<Wrong> cases{
        {"cluster.peername", "1"},
        {"cluster.secret", "\"xyz\""},
        {"cluster.secret", "\"00\""},
        {"cluster.leave_on_shutdown", "\"true\""},
        {"cluster.listen_multiaddress", "\"127.0.0.1\""},
        {"cluster.listen_multiaddress", "[]"},
        {"cluster.listen_multiaddress", "\"/ip4/0.0.0.0/udp/9096/quic\""},
        {"cluster.listen_multiaddress", ""},
        {"cluster.connection_manager.high_water", ""},
        {"cluster.connection_manager.high_water", "1.5"},
        {"cluster.connection_manager.low_water", "401"},
        {"cluster.connection_manager.grace_period", "\"0\""},
        {"cluster.pubsub.d_factor", "0"},
        {"cluster.pubsub.history_gossip", "7"},
        {"cluster.state_sync_interval", "\"-1s\""},
        {"cluster.state_sync_interval", "5"},
        {"cluster.state_sync_interval", "\"5\""},
        {"cluster.state_sync_interval", "\"1d\""},
        {"cluster.replication_factor_min", "1"},
        {"cluster.replication_factor_min", "-2"},
        {"cluster.peer_addresses", "\"/ip4/1.2.3.4/tcp/1\""},
        {"cluster.repin_rate", "0"},
        {"consensus.raft.commit_retries", "-1"},
        {"consensus.raft.heartbeat_timeout", "\"1ms\""},
        {"consensus.raft.election_timeout", "\"500ms\""},
        {"consensus.raft.max_append_entries", "1025"},
        {"consensus.raft.init_peerset", "[\"hello\"]"},
        {"api.restapi.max_header_bytes", "4095"},
        {"api.restapi.basic_auth_credentials", "{}"},
        {"api.restapi.ssl_cert_file", "\"a.pem\""},
        {"api.restapi.headers", "{\"a\":\"b\"}"},
        {"api.restapi.idle_timeout", "\"-2m\""},
        {"ipfs_connector.embedded.storage_max", "\"101%\""},
        {"ipfs_connector.embedded.network", "\"sometimes\""},
        {"ipfs_connector.embedded.provide", "\"some\""},
        {"ipfs_connector.embedded.reprovide_interval", "\"1s\""},
        {"ipfs_connector.embedded.bootstrap", "[\"/ip4/1.2.3.4/tcp/4001\"]"},
        {"monitor.pubsubmon.check_interval", ""},
        {"informer.disk.metric_type", "\"other\""},
        {"informer.disk.metric_ttl", ""},
        {"observations.metrics.prometheus_endpoint", ""},
    };
    for (const auto& [path, value] : cases) {
        const std::string error = error_of(changed(path, value));
        const std::string parent(path, std::string(path).rfind('.'));
        EXPECT_TRUE(error.find(path) != std::string::npos ||
                    (error.find(parent) != std::string::npos && error != "(accepted)"))
            << path << " = " << value << ": " << error;
        EXPECT_NE(error, "(accepted)");
    }
}

TEST(Load, an_absent_key_is_not_always_the_default) {
    EXPECT_EQ(load(changed("cluster.secret", "")).value().cluster.secret, "");
    EXPECT_FALSE(load(changed("cluster.enable_relay_hop", "")).value().cluster.enable_relay_hop);
    EXPECT_EQ(load(changed("consensus.raft.commit_retries", "")).value().raft.commit_retries, 0);
    EXPECT_TRUE(load(changed("api.restapi.cors_allowed_origins", ""))
                    .value()
                    .restapi.cors_allowed_origins.empty());
    EXPECT_TRUE(load(changed("informer.tags.tags", "")).value().tags.tags.empty());
    const auto pubsub = load(changed("cluster.pubsub", "")).value().cluster.pubsub;
    EXPECT_EQ(pubsub.d_factor, 4) << "a whole object left out keeps its defaults";
    EXPECT_EQ(
        load(changed("cluster.state_sync_interval", "\"\"")).value().cluster.state_sync_interval,
        Duration(std::chrono::minutes(5)));
    EXPECT_EQ(load(changed("cluster.repin_grace", "")).value().cluster.repin_grace,
              Duration(std::chrono::minutes(5)));
    EXPECT_EQ(
        load(changed("cluster.state_sync_interval", "null")).value().cluster.state_sync_interval,
        Duration(std::chrono::minutes(5)));
}

TEST(Load, zero_means_the_default_where_the_format_says_so) {
    EXPECT_EQ(load(changed("consensus.raft.backups_rotate", "0")).value().raft.backups_rotate, 6);
    EXPECT_EQ(load(changed("api.restapi.max_header_bytes", "0")).value().restapi.max_header_bytes,
              4096);
    EXPECT_FALSE(load(changed("api.restapi.http_listen_multiaddress", "\"\""))
                     .value()
                     .restapi.http_listen_multiaddress.empty());
    EXPECT_TRUE(load(changed("ipfs_connector.embedded.api_listen_multiaddress", "\"\""))
                    .value()
                    .embedded.api_listen_multiaddress.empty());
}

TEST(Load, sections_left_out) {
    EXPECT_FALSE(load(changed("api.restapi", "")).value().restapi.enabled);
    EXPECT_TRUE(load(changed("api.restapi", "{}")).value().restapi.enabled);
    EXPECT_FALSE(load(changed("api.restapi", "null")).value().restapi.enabled);
    EXPECT_EQ(load(changed("allocator", "")).value().allocator.allocate_by, Strings{"freespace"});
    EXPECT_TRUE(load(changed("ipfs_connector", "")).value().ipfshttp.enabled);
    EXPECT_NE(error_of(changed("informer", "")).find("informer"), std::string::npos);
    EXPECT_NE(error_of(changed("consensus", "")).find("consensus.raft"), std::string::npos);
    EXPECT_NE(error_of(changed("cluster", "")).find("cluster"), std::string::npos);
    EXPECT_NE(error_of(changed("ipfs_connector.ipfshttp",
                               "{\"node_multiaddress\":\"/ip4/1.2.3.4/tcp/1\"}"))
                  .find("ipfs_connector"),
              std::string::npos);
}

TEST(Load, refuses_by_name_what_this_build_lacks) {
    EXPECT_NE(error_of(changed("consensus.crdt", "{}")).find("consensus.crdt"), std::string::npos);
    EXPECT_NE(error_of(R"({"source":"http://example.org/x"})").find("source"), std::string::npos);
    EXPECT_TRUE(load(changed("source", "\"\"")));
}

TEST(Load, half_written_files_are_refused) {
    const std::string whole = json_text(default_file(), 2);
    for (std::size_t size = 0; size < whole.size(); size += 97)
        EXPECT_FALSE(load(whole.substr(0, size))) << size;
    EXPECT_FALSE(load(whole + "x"));
    EXPECT_TRUE(load(whole + "\n"));
    EXPECT_NE(error_of("{\n\n  \"a\": x\n}").find("line 3"), std::string::npos);
    EXPECT_FALSE(load("[]"));
    EXPECT_FALSE(load(std::string(5000, '[')));
}

TEST(Load, unknown_keys_become_warnings) {
    json::object file = default_file();
    file["cluster"].as_object()["ipfs_sync_interval"] = "1s";
    file["cluster"].as_object()["pubsub"].as_object()["later"] = 1;
    file["monitor"].as_object()["monbasic"] = json::object();
    file["sharder"] = json::object();
    file["datastore"] = json::object{{"badger", json::object{{"x", 1}}}};
    Warnings warnings;
    ASSERT_TRUE(parse_config(json_text(file, 0), {}, warnings));
    const auto has = [&](const char* key) {
        return std::any_of(warnings.begin(), warnings.end(), [&](const std::string& warning) {
            return warning.starts_with(std::string(key) + ": unknown");
        });
    };
    EXPECT_TRUE(has("cluster.ipfs_sync_interval"));
    EXPECT_TRUE(has("cluster.pubsub.later"));
    EXPECT_TRUE(has("monitor.monbasic"));
    EXPECT_TRUE(has("sharder"));
    EXPECT_FALSE(has("datastore.badger"));
}

TEST(Load, keys_match_in_any_case) {
    json::object file = default_file();
    auto& cluster = file["cluster"].as_object();
    cluster.erase("peername");
    cluster["PeerName"] = "beta";
    Warnings warnings;
    EXPECT_EQ(parse_config(json_text(file, 0), {}, warnings).value().cluster.peername, "beta");
}

TEST(Load, a_bad_raft_duration_is_warned_about_and_the_default_holds) {
    Warnings warnings;
    const auto config =
        parse_config(changed("consensus.raft.heartbeat_timeout", "\"fast\""), {}, warnings).value();
    EXPECT_EQ(config.raft.heartbeat_timeout, Duration(std::chrono::seconds(1)));
    EXPECT_EQ(std::count_if(warnings.begin(), warnings.end(),
                            [](const std::string& warning) {
                                return warning.find("heartbeat_timeout") != std::string::npos;
                            }),
              1);
}

TEST(Load, a_setting_without_effect_is_warned_about_once) {
    Warnings warnings;
    ASSERT_TRUE(
        parse_config(changed("cluster.resource_manager.memory_limit_bytes", "50"), {}, warnings));
    EXPECT_EQ(std::count_if(warnings.begin(), warnings.end(),
                            [](const std::string& warning) {
                                return warning.starts_with(
                                    "cluster.resource_manager.memory_limit_bytes: has no effect");
                            }),
              1);
}

TEST(Load, file_names_become_absolute) {
    const TempFolder folder;
    json::object file = default_file();
    auto& rest = file["api"].as_object()["restapi"].as_object();
    rest["ssl_cert_file"] = "cert.pem";
    rest["ssl_key_file"] = "/etc/key.pem";
    folder.put("service.json", json_text(file, 2));
    Warnings warnings;
    const auto config = load_config(folder.path(), {}, warnings);
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config.value().restapi.ssl_cert_file, folder.path() + "/cert.pem");
    EXPECT_EQ(config.value().restapi.ssl_key_file, "/etc/key.pem");
    EXPECT_EQ(config.value().raft.data_folder, folder.path() + "/raft");
    EXPECT_EQ(config.value().embedded.folder, folder.path() + "/blocks");
    EXPECT_EQ(config.value().peerstore_path(), folder.path() + "/peerstore");
}

TEST(Load, a_missing_file_is_named) {
    const TempFolder folder;
    Warnings warnings;
    const auto config = load_config(folder.path(), {}, warnings);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().kind, Kind::not_found);
    EXPECT_NE(config.error().text.find("service.json"), std::string::npos);
}

}  // namespace
}  // namespace ipfscluster::config
