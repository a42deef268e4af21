#include "rpc_fixture.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

class RpcFilesTest : public RpcFixture {
 protected:
    RpcFilesTest() {
        content.resize(600'000);
        for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 / 3);
        const auto added = upload("add", {{"d", "", "application/x-directory"},
                                          {"d/a file", content},
                                          {"d/link", "a file", "application/symlink"},
                                          {"d/sub", "", "application/x-directory"},
                                          {"d/sub/b", "world\n"}});
        root = added.body.substr(added.body.rfind("\"Hash\":\"") + 8, 46);
    }
    std::string content, root;
};

TEST_F(RpcFilesTest, cat_gives_files_and_parts_of_them) {
    const auto whole = call("cat?arg=" + root + "/a%20file");
    EXPECT_TRUE(whole.body == content);
    EXPECT_EQ(whole.headers.get("X-Content-Length"), "600000");
    EXPECT_EQ(whole.headers.get("Content-Type"), "text/plain");
    EXPECT_EQ(whole.headers.get("X-Stream-Output"), "1");
    EXPECT_TRUE(call("cat?arg=/ipfs/" + root + "/a%20file&offset=300000&length=10").body ==
                content.substr(300'000, 10));
    EXPECT_EQ(
        call("cat?offset=599990&length=12&arg=" + root + "/a%20file&arg=" + root + "/sub/b").body,
        content.substr(599'990) + "wo");
    EXPECT_EQ(call("cat?length=0&arg=" + root + "/sub/b").body, "");
    EXPECT_EQ(call("cat?offset=99&arg=" + root + "/sub/b").body, "");
    EXPECT_EQ(message(call("cat?arg=" + root)), "this dag node is a directory");
    EXPECT_EQ(message(call("cat?offset=-1&arg=" + root)), "cannot specify negative offset");
    EXPECT_EQ(message(call("cat?arg=" + root + "/none")),
              "no link named \\\"none\\\" under " + root);
    EXPECT_EQ(message(call("cat?arg=nonsense")),
              "invalid path \\\"nonsense\\\": path does not have enough components");
}

TEST_F(RpcFilesTest, listings_have_kubos_form) {
    const auto list = call("ls?arg=" + root).body;
    EXPECT_TRUE(list.starts_with("{\"Objects\":[{\"Hash\":\"" + root +
                                 "\",\"Links\":[{\"Name\":\"a file\",\"Hash\":\"Qm"))
        << list;
    EXPECT_NE(list.find("\"Size\":600000,\"Type\":2,\"Target\":\"\",\"Mode\":0,\"ModTime\":\"0001-"
                        "01-01T00:00:00Z\""),
              std::string::npos)
        << list;
    EXPECT_NE(list.find("\"Size\":6,\"Type\":4,\"Target\":\"a file\""), std::string::npos) << list;
    EXPECT_NE(list.find("\"Size\":0,\"Type\":1,"), std::string::npos) << list;
    EXPECT_TRUE(list.ends_with("]}]}\n"));
    const auto lines = call("ls?stream=true&size=false&resolve-type=false&arg=" + root).body;
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
    EXPECT_EQ(lines.find("\"Type\":1"), std::string::npos);
    EXPECT_EQ(call("ls?arg=" + root + "/sub/b&arg=" + root + "/sub/b").body,
              "{\"Objects\":[{\"Hash\":\"" + root + "/sub/b\",\"Links\":[]},{\"Hash\":\"" + root +
                  "/sub/b\",\"Links\":[]}]}\n");
}

TEST_F(RpcFilesTest, references_are_printed_in_order) {
    const auto direct = call("refs?arg=" + root).body;
    EXPECT_EQ(std::count(direct.begin(), direct.end(), '\n'), 3);
    const auto all = call("refs?recursive=true&arg=" + root).body;
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 7);  // three chunks, one file more
    EXPECT_EQ(call("refs?r=true&u=true&max-depth=0&arg=" + root).body, "");
    EXPECT_NE(call("refs?format=%3Clinkname%3E&arg=" + root)
                  .body.find("{\"Ref\":\"a file\",\"Err\":\"\"}"),
              std::string::npos);
    EXPECT_NE(call("refs?edges=true&arg=" + root).body.find(root + " -\\u003e Qm"),
              std::string::npos);
    EXPECT_NE(call("refs?edges=true&format=x&arg=" + root).body.find("not allowed"),
              std::string::npos);
    const auto local = call("refs/local").body;
    EXPECT_EQ(static_cast<std::uint64_t>(std::count(local.begin(), local.end(), '\n')),
              blocks.stat().blocks);
}

TEST_F(RpcFilesTest, file_status_is_that_of_content_paths_only) {
    const auto file = call("files/stat?arg=/ipfs/" + root + "/sub/b").body;
    EXPECT_NE(file.find("\"Size\":6,\"CumulativeSize\":14,\"Blocks\":0,\"Type\":\"file\"}"),
              std::string::npos)
        << file;
    EXPECT_NE(call("files/stat?with-local=true&arg=/ipfs/" + root)
                  .body.find("\"WithLocality\":true,\"Local\":true"),
              std::string::npos);
    EXPECT_NE(call("files/stat?arg=/ipfs/" + root + "/link").body.find("\"Mode\":\"1000000777\""),
              std::string::npos);
    EXPECT_NE(message(call("files/stat?arg=/")).find("no mutable file system"), std::string::npos);
    EXPECT_EQ(message(call("files/stat?arg=x")), "paths must start with a leading slash");
    EXPECT_NE(
        message(call("files/stat?hash=true&size=true&arg=/ipfs/" + root)).find("Only one format"),
        std::string::npos);
}

TEST_F(RpcFilesTest, get_gives_archives_and_packs_them) {
    const auto archive = call("get?arg=" + root + "/sub/b");
    EXPECT_EQ(archive.headers.get("Content-Type"), "application/x-tar");
    // A header of the name, one block of content, two blocks at the end.
    ASSERT_EQ(archive.body.size(), 4U * 512);
    EXPECT_EQ(archive.body.substr(0, 2), std::string("b\0", 2));
    EXPECT_EQ(archive.body.substr(512, 6), "world\n");
    const auto packed = call("get?compress=true&arg=" + root + "/a%20file");
    EXPECT_EQ(packed.headers.get("Content-Type"), "application/gzip");
    EXPECT_TRUE(packed.body.starts_with("\x1f\x8b\x08"));
    EXPECT_EQ(message(call("get?compress=true&arg=" + root)), "file is not regular");
    EXPECT_EQ(message(call("get?compress=true&compression-level=10&arg=" + root)),
              "compression level must be between 1 and 9");
    EXPECT_NE(call("get?arg=" + root + "/link").body.find("a file"), std::string::npos);
}

TEST_F(RpcFilesTest, names_resolve_to_blocks) {
    EXPECT_TRUE(call("resolve?arg=" + root + "/sub").body.starts_with("{\"Path\":\"/ipfs/Qm"));
    EXPECT_EQ(call("resolve?arg=ipfs://" + root).body, "{\"Path\":\"/ipfs/" + root + "\"}\n");
    EXPECT_EQ(call("resolve?cid-base=base32&arg=" + root).body.find("{\"Path\":\"/ipfs/bafybei"),
              0u);
    EXPECT_NE(message(call("resolve?arg=/ipns/example.com")).find("IPNS"), std::string::npos);
}

TEST_F(RpcFilesTest, numbers_of_the_store_have_kubos_form) {
    const auto stat = call("repo/stat").body;
    EXPECT_NE(stat.find("\"NumObjects\":8,\"RepoPath\":\"/the/repo\",\"Version\":\"fs-repo@18\""),
              std::string::npos)
        << stat;
    EXPECT_NE(call("repo/stat?size-only=true").body.find("\"NumObjects\":0,\"RepoPath\":\"\""),
              std::string::npos);
    EXPECT_EQ(call("repo/version").body, "{\"Version\":\"18\"}\n");
    EXPECT_EQ(call("swarm/peers").body, "{\"Peers\":null}\n");
    EXPECT_EQ(call("id").status, 200);
    EXPECT_NE(message(call("swarm/connect?arg=/ip4/127.0.0.1/tcp/1")).find("/p2p/"),
              std::string::npos);
    EXPECT_EQ(call("repo/gc").body, "");
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
