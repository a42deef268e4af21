#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "cli/service/init_command.hpp"
#include "config/config.hpp"
#include "config/file_io.hpp"
#include "config/identity.hpp"
#include "config/peerstore.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::service {
namespace {

struct InitFrom : ::testing::Test {
    void copy(const std::string& name) {
        std::filesystem::copy(std::string(ICL_TEST_DATA) + "/old_folders/" + name,
                              temp.path("old"));
        flags.from = temp.path("old");
        flags.folder = temp.path("new");
    }
    Result<bool> init() {
        std::istringstream in;
        std::ostringstream out;
        err.str("");
        return run_init(flags, {}, in, out, err);
    }
    config::Config loaded() {
        config::Warnings warnings;
        auto config = config::load_config(flags.folder, {}, warnings);
        EXPECT_TRUE(config) << config.error().text;
        return config.value();
    }
    test::TempFolder temp;
    Flags flags;
    std::ostringstream err;
};

TEST_F(InitFrom, each_kind_of_old_folder) {
    for (const std::string name : {"go-1.1.6-raft", "go-1.1.6-crdt", "v0.0.3"}) {
        std::filesystem::remove_all(temp.path("old"));
        std::filesystem::remove_all(temp.path("new"));
        copy(name);
        const auto done = init();
        ASSERT_TRUE(done) << name << ": " << done.error().text;
        EXPECT_EQ(config::load_identity(temp.path("new"), {}).value().id,
                  config::read_identity(temp.path("old")).value().id)
            << name;
        const auto config = loaded();
        EXPECT_TRUE(config.ipfshttp.enabled) << name;
        EXPECT_TRUE(config.ipfsproxy.enabled) << name;
        EXPECT_NE(err.str().find("do not run both"), std::string::npos);
    }
}

TEST_F(InitFrom, peerstore_certificates_and_other_files_come_along) {
    copy("go-1.1.6-raft");
    const std::string line =
        "/ip4/10.0.0.1/tcp/9096/p2p/12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";
    std::ofstream(temp.path("old/peerstore")) << line << "\n";
    std::filesystem::create_directories(temp.path("old/tls"));
    std::ofstream(temp.path("old/tls/cert.pem")) << "certificate";
    std::ofstream(temp.path("old/tls/key.pem")) << "key";
    auto text = config::read_file(temp.path("old/service.json"), 1 << 20).value();
    const std::string log = "\"http_log_file\": \"\"";
    text.replace(text.find(log), log.size(),
                 log + ", \"ssl_cert_file\": \"tls/cert.pem\", \"ssl_key_file\": \"tls/key.pem\"");
    std::ofstream(temp.path("old/service.json")) << text;
    const auto done = init();
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(config::read_file(temp.path("new/peerstore"), 1000).value(), line + "\n");
    EXPECT_EQ(config::read_file(temp.path("new/tls/key.pem"), 1000).value(), "key");
    struct ::stat info {};
    ASSERT_EQ(::stat(temp.path("new/tls/key.pem").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(InitFrom, what_is_refused_writes_nothing) {
    copy("go-1.1.6-raft");
    flags.folder = flags.from;
    EXPECT_EQ(init().error().kind, Kind::invalid);
    flags.folder = temp.path("new");
    flags.from = temp.path("missing");
    EXPECT_EQ(init().error().kind, Kind::not_found);
    EXPECT_FALSE(std::filesystem::exists(temp.path("new")));
    // Another peer lives in the new folder already.
    flags.from = temp.path("old");
    std::filesystem::create_directories(temp.path("new"));
    std::filesystem::copy_file(
        std::string(ICL_TEST_DATA) + "/old_folders/go-1.1.6-crdt/identity.json",
        temp.path("new/identity.json"));
    EXPECT_EQ(init().error().kind, Kind::conflict);
    EXPECT_FALSE(std::filesystem::exists(temp.path("new/service.json")));
}

TEST_F(InitFrom, init_over_a_flat_file_keeps_a_copy_of_it) {
    copy("v0.0.3");
    flags.folder = flags.from;
    flags.from.clear();
    flags.ipfs = "embedded";
    flags.force = true;
    const auto before = config::read_file(flags.folder + "/service.json", 1 << 20).value();
    ASSERT_TRUE(init());
    EXPECT_EQ(config::read_file(flags.folder + "/service.json.flat", 1 << 20).value(), before);
}

}  // namespace
}  // namespace ipfscluster::service
