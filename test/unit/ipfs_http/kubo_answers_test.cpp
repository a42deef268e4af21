#include "ipfs/http/kubo_answers.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::ipfshttp {
namespace {

constexpr const char* kV0 =
    "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";  // the empty directory
constexpr const char* kV1 = "bafkreiem4twkqzsq2aj4shbycd4yvoj2cx72vezicletlhi7dijjciqpui";

TEST(KuboAnswers, objects_of_a_pin) {
    struct Row {
        std::string text;
        std::uint64_t blocks, bytes;
        std::size_t pins;
    };
    const Row rows[] = {
        {"{}", 0, 0, 0},
        {R"({"Progress":3})", 3, 0, 0},
        {R"({"Progress":7,"Bytes":1500000})", 7, 1'500'000, 0},
        {std::string(R"({"Pins":[")") + kV0 + "\"]}", 0, 0, 1},
        {R"({"Pins":null,"Unknown":{}})", 0, 0, 0},
    };
    for (const auto& row : rows) {
        const auto parsed = parse_pin_add(row.text);
        ASSERT_TRUE(parsed) << row.text << parsed.error().text;
        EXPECT_EQ(parsed.value().progress.blocks, row.blocks) << row.text;
        EXPECT_EQ(parsed.value().progress.bytes, row.bytes) << row.text;
        EXPECT_EQ(parsed.value().pins.size(), row.pins) << row.text;
    }
    for (const char* bad : {"", "{", "[]", "null", "7", R"({"Progress":"x"})", R"({"Progress":-1})",
                            R"({"Pins":["Qm"]})", R"({"Pins":[""]})", R"({"Pins":{}})"}) {
        const auto parsed = parse_pin_add(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_EQ(parsed.error().kind, Kind::corrupt) << bad;
    }
}

TEST(KuboAnswers, rows_of_a_listing) {
    const auto row = [](const std::string& cid, const std::string& type) {
        return parse_pin_row("{\"Cid\":\"" + cid + "\",\"Name\":\"n\",\"Type\":\"" + type + "\"}");
    };
    EXPECT_EQ(row(kV0, "recursive").value().status, IpfsPinStatus::recursive);
    EXPECT_EQ(row(kV1, "direct").value().status, IpfsPinStatus::direct);
    EXPECT_EQ(row(kV1, std::string("indirect through ") + kV0).value().status,
              IpfsPinStatus::indirect);
    EXPECT_EQ(row(kV1, "direct").value().cid.to_string(), kV1);
    EXPECT_FALSE(row(kV1, "sideways"));
    EXPECT_FALSE(row("", "direct"));
    EXPECT_FALSE(row(kV1, ""));
    EXPECT_FALSE(parse_pin_row("{}"));
}

TEST(KuboAnswers, who_the_daemon_is) {
    const auto id = parse_id(
        R"({"ID":"12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp","PublicKey":"x",)"
        R"("Addresses":["/ip4/127.0.0.1/tcp/4001","/strange/1"],"AgentVersion":"kubo/0.43.0/"})");
    ASSERT_TRUE(id) << id.error().text;
    EXPECT_EQ(id.value().id.to_string(), "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp");
    ASSERT_EQ(id.value().addresses.size(), 1u);
    EXPECT_TRUE(parse_id(
        R"({"ID":"12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp","Addresses":null})"));
    EXPECT_FALSE(parse_id("{}"));
    EXPECT_FALSE(parse_id(R"({"ID":"nobody"})"));
}

TEST(KuboAnswers, repository_swarm_and_paths) {
    const auto stat =
        parse_repo_stat(R"({"RepoSize":12,"StorageMax":18446744073709551615,"NumObjects":0})");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat.value().repo_size, 12u);
    EXPECT_EQ(stat.value().storage_max, UINT64_MAX);
    EXPECT_FALSE(parse_repo_stat("{}"));

    EXPECT_EQ(parse_gc_row(std::string(R"({"Key":{"/":")") + kV0 + "\"}}").value().key.to_string(),
              kV0);
    EXPECT_EQ(parse_gc_row(R"({"Error":"it broke","Key":null})").value().error, "it broke");
    EXPECT_FALSE(parse_gc_row("{}"));

    EXPECT_TRUE(parse_swarm_peers(R"({"Peers":null})").value().empty());
    EXPECT_EQ(
        parse_swarm_peers(
            R"({"Peers":[{"Addr":"/ip4/1.2.3.4/tcp/1","Peer":"12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"}]})")
            .value()
            .size(),
        1u);
    EXPECT_FALSE(parse_swarm_peers(R"({"Peers":[{}]})"));

    EXPECT_EQ(parse_resolve(std::string(R"({"Path":"/ipfs/)") + kV1 + "\"}").value().to_string(),
              kV1);
    EXPECT_EQ(parse_resolve(std::string(R"({"Path":"/ipfs/)") + kV1 + "/a\"}").error().kind,
              Kind::unsupported);
    EXPECT_FALSE(parse_resolve(R"({"Path":"/ipns/x"})"));

    EXPECT_EQ(parse_block_row(std::string(R"({"Key":")") + kV1 + R"(","Size":1})").value(),
              Cid::parse(kV1).value().multihash());
}

TEST(KuboAnswers, files_and_directories) {
    const auto file =
        parse_files_stat(std::string(R"({"Hash":")") + kV1 +
                         R"(","Size":12,"CumulativeSize":20,"Blocks":0,"Type":"file"})");
    EXPECT_FALSE(file.value().directory);
    EXPECT_EQ(file.value().size, 12u);
    EXPECT_TRUE(parse_files_stat(std::string(R"({"Hash":")") + kV0 + R"(","Type":"directory"})")
                    .value()
                    .directory);

    const auto rows =
        parse_ls_row(std::string(R"({"Objects":[{"Hash":"/ipfs/x","Links":[{"Name":"a","Hash":")") +
                     kV1 + R"(","Size":5,"Type":2,"Target":""},{"Name":"d","Hash":")" + kV0 +
                     R"(","Size":0,"Type":1},{"Name":"l","Hash":")" + kV0 +
                     R"(","Size":0,"Type":4,"Target":"a"}]}]})");
    ASSERT_TRUE(rows) << rows.error().text;
    using Type = component::DirectoryEntry::Type;
    ASSERT_EQ(rows.value().size(), 3u);
    EXPECT_EQ(rows.value()[0].type, Type::file);
    EXPECT_EQ(rows.value()[0].size, 5u);
    EXPECT_EQ(rows.value()[1].type, Type::directory);
    EXPECT_EQ(rows.value()[2].type, Type::symlink);
    EXPECT_FALSE(parse_ls_row(R"({"Objects":[{"Links":[{"Name":"a","Hash":"x"}]}]})"));
}

