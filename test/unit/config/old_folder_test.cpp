#include <gtest/gtest.h>

#include <filesystem>

#include "config/config.hpp"
#include "config/file_io.hpp"
#include "config/foreign_data.hpp"
#include "config/identity.hpp"
#include "config/take_over.hpp"
#include "temp_folder.hpp"

namespace ipfscluster::config {
namespace {

/// A copy of a folder of test/data/old_folders.
struct Copy : TempFolder {
    explicit Copy(const std::string& name) {
        for (const auto& entry : std::filesystem::directory_iterator(std::string(ICL_TEST_DATA) +
                                                                     "/old_folders/" + name))
            std::filesystem::copy_file(entry.path(), path(entry.path().filename().string()));
    }
    void folder(const std::string& name) { std::filesystem::create_directories(path(name)); }
    void replace(const std::string& from, const std::string& to) {
        auto text = get("service.json");
        const auto at = text.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        put("service.json", text.replace(at, from.size(), to));
    }
};

std::string refusal(const std::string& folder, Environment env = {}) {
    const auto checked = check_no_foreign_data(folder, env);
    return checked ? "" : checked.error().text;
}

TEST(ForeignData, folders_that_never_ran_are_fine) {
    EXPECT_EQ(refusal(Copy("go-1.1.6-raft").path()), "");
    EXPECT_EQ(refusal(Copy("v0.0.3").path()), "");
    EXPECT_EQ(refusal(TempFolder().path()), "");
    Copy ours("go-1.1.6-raft");
    ours.folder("raft/db");
    ours.folder("pebble");  // empty: Go's follow leaves such behind
    EXPECT_EQ(refusal(ours.path()), "");
}

TEST(ForeignData, consensus_data_is_refused_with_the_commands) {
    for (const char* data : {"raft/raft.db", "raft/snapshots", "data/raft.db", "pebble/x",
                             "badger/x", "badger3/x", "leveldb/x"}) {
        Copy folder("go-1.1.6-raft");
        folder.folder(data);
        const auto text = refusal(folder.path());
        const auto base = folder.path();
        EXPECT_NE(text.find(std::string(data).substr(0, std::string(data).find('/'))),
                  std::string::npos)
            << text;
        EXPECT_NE(text.find("ipfs-cluster-service -c " + base + " state export -f pins.json"),
                  std::string::npos)
            << text;
        EXPECT_NE(text.find("-new init --consensus raft --from " + base + "\n"), std::string::npos)
            << text;
        EXPECT_NE(text.find("-new state import pins.json"), std::string::npos) << text;
    }
}

TEST(ForeignData, configured_folders_are_looked_at) {
    Copy crdt("go-1.1.6-crdt");
    EXPECT_NE(refusal(crdt.path()).find("consensus.crdt"), std::string::npos);
    Copy store("go-1.1.6-raft");
    store.replace("\"api\"", "\"datastore\": {\"badger\": {\"folder\": \"mystore\"}}, \"api\"");
    store.folder("mystore/x");
    EXPECT_NE(refusal(store.path()).find("mystore"), std::string::npos);
    Copy data("go-1.1.6-raft");
    data.replace("\"init_peerset\"",
                 "\"data_folder\": \"" + data.path("elsewhere") + "\", \"init_peerset\"");
    EXPECT_EQ(refusal(data.path()), "");
    data.folder("elsewhere/raft.db");
    EXPECT_NE(refusal(data.path()).find("elsewhere"), std::string::npos);
    Copy variable("go-1.1.6-raft");
    EXPECT_NE(refusal(variable.path(), Environment(Environment::Variables{
                                           {"CLUSTER_RAFT_DATAFOLDER", data.path("elsewhere")}}))
                  .find("elsewhere"),
              std::string::npos);
    Copy flat("v0.0.3");
    flat.replace("/home/cluster/.ipfs-cluster/data", flat.path("old"));
    flat.folder("old/snapshots");
    EXPECT_NE(refusal(flat.path()).find("pin ls"), std::string::npos);
}

TEST(GoFolder, one_that_never_ran_loads_as_it_is) {
    const Copy folder("go-1.1.6-raft");
    Warnings warnings;
    const auto loaded = load_config(folder.path(), {}, warnings);
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_TRUE(loaded.value().ipfshttp.enabled);
    EXPECT_EQ(loaded.value().cluster.peername, "alpha");
    Warnings notices;
    EXPECT_TRUE(load_or_extract_identity(folder.path(), {}, notices));
    EXPECT_TRUE(notices.empty());
}

TEST(TakeOver, settings_and_identity_of_a_crdt_peer_become_a_raft_peers) {
    Copy old("go-1.1.6-crdt");
    old.replace("\"leave_on_shutdown\": false", "\"leave_on_shutdown\": true");
    old.put("peerstore",
            "/ip4/10.0.0.1/tcp/9096/p2p/12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo\n");
    const auto before = old.get("service.json");
    auto taken = read_old_folder(old.path());
    ASSERT_TRUE(taken) << taken.error().text;
    EXPECT_EQ(taken.value().identity.id, read_identity(old.path()).value().id);
    EXPECT_EQ(taken.value().peers.size(), 1U);
    InitOptions options;
    options.from = taken.value().config;
    options.ipfs_given = false;
    const auto text = default_config_json(options);
    ASSERT_TRUE(text) << text.error().text;
    EXPECT_EQ(text.value().find("crdt"), std::string::npos);
    EXPECT_EQ(text.value().find("pebble"), std::string::npos);
    Warnings warnings;
    const auto config = parse_config(text.value(), {}, warnings);
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config.value().cluster.peername, "alpha");
    EXPECT_EQ(config.value().cluster.secret, taken.value().config.cluster.secret);
    EXPECT_NE(before.find(config.value().cluster.secret), std::string::npos);
    EXPECT_TRUE(config.value().cluster.leave_on_shutdown);
    EXPECT_TRUE(config.value().ipfshttp.enabled);
    EXPECT_TRUE(config.value().cluster.disable_repinning) << "as the old file says";
    EXPECT_EQ(old.get("service.json"), before);
}

TEST(TakeOver, options_of_init_win) {
    const Copy old("go-1.1.6-raft");
    InitOptions options;
    options.from = read_old_folder(old.path()).value().config;
    options.ipfs = IpfsChoice::embedded;
    options.peers = {Multiaddr::parse("/ip4/10.0.0.1/tcp/1/p2p/"
                                      "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo")
                         .value()};
    options.env = Environment(Environment::Variables{{"CLUSTER_PEERNAME", "beta"}});
    Warnings warnings;
    const auto config = parse_config(default_config_json(options).value(), {}, warnings);
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_TRUE(config.value().embedded.enabled);
    EXPECT_FALSE(config.value().ipfshttp.enabled);
    EXPECT_EQ(config.value().cluster.peername, "beta");
    EXPECT_EQ(config.value().raft.init_peerset.size(), 1U);
}

TEST(TakeOver, a_flat_file_and_what_lies_beside_it) {
    const Copy flat("v0.0.3");
    const auto taken = read_old_folder(flat.path());
    ASSERT_TRUE(taken) << taken.error().text;
    EXPECT_TRUE(taken.value().config.raft.data_folder.empty()) << "the old data is not ours";
    EXPECT_FALSE(file_exists(flat.path("identity.json"))) << "the old folder is only read";
    Copy tls("go-1.1.6-raft");
    tls.put("cert.pem", "c");
    tls.put("key.pem", "k");
    tls.replace(
        "\"http_log_file\": \"\"",
        "\"http_log_file\": \"\", \"ssl_cert_file\": \"cert.pem\", \"ssl_key_file\": \"key.pem\"");
    EXPECT_EQ(read_old_folder(tls.path()).value().files, (Strings{"cert.pem", "key.pem"}));
}

TEST(TakeOver, what_cannot_be_read_is_an_error) {
    EXPECT_EQ(read_old_folder(TempFolder().path()).error().kind, Kind::not_found);
    Copy folder("go-1.1.6-raft");
    std::filesystem::remove(folder.path("identity.json"));
    EXPECT_EQ(read_old_folder(folder.path()).error().kind, Kind::not_found);
    folder.put("service.json", "{");
    EXPECT_FALSE(read_old_folder(folder.path()));
}

}  // namespace
}  // namespace ipfscluster::config
