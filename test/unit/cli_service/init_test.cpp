// What a plain `init` writes and says.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "cli/service/init_command.hpp"
#include "config/config.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::service {
namespace {

using Variables = config::Environment::Variables;

struct InitTest : ::testing::Test {
    config::Config init(Variables variables) {
        flags.folder = temp.path("peer");
        std::istringstream in;
        std::ostringstream out;
        err.str("");
        const config::Environment env(std::move(variables));
        const auto done = run_init(flags, env, in, out, err);
        EXPECT_TRUE(done) << done.error().text;
        config::Warnings warnings;
        auto config = config::load_config(flags.folder, env, warnings);
        EXPECT_TRUE(config) << config.error().text;
        return config.value();
    }
    test::TempFolder temp;
    Flags flags;
    std::ostringstream err;
};

TEST_F(InitTest, whoever_names_a_daemon_in_the_environment_gets_it) {
    const auto config = init({{"CLUSTER_IPFSHTTP_NODEMULTIADDRESS", "/dns4/ipfs0/tcp/5001"}});
    EXPECT_TRUE(config.ipfshttp.enabled);
    EXPECT_FALSE(config.embedded.enabled);
    EXPECT_EQ(config.ipfshttp.node_multiaddress.to_string(), "/dns4/ipfs0/tcp/5001");
    EXPECT_NE(err.str().find("NODEMULTIADDRESS is set"), std::string::npos) << err.str();
}

TEST_F(InitTest, the_wish_beats_the_environment) {
    flags.ipfs = "embedded";
    flags.ipfs_given = true;
    EXPECT_TRUE(
        init({{"CLUSTER_IPFSHTTP_NODEMULTIADDRESS", "/dns4/ipfs0/tcp/5001"}}).embedded.enabled);
}

TEST_F(InitTest, only_a_new_secret_is_told) {
    flags.ipfs = "embedded";
    auto made = init({});
    EXPECT_NE(err.str().find("CLUSTER_SECRET=" + made.cluster.secret), std::string::npos);
    flags.force = true;
    const std::string given(64, 'a');
    EXPECT_EQ(init({{"CLUSTER_SECRET", given}}).cluster.secret, given);
    EXPECT_EQ(err.str().find(given), std::string::npos) << err.str();
    EXPECT_NE(err.str().find("--bootstrap"), std::string::npos);
}

TEST_F(InitTest, a_setting_that_is_not_stored_is_said_so) {
    flags.ipfs = "kubo";
    flags.ipfs_given = true;
    init({{"CLUSTER_EMBEDDED_STORAGEMAX", "10GB"}});
    EXPECT_NE(err.str().find("NOTICE: ipfs_connector.embedded"), std::string::npos) << err.str();
    flags.force = true;
    init({});
    EXPECT_EQ(err.str().find("NOTICE"), std::string::npos) << err.str();
}

TEST_F(InitTest, a_secret_that_nobody_entered_is_not_an_empty_one) {
    flags.folder = temp.path("peer");
    flags.ipfs = "embedded";
    flags.custom_secret = true;
    std::istringstream nothing;
    std::ostringstream out;
    const auto done = run_init(flags, config::Environment(), nothing, out, err);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().text.find("no secret"), std::string::npos) << done.error().text;
    EXPECT_FALSE(std::filesystem::exists(flags.folder));
    std::istringstream empty_line("\n");
    // An unset variable of a deployment says the same; it must not refuse what was chosen.
    const config::Environment unset(Variables{{"CLUSTER_SECRET", ""}});
    const auto chosen = run_init(flags, unset, empty_line, out, err);
    ASSERT_TRUE(chosen) << chosen.error().text;
    EXPECT_NE(err.str().find("init --custom-secret"), std::string::npos) << err.str();
    EXPECT_NE(err.str().find("NOTICE: cluster.secret is empty"), std::string::npos) << err.str();
}

}  // namespace
}  // namespace ipfscluster::service
