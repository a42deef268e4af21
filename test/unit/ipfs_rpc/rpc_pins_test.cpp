#include "rpc_fixture.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

class RpcPinsTest : public RpcFixture {
 protected:
    /// A directory with the file "f" of that content.
    std::string directory(const std::string& content) {
        return add_in_directory(content, "&pin=false");
    }
    std::string file_in(const std::string& root) {
        const auto path = call("resolve?arg=" + root + "/f").body;
        return path.substr(15, 46);
    }
};

TEST_F(RpcPinsTest, a_pin_goes_through_its_life) {
    const auto root = add("one", "pin=false");
    EXPECT_EQ(call("pin/add?arg=" + root + "&name=n").body, "{\"Pins\":[\"" + root + "\"]}\n");
    EXPECT_EQ(call("pin/ls?arg=" + root + "&names=true").body,
              "{\"Keys\":{\"" + root + "\":{\"Type\":\"recursive\",\"Name\":\"n\"}}}\n");
    EXPECT_EQ(call("pin/ls?stream=true&names=true").body,
              "{\"Cid\":\"" + root + "\",\"Name\":\"n\",\"Type\":\"recursive\"}\n");
    EXPECT_EQ(call("pin/ls?name=x").body, "{}\n");
    EXPECT_EQ(call("pin/rm?arg=" + root).body, "{\"Pins\":[\"" + root + "\"]}\n");
    EXPECT_EQ(message(call("pin/rm?arg=" + root)), "not pinned or pinned indirectly");
    EXPECT_EQ(message(call("pin/ls?arg=" + root)), "path '" + root + "' is not pinned");
}

TEST_F(RpcPinsTest, direct_and_indirect_pins_are_told_apart) {
    const auto root = directory("two");
    const auto file = file_in(root);
    call("pin/add?arg=" + root);
    EXPECT_EQ(call("pin/ls?type=indirect").body,
              "{\"Keys\":{\"" + file + "\":{\"Type\":\"indirect\",\"Name\":\"\"}}}\n");
    EXPECT_NE(call("pin/ls?arg=" + file).body.find("indirect through " + root), std::string::npos);
    EXPECT_EQ(message(call("pin/rm?arg=" + file)), "not pinned or pinned indirectly");
    EXPECT_EQ(message(call("pin/add?arg=" + root + "&recursive=false")),
              "pin: " + root + " already pinned recursively");
    EXPECT_EQ(message(call("pin/rm?arg=" + root + "&r=false")), root + " is pinned recursively");
    call("pin/add?arg=" + file + "&recursive=false");
    EXPECT_EQ(call("pin/ls?type=direct").body,
              "{\"Keys\":{\"" + file + "\":{\"Type\":\"direct\",\"Name\":\"\"}}}\n");
    EXPECT_EQ(call("pin/ls?type=indirect").body, "{}\n");
    EXPECT_NE(message(call("pin/ls?type=some")).find("invalid type 'some'"), std::string::npos);
}

TEST_F(RpcPinsTest, an_update_moves_the_name) {
    const auto one = directory("one"), two = directory("two");
    EXPECT_EQ(message(call("pin/update?arg=" + one + "&arg=" + two)),
              "'from' cid was not recursively pinned already");
    call("pin/add?arg=" + one + "&name=n");
    EXPECT_EQ(call("pin/update?arg=" + one + "&arg=" + two).body,
              "{\"Pins\":[\"" + one + "\",\"" + two + "\"]}\n");
    EXPECT_EQ(call("pin/ls?type=recursive&names=true").body,
              "{\"Keys\":{\"" + two + "\":{\"Type\":\"recursive\",\"Name\":\"n\"}}}\n");
    call("pin/add?arg=" + one);
    EXPECT_EQ(message(call("pin/update?arg=" + one + "&arg=" + two)),
              "'to' cid was already recursively pinned");
}

TEST_F(RpcPinsTest, progress_ends_with_the_pins) {
    const auto root = directory("three");
    const auto answer = call("pin/add?progress=true&arg=" + root);
    EXPECT_EQ(answer.body.find("{\"Progress\":2,\"Bytes\":"), 0u) << answer.body;
    EXPECT_TRUE(answer.body.ends_with("{\"Pins\":[\"" + root + "\"]}\n"));
}

TEST_F(RpcPinsTest, arguments_may_come_as_lines) {
    const auto one = add("one", "pin=false"), two = add("two", "pin=false");
    const auto answer = upload("pin/add", {{"stdin", one + "\n" + two + "\r\n\n"}});
    EXPECT_EQ(answer.body, "{\"Pins\":[\"" + one + "\",\"" + two + "\"]}\n");
}

TEST_F(RpcPinsTest, names_are_bounded_and_missing_blocks_named) {
    const auto root = add("one", "pin=false");
    EXPECT_EQ(message(call("pin/add?arg=" + root + "&name=" + std::string(256, 'n'))),
              "pin name is 256 bytes (max 255 bytes)");
    EXPECT_EQ(call("pin/add?arg=" + root + "&name=" + std::string(255, 'n')).status, 200);
    EXPECT_NE(
        message(call("pin/add?arg=QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")).find("pin: "),
        std::string::npos);
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
