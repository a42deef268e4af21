#include "config/identity.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/encoding.hpp"
#include "temp_folder.hpp"

namespace ipfscluster::config {
namespace {

const KeyPair& key() {
    static const KeyPair pair = ed25519_from_seed(std::string(32, 's'));
    return pair;
}

TEST(Identity, is_saved_and_loaded) {
    const TempFolder folder;
    ASSERT_TRUE(save_identity(folder.path(), key()));
    EXPECT_EQ(load_identity(folder.path(), {}).value().id, key().id);
    struct stat info {};
    ASSERT_EQ(::stat(identity_path(folder.path()).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(folder.get("identity.json"), "{\n    \"id\": \"" + key().id.to_string() +
                                               "\",\n    \"private_key\": \"" +
                                               base64_encode(key().private_key) + "\"\n}");
}

TEST(Identity, create_keeps_what_is_there) {
    const TempFolder folder;
    bool created = false;
    const PeerId first = load_or_create_identity(folder.path(), {}, created).value().id;
    EXPECT_TRUE(created);
    EXPECT_EQ(load_or_create_identity(folder.path(), {}, created).value().id, first);
    EXPECT_FALSE(created);
}

TEST(Identity, errors_name_file_and_reason) {
    const TempFolder folder;
    EXPECT_EQ(load_identity(folder.path(), {}).error().kind, Kind::not_found);
    const KeyPair other = ed25519_from_seed(std::string(32, 'o'));
    const std::string good = base64_encode(key().private_key);
    for (const auto& [id, private_key] :
         {std::pair(other.id.to_string(), good), std::pair(std::string("x"), good),
          std::pair(key().id.to_string(), std::string("!!")),
          std::pair(key().id.to_string(), std::string()),
          std::pair(key().id.to_string(), good.substr(0, 40))}) {
        folder.put("identity.json",
                   "{\"id\":\"" + id + "\",\"private_key\":\"" + private_key + "\"}");
        const auto loaded = load_identity(folder.path(), {});
        ASSERT_FALSE(loaded) << id;
        EXPECT_NE(loaded.error().text.find("identity.json"), std::string::npos);
        EXPECT_EQ(loaded.error().text.find(good), std::string::npos) << "keys are never shown";
    }
    folder.put("identity.json", "{");
    EXPECT_FALSE(load_identity(folder.path(), {}));
}

TEST(Identity, the_environment_replaces_it) {
    const TempFolder folder;
    ASSERT_TRUE(save_identity(folder.path(), key()));
    const KeyPair other = ed25519_from_seed(std::string(32, 'o'));
    const Environment both(
        Environment::Variables{{"CLUSTER_ID", other.id.to_string()},
                               {"CLUSTER_PRIVATEKEY", base64_encode(other.private_key)}});
    EXPECT_EQ(load_identity(folder.path(), both).value().id, other.id);
    const Environment half(Environment::Variables{{"CLUSTER_ID", other.id.to_string()}});
    EXPECT_FALSE(load_identity(folder.path(), half));
}

TEST(Identity, old_service_file_gives_it_once) {
    const TempFolder folder;
    Warnings notices;
    EXPECT_FALSE(load_or_extract_identity(folder.path(), {}, notices));
    const std::string file = "{\"cluster\":{\"id\":\"" + key().id.to_string() +
                             "\",\"private_key\":\"" + base64_encode(key().private_key) + "\"}}";
    folder.put("service.json", file);
    EXPECT_EQ(load_or_extract_identity(folder.path(), {}, notices).value().id, key().id);
    EXPECT_EQ(notices.size(), 1u);
    EXPECT_EQ(folder.get("service.json"), file);
    EXPECT_EQ(load_or_extract_identity(folder.path(), {}, notices).value().id, key().id);
    EXPECT_EQ(notices.size(), 1u);
}

TEST(Identity, an_old_file_without_one_is_an_error) {
    const TempFolder folder;
    Warnings notices;
    folder.put("service.json", R"({"source":"http://x"})");
    EXPECT_EQ(load_or_extract_identity(folder.path(), {}, notices).error().kind, Kind::not_found);
    folder.put("service.json", R"({"cluster":{"id":"x","private_key":"y"}})");
    EXPECT_FALSE(load_or_extract_identity(folder.path(), {}, notices));
}

}  // namespace
}  // namespace ipfscluster::config
