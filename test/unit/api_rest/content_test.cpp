// GET /ipfs/…: files, ranges, archives.
#include <cstdlib>
#include <fstream>

#include "support/temp_folder.hpp"
#include "unit/api_rest/rest_fixture.hpp"

namespace ipfscluster::rest {
namespace {

using component::DirectoryEntry;
using http::Method;

class Content : public RestFixture {
 protected:
    void put_file(const std::string& path, const std::string& cid_text,
                  const std::string& content) {
        const auto cid = test_cid(cid_text);
        cluster.ipfs_node.paths[path] = {{cid, false, content.size()}, content, {}};
        cluster.ipfs_node.paths["/ipfs/" + cid.to_string()] = {
            {cid, false, content.size()}, content, {}};
    }
    std::string make_tree() {
        const std::string root = "/ipfs/" + test_cid("dir").to_string();
        put_file(root + "/a.txt", "a", "hello world");
        put_file(root + "/sub/" + std::string(150, 'n'), "n", std::string(1000, 'z'));
        cluster.ipfs_node.links[test_cid("l")] = "a.txt";
        cluster.ipfs_node.paths["sub"] = {
            {test_cid("sub"), true, 0},
            {},
            {{std::string(150, 'n'), test_cid("n"), 0, DirectoryEntry::Type::file}}};
        cluster.ipfs_node.paths[root] = {
            {test_cid("dir"), true, 0},
            {},
            {{"a.txt", test_cid("a"), 19, DirectoryEntry::Type::unknown},
             {"l", test_cid("l"), 3, DirectoryEntry::Type::symlink},
             {"sub", test_cid("sub"), 0, DirectoryEntry::Type::directory}}};
        return root;
    }
};

TEST_F(Content, files_and_ranges) {
    start();
    const auto root = make_tree();
    auto whole = get(root + "/a.txt");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, "hello world");
    EXPECT_EQ(whole.headers.get("Content-Length"), "11");
    EXPECT_EQ(whole.headers.get("ETag"), "\"" + test_cid("a").to_string() + "\"");
    EXPECT_EQ(whole.headers.get("X-Content-Type-Options"), "nosniff");
    auto part = ask(Method::get, root + "/a.txt", {{"Range", "bytes=6-"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "world");
    EXPECT_EQ(part.headers.get("Content-Range"), "bytes 6-10/11");
    auto beyond = ask(Method::get, root + "/a.txt", {{"Range", "bytes=11-"}});
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.headers.get("Content-Range"), "bytes */11");
    auto head = ask(Method::head, root + "/a.txt");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.get("Content-Length"), "11");
    EXPECT_EQ(
        ask(Method::get, root + "/a.txt", {{"If-None-Match", whole.headers.get("ETag")}}).status,
        304);
}

TEST_F(Content, what_is_not_there_or_not_a_file) {
    start();
    const auto root = make_tree();
    EXPECT_EQ(get(root + "/nope").status, 404);
    EXPECT_EQ(get("/ipfs/nonsense").status, 400);
    EXPECT_EQ(get(root).status, 400);
    EXPECT_NE(get(root).body.find("format=tar"), std::string::npos);
    EXPECT_EQ(get(root + "?format=zip").status, 400);
}

TEST_F(Content, a_file_that_breaks_off_is_never_whole) {
    start();
    const auto root = make_tree();
    put_file(root + "/big", "big", std::string(200000, 'b'));
    cluster.ipfs_node.cat_error = Error{Kind::unavailable, "block missing"};
    auto answer = run(client->fetch({.target = root + "/big"}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::corrupt);
}

TEST_F(Content, a_file_that_cannot_be_begun_tells_why) {
    start();
    const auto root = make_tree();
    put_file(root + "/empty-first", "e", "x");
    cluster.ipfs_node.cat_error = Error{Kind::unavailable, "block missing"};
    cluster.ipfs_node.cat_items = 0;
    auto answer = get(root + "/empty-first");
    EXPECT_EQ(answer.status, 500);
    EXPECT_NE(answer.body.find("block missing"), std::string::npos);
    cluster.ipfs_node.cat_error = Error{Kind::timeout, "nothing came"};
    EXPECT_EQ(get(root + "/empty-first").status, 504);
}

TEST_F(Content, an_archive_unpacks_with_tar) {
    start();
    const auto root = make_tree();
    auto answer = get(root + "?format=tar");
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/x-tar");
    EXPECT_FALSE(answer.trailers.has("X-Stream-Error"));
    test::TempFolder folder;
    std::ofstream(folder.path("a.tar"), std::ios::binary) << answer.body;
    ASSERT_EQ(std::system(("tar -xf " + folder.path("a.tar") + " -C " + folder.path()).c_str()), 0);
    const auto base = folder.path(test_cid("dir").to_string());
    auto read = [](const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    EXPECT_EQ(read(base + "/a.txt"), "hello world");
    EXPECT_EQ(read(base + "/l"), "hello world");
    EXPECT_EQ(read(base + "/sub/" + std::string(150, 'n')), std::string(1000, 'z'));
    auto single = get(root + "/a.txt?format=tar");
    EXPECT_EQ(single.body.size(), 4 * 512u);
    EXPECT_STREQ(single.body.c_str(), "a.txt");
}

TEST_F(Content, a_broken_archive_names_the_cause_and_does_not_unpack) {
    start();
    const auto root = make_tree();
    cluster.ipfs_node.cat_error = Error{Kind::unavailable, "block missing"};
    auto answer = get(root + "?format=tar");
    EXPECT_EQ(answer.trailers.get("X-Stream-Error"), "block missing");
    test::TempFolder folder;
    std::ofstream(folder.path("a.tar"), std::ios::binary) << answer.body;
    EXPECT_NE(std::system(("tar -tf " + folder.path("a.tar") + " >/dev/null 2>&1").c_str()), 0);
}

TEST_F(Content, names_that_would_leave_their_directory_are_refused) {
    start();
    const auto root = make_tree();
    for (const auto* name : {"..", ".", "", "a/b", "/etc"}) {
        cluster.ipfs_node.paths[root].entries = {
            {name, test_cid("a"), 0, DirectoryEntry::Type::file}};
        auto answer = get(root + "?format=tar");
        EXPECT_NE(answer.trailers.get("X-Stream-Error").find("unusable name"), std::string::npos)
            << name;
    }
}

}  // namespace
}  // namespace ipfscluster::rest