TEST(KuboAnswers, errors_keep_the_daemons_words) {
    struct Row {
        int status;
        std::string body;
        Kind kind;
        std::string words;
    };
    const Row rows[] = {
        {500, R"({"Message":"not pinned or pinned indirectly","Code":0,"Type":"error"})",
         Kind::internal, "not pinned or pinned indirectly"},
        {500, R"({"Message":"write x: no space left on device"})", Kind::disk_full,
         "disk full on alpha: write x: no space"},
        {500, R"({"Message":"no link named \"a\" under Qm"})", Kind::not_found,
         "no link named \"a\""},
        {400, R"({"Message":"argument \"ipfs-path\" is required"})", Kind::invalid, "ipfs-path"},
        {403, "403 - Forbidden\n", Kind::denied, "403 - Forbidden"},
        {404, "404 page not found\n", Kind::unsupported, "404 page not found"},
        {503, "", Kind::retryable, "no reason"},
        {502, "<html>" + std::string(10'000, 'x'), Kind::internal, "<html>xxx"},
        {200, "context canceled", Kind::internal, "context canceled"},
    };
    for (const auto& row : rows) {
        const auto error = daemon_error("pin/add", row.status, error_words(row.body), "alpha");
        EXPECT_EQ(error.kind, row.kind) << row.body.substr(0, 100);
        EXPECT_NE(error.text.find(row.words), std::string::npos) << error.text;
        EXPECT_NE(error.text.find("pin/add"), std::string::npos) << error.text;
        EXPECT_LT(error.text.size(), 1000u);
    }
    EXPECT_TRUE(says_not_pinned(daemon_error("pin/ls", 500, "path 'Qm' is not pinned", "")));
    EXPECT_FALSE(says_not_pinned(daemon_error("pin/rm", 500, "something else", "")));
}

}  // namespace
}  // namespace ipfscluster::ipfshttp
