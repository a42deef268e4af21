#include "rpc_fixture.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

class RpcAddTest : public RpcFixture {};

constexpr const char* kHello = "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN";  // "hello\n"

TEST_F(RpcAddTest, a_file_is_added_and_pinned) {
    const auto answer = upload("add", {{"a.txt", "hello\n"}});
    EXPECT_EQ(answer.body,
              std::string("{\"Name\":\"a.txt\",\"Hash\":\"") + kHello + "\",\"Size\":\"14\"}\n");
    EXPECT_EQ(answer.headers.get("X-Chunked-Output"), "1");
    EXPECT_NE(call("pin/ls").body.find(std::string(kHello) + "\":{\"Type\":\"recursive\""),
              std::string::npos);
}

TEST_F(RpcAddTest, options_decide_what_is_made) {
    EXPECT_EQ(add("hello\n"), kHello);
    EXPECT_EQ(add("hello\n", "cid-version=1"),
              "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am");
    EXPECT_TRUE(add("hello\n", "hash=blake2b-256").starts_with("bafk2bz"));
    EXPECT_EQ(add("hello\n", "cid-base=base32"),
              "bafybeiffndsajwhk3lwjewwdxqntmjm4b5wxaaanokonsggenkbw6slwk4");
    EXPECT_NE(add(std::string(1000, 'x'), "chunker=size-100"),
              add(std::string(1000, 'x'), "chunker=size-100&trickle=true"));
}

TEST_F(RpcAddTest, only_hash_stores_nothing) {
    EXPECT_EQ(add("hello\n", "only-hash=true"), kHello);
    EXPECT_EQ(blocks.stat().blocks, 0u);
    EXPECT_EQ(call("pin/ls").body, "{}\n");
}

TEST_F(RpcAddTest, without_pin_the_next_collection_takes_it) {
    add("hello\n", "pin=false");
    EXPECT_EQ(call("pin/ls").body, "{}\n");
    EXPECT_EQ(blocks.stat().blocks, 1u);
    EXPECT_NE(call("repo/gc").body.find("\"Key\":{\"/\":\"bafkrei"), std::string::npos);
    EXPECT_EQ(blocks.stat().blocks, 0u);
}

TEST_F(RpcAddTest, every_top_entry_is_pinned) {
    const auto answer = upload(
        "add?pin-name=mine",
        {{"one", "1"}, {"dir", "", "application/x-directory"}, {"dir/two", "2"}, {"three", "3"}});
    EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 4) << answer.body;
    const auto pins = call("pin/ls?type=recursive&names=true").body;
    std::size_t named = 0;
    for (std::size_t at = 0; (at = pins.find("\"Name\":\"mine\"", at)) != std::string::npos; ++at)
        ++named;
    EXPECT_EQ(named, 3u) << pins;
    EXPECT_EQ(call("repo/gc").body, "");
}

TEST_F(RpcAddTest, progress_is_reported_and_silence_kept) {
    const auto answer = upload("add?progress=true", {{"f", std::string(600'000, 'x')}});
    EXPECT_NE(answer.body.find("{\"Name\":\"\",\"Bytes\":"), std::string::npos)
        << answer.body.substr(0, 200);
    EXPECT_EQ(upload("add?silent=true", {{"f", "x"}}).body, "");
    const auto silent = upload("add?silent=true&progress=true", {{"d/f", "x"}, {"d/g", "y"}}).body;
    EXPECT_EQ(silent.find("{\"Name\":\"d\",\"Hash\":"), 0u) << silent;
    EXPECT_EQ(std::count(silent.begin(), silent.end(), '\n'), 1);
}

TEST_F(RpcAddTest, what_the_node_cannot_do_is_refused_before_the_upload) {
    for (const char* option : {"to-files=/x", "nocopy=true", "inline=true", "preserve-mode=true",
                               "mode=420", "empty-dirs=false", "max-file-links=10"}) {
        const auto answer = upload(std::string("add?") + option, {{"f", "x"}});
        EXPECT_NE(message(answer).find("does not have the option"), std::string::npos)
            << option << answer.body;
    }
    EXPECT_EQ(message(upload("add?hash=nonsense", {{"f", "x"}})),
              "unrecognized hash function: \\\"nonsense\\\"");
    EXPECT_EQ(message(upload("add?hash=sha2-512&cid-version=0", {{"f", "x"}})),
              "CIDv0 only supports sha2-256");
    EXPECT_EQ(upload("add?to-files=&empty-dirs=true&inline=false", {{"f", "x"}}).status, 200);
    EXPECT_NE(message(upload("add?chunker=size-0", {{"f", "x"}})).find("chunker"),
              std::string::npos);
    EXPECT_NE(message(upload("add?pin=false&pin-name=x", {{"f", "x"}})).find("requires pin"),
              std::string::npos);
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
