#include "config/flat_file.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

#include "config/config.hpp"
#include "config/identity.hpp"
#include "config/json_text.hpp"
#include "temp_folder.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

constexpr const char* kPeer = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";

/// A folder with the service.json of 0.0.3's own code.
struct OldFolder : TempFolder {
    OldFolder() {
        std::filesystem::copy_file(std::string(ICL_TEST_DATA) + "/old_folders/v0.0.3/service.json",
                                   path("service.json"));
    }
    json::object file() const { return parse_json_object(get("service.json")).value(); }
    void set(const std::string& key, json::value value) {
        auto object = file();
        object[key] = std::move(value);
        put("service.json", json_text(object, 4));
    }
    Result<Config> load(Environment env = {}) {
        warnings.clear();
        return load_config(path(), env, warnings);
    }
    Warnings warnings;
};

TEST(FlatFile, the_real_file_loads_as_it_is) {
    OldFolder folder;
    const auto before = folder.get("service.json");
    const auto loaded = folder.load();
    ASSERT_TRUE(loaded) << loaded.error().text;
    const auto& c = loaded.value();
    EXPECT_EQ(c.cluster.secret, "");
    ASSERT_EQ(c.cluster.listen_multiaddress.size(), 1U);
    EXPECT_EQ(c.cluster.listen_multiaddress[0].to_string(), "/ip4/0.0.0.0/tcp/9096");
    EXPECT_EQ(c.cluster.replication_factor_min, -1);
    EXPECT_EQ(c.cluster.state_sync_interval, std::chrono::seconds(60));
    EXPECT_EQ(c.cluster.monitor_ping_interval, std::chrono::seconds(15));
    EXPECT_EQ(c.monitor.check_interval, std::chrono::seconds(15));
    EXPECT_FALSE(c.cluster.disable_repinning);
    EXPECT_EQ(c.raft.data_folder, "/home/cluster/.ipfs-cluster/data");
    EXPECT_TRUE(c.raft.init_peerset.empty());
    EXPECT_TRUE(c.ipfshttp.enabled);
    EXPECT_TRUE(c.ipfsproxy.enabled);
    EXPECT_TRUE(c.restapi.enabled);
    EXPECT_FALSE(c.pinsvcapi.enabled);
    EXPECT_EQ(folder.get("service.json"), before);
}

TEST(FlatFile, its_identity_becomes_a_file) {
    OldFolder folder;
    Warnings notices;
    const auto key = load_or_extract_identity(folder.path(), {}, notices);
    ASSERT_TRUE(key) << key.error().text;
    EXPECT_EQ(key.value().id.to_string(), std::string(folder.file()["id"].as_string()));
    EXPECT_EQ(notices.size(), 1U);
    EXPECT_EQ(load_identity(folder.path(), {}).value().id, key.value().id);
    OldFolder damaged;
    damaged.set("private_key", "AAAA");
    const auto bad = load_or_extract_identity(damaged.path(), {}, notices);
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().text.find("private_key"), std::string::npos) << bad.error().text;
}

TEST(FlatFile, every_key_goes_to_its_place) {
    OldFolder folder;
    const std::string address = "/ip4/10.0.0.1/tcp/9096/ipfs/" + std::string(kPeer);
    folder.set("cluster_peers", json::array{address});
    folder.set("bootstrap", json::array{address});
    folder.set("leave_on_shutdown", true);
    folder.set("cluster_multiaddress", "/ip4/10.0.0.2/tcp/1");
    folder.set("api_listen_multiaddress", "/ip4/10.0.0.2/tcp/2");
    folder.set("ipfs_proxy_listen_multiaddress", "/ip4/10.0.0.2/tcp/3");
    folder.set("ipfs_node_multiaddress", "/ip4/10.0.0.2/tcp/4");
    folder.set("state_sync_seconds", 7);
    folder.set("replication_factor", 3);
    folder.set("monitoring_interval", 9);
    folder.set("something_else", 1);
    const auto loaded = folder.load();
    ASSERT_TRUE(loaded) << loaded.error().text;
    const auto& c = loaded.value();
    EXPECT_TRUE(c.cluster.leave_on_shutdown);
    EXPECT_EQ(c.cluster.listen_multiaddress[0].to_string(), "/ip4/10.0.0.2/tcp/1");
    EXPECT_EQ(c.restapi.http_listen_multiaddress[0].to_string(), "/ip4/10.0.0.2/tcp/2");
    EXPECT_EQ(c.ipfsproxy.listen_multiaddress[0].to_string(), "/ip4/10.0.0.2/tcp/3");
    EXPECT_EQ(c.ipfsproxy.node_multiaddress.to_string(), "/ip4/10.0.0.2/tcp/4");
    EXPECT_EQ(c.ipfshttp.node_multiaddress.to_string(), "/ip4/10.0.0.2/tcp/4");
    EXPECT_EQ(c.cluster.state_sync_interval, std::chrono::seconds(7));
    EXPECT_EQ(c.cluster.replication_factor_min, 3);
    EXPECT_EQ(c.cluster.replication_factor_max, 3);
    EXPECT_EQ(c.monitor.check_interval, std::chrono::seconds(9));
    ASSERT_EQ(c.raft.init_peerset.size(), 1U);
    EXPECT_EQ(c.raft.init_peerset[0].to_string(), kPeer);
    ASSERT_EQ(c.old_peers.size(), 1U);
    EXPECT_EQ(c.old_peers[0].peer_id()->to_string(), kPeer);
    EXPECT_TRUE(c.old_bootstrap.empty()) << "peers win over bootstrap";
}

TEST(FlatFile, bootstrap_counts_without_peers_and_a_bare_id_is_understood) {
    OldFolder folder;
    folder.set("bootstrap", json::array{"/ip4/10.0.0.1/tcp/9096/" + std::string(kPeer)});
    const auto loaded = folder.load();
    ASSERT_TRUE(loaded) << loaded.error().text;
    ASSERT_EQ(loaded.value().old_bootstrap.size(), 1U);
    EXPECT_EQ(loaded.value().old_bootstrap[0].peer_id()->to_string(), kPeer);
}

TEST(FlatFile, zero_means_the_old_default_and_the_environment_wins) {
    OldFolder folder;
    folder.set("replication_factor", 0);
    folder.set("state_sync_seconds", 0);
    auto object = folder.file();
    object.erase("monitoring_interval");
    folder.put("service.json", json_text(object, 4));
    const Environment env(
        Environment::Variables{{"CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS", "/ip4/127.0.0.1/tcp/0"}});
    const auto loaded = folder.load(env);
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded.value().cluster.replication_factor_max, -1);
    EXPECT_EQ(loaded.value().cluster.state_sync_interval, std::chrono::seconds(60));
    EXPECT_EQ(loaded.value().monitor.check_interval, std::chrono::seconds(15));
    EXPECT_EQ(loaded.value().restapi.http_listen_multiaddress[0].to_string(),
              "/ip4/127.0.0.1/tcp/0");
}

TEST(FlatFile, errors_name_the_old_key) {
    const std::pair<const char*, json::value> bad[] = {
        {"cluster_multiaddress", "nonsense"},
        {"api_listen_multiaddress", 5},
        {"replication_factor", "3"},
        {"state_sync_seconds", "60s"},
        {"leave_on_shutdown", 1},
        {"cluster_peers", "/ip4/1.2.3.4/tcp/1"},
        {"bootstrap", json::array{"/ip4/1.2.3.4/tcp/1"}},
    };
    for (const auto& [key, value] : bad) {
        OldFolder folder;
        folder.set(key, value);
        const auto loaded = folder.load();
        ASSERT_FALSE(loaded) << key;
        EXPECT_NE(loaded.error().text.find(key), std::string::npos) << loaded.error().text;
    }
}

TEST(FlatFile, a_file_with_sections_is_a_modern_one) {
    EXPECT_TRUE(is_flat_file({{"id", ""}}));
    EXPECT_FALSE(is_flat_file({{"id", ""}, {"cluster", nullptr}}));
    EXPECT_FALSE(is_flat_file({{"source", ""}, {"id", ""}}));
    EXPECT_FALSE(is_flat_file({{"unknown", ""}}));
    EXPECT_FALSE(is_flat_file({}));
}

}  // namespace
}  // namespace ipfscluster::config
