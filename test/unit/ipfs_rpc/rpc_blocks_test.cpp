#include "dag/car.hpp"
#include "rpc_fixture.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

class RpcBlocksTest : public RpcFixture {};

constexpr const char* kRawHello = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am";
constexpr const char* kMissing = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";

TEST_F(RpcBlocksTest, a_block_goes_through_its_life) {
    EXPECT_EQ(upload("block/put", {{"f", "hello\n"}}).body,
              std::string("{\"Key\":\"") + kRawHello + "\",\"Size\":6}\n");
    const auto got = call(std::string("block/get?arg=") + kRawHello);
    EXPECT_EQ(got.body, "hello\n");
    EXPECT_EQ(got.headers.get("Content-Type"), "application/vnd.ipld.raw");
    EXPECT_EQ(call(std::string("block/stat?arg=") + kRawHello).body,
              std::string("{\"Key\":\"") + kRawHello + "\",\"Size\":6}\n");
    EXPECT_EQ(call(std::string("block/rm?arg=") + kRawHello).body,
              std::string("{\"Hash\":\"") + kRawHello + "\"}\n");
    EXPECT_NE(call(std::string("block/rm?arg=") + kRawHello)
                  .body.find("\"Error\":\"ipld: could not find"),
              std::string::npos);
    EXPECT_EQ(call(std::string("block/rm?force=true&quiet=true&arg=") + kRawHello).body, "");
    EXPECT_NE(message(call(std::string("block/get?arg=") + kRawHello)).find("was not found"),
              std::string::npos);
}

TEST_F(RpcBlocksTest, blocks_are_named_as_asked) {
    EXPECT_NE(upload("block/put?format=v0", {{"f", "\n\0"}}).body.find("\"Key\":\"Qm"),
              std::string::npos);
    EXPECT_NE(upload("block/put?cid-codec=dag-cbor", {{"f", "x"}}).body.find("\"bafyrei"),
              std::string::npos);
    EXPECT_NE(upload("block/put?mhtype=sha2-512", {{"f", "x"}}).body.find("\"bafkrgq"),
              std::string::npos);
    EXPECT_EQ(message(upload("block/put?mhtype=nonsense", {{"f", "x"}})),
              "unrecognized multihash function: nonsense");
    EXPECT_NE(
        message(upload("block/put?cid-codec=nonsense", {{"f", "x"}})).find("unknown multicodec"),
        std::string::npos);
    EXPECT_NE(message(upload("block/put?mhlen=20", {{"f", "x"}})).find("mhlen"), std::string::npos);
    const std::string big(2'500'000, 'x');
    EXPECT_NE(message(upload("block/put", {{"f", big}})).find("over 2MiB"), std::string::npos);
    EXPECT_EQ(upload("block/put?allow-big-block=true", {{"f", big}}).status, 200);
}

TEST_F(RpcBlocksTest, pinned_and_leased_blocks_are_not_removed) {
    const auto root = add_in_directory("x");
    const auto path = call("resolve?arg=" + root + "/f").body;
    const auto file = path.substr(15, 46);
    EXPECT_NE(call("block/rm?arg=" + root).body.find("\"Error\":\"pinned: recursive\""),
              std::string::npos);
    EXPECT_NE(call("block/rm?arg=" + file).body.find("\"Error\":\"pinned via " + root + "\""),
              std::string::npos);
    // An add that runs: what it met is protected, whoever asks.
    auto session = std::move(run(node.open_blocks())).value();
    const auto cid = dag::CidBuilder{1, HashCode::sha2_256}.make(Codec::raw, "y").value();
    ASSERT_TRUE(run(session->put(cid, "y")));
    EXPECT_NE(call("block/rm?arg=" + cid.to_string()).body.find("lease"), std::string::npos);
    session.reset();
    EXPECT_EQ(call("block/rm?arg=" + cid.to_string()).body.find("Error"), std::string::npos);
}

TEST_F(RpcBlocksTest, what_the_cluster_is_going_to_pin_survives_a_collection) {
    for (const bool kept : {false, true}) {
        http::Headers headers;
        if (kept) headers.add(component::kKeepForPinField, "1");
        EXPECT_EQ(upload("block/put?pin=false", {{"f", "hello\n"}}, headers).status, 200);
        EXPECT_EQ(upload("dag/put?pin=false", {{"f", R"({"a":1})"}}, headers).status, 200);
        EXPECT_EQ(call("repo/gc").status, 200);
        EXPECT_EQ(blocks.stat().blocks, kept ? 2u : 0u);
    }
}

TEST_F(RpcBlocksTest, a_document_is_no_empty_file) {
    const auto put = upload("dag/put", {{"f", R"({"a":1})"}});
    const auto at = put.body.find("bafyrei");
    ASSERT_NE(at, std::string::npos) << put.body;
    EXPECT_EQ(send(http::Method::get, "/ipfs/" + put.body.substr(at, 59)).status, 400);
}

TEST_F(RpcBlocksTest, documents_are_put_got_and_resolved) {
    const auto put = upload("dag/put", {{"f", R"({"a":{"b":[1,{"/":")" + add("x") + R"("}]}})"}});
    const auto at = put.body.find("bafyrei");
    ASSERT_NE(at, std::string::npos) << put.body;
    const auto cid = put.body.substr(at, 59);
    EXPECT_EQ(call("dag/get?arg=" + cid + "/a/b/0").body, "1");
    EXPECT_EQ(call("dag/get?arg=" + cid + "/a/b/1").body.find("{\"Data\":{\"/\":{\"bytes\":"), 0u);
    EXPECT_EQ(call("dag/resolve?arg=" + cid + "/a/b").body,
              "{\"Cid\":{\"/\":\"" + cid + "\"},\"RemPath\":\"a/b\"}\n");
    EXPECT_NE(call("resolve?arg=/ipfs/" + cid + "/a/b/1").body.find("/ipfs/bafybei"),
              std::string::npos);
    EXPECT_NE(message(call("dag/get?arg=" + cid + "/a/c")).find("\\\"c\\\""), std::string::npos);
    EXPECT_EQ(call("dag/get?output-codec=dag-cbor&arg=" + cid + "/a/b/0").body, "\x01");
    EXPECT_NE(message(upload("dag/put", {{"f", "nonsense"}})).find("dag-json"), std::string::npos);
    EXPECT_NE(upload("dag/put?pin=true&store-codec=dag-json", {{"f", "[1]"}}).body.find("bagu"),
              std::string::npos);
}

TEST_F(RpcBlocksTest, a_car_comes_back_as_it_went_out) {
    std::vector<File> files;
    files.push_back({"d", "", "application/x-directory"});
    for (int i = 0; i < 5; ++i)
        files.push_back({"d/" + std::to_string(i), "content " + std::to_string(i % 3)});
    const auto added = upload("add", files).body;
    const auto at = added.rfind("\"Hash\":\"");
    const auto root = added.substr(at + 8, 46);
    const auto car = call("dag/export?arg=" + root);
    EXPECT_EQ(car.headers.get("Content-Type"), "application/vnd.ipld.car");
    dag::CarReader reader;
    reader.feed(car.body);
    std::size_t count = 0;
    while (reader.next().value()) ++count;
    EXPECT_TRUE(reader.finish());
    EXPECT_EQ(count, 4u);  // the directory and three different files
    const auto stat = call("dag/stat?progress=false&arg=" + root).body;
    EXPECT_NE(stat.find("\"UniqueBlocks\":4"), std::string::npos) << stat;
    EXPECT_NE(stat.find("\"Ratio\":1,"), std::string::npos) << stat;

    call("pin/rm?arg=" + root);
    call("repo/gc");
    EXPECT_EQ(blocks.stat().blocks, 0u);
    const auto imported = upload("dag/import?stats=true", {{"f", car.body}}).body;
    EXPECT_EQ(imported, "{\"Root\":{\"Cid\":{\"/\":\"" + root +
                            "\"},\"PinErrorMsg\":\"\"}}\n"
                            "{\"Stats\":{\"BlockCount\":4,\"BlockBytesCount\":" +
                            std::to_string(blocks.stat().data_bytes) + "}}\n");
    EXPECT_EQ(call("repo/gc").body, "");
    EXPECT_EQ(call("cat?arg=" + root + "/4").body, "content 1");

    // Damaged, cut, or without the root's blocks.
    auto damaged = car.body;
    damaged[damaged.size() - 2] ^= 1;
    EXPECT_NE(message(upload("dag/import", {{"f", damaged}})).find("import failed after block"),
              std::string::npos);
    EXPECT_NE(message(upload("dag/import", {{"f", car.body.substr(0, car.body.size() - 3)}}))
                  .find("import failed after block"),
              std::string::npos);
    const auto empty = dag::car_start({Cid::parse(kMissing).value()});
    EXPECT_NE(upload("dag/import", {{"f", empty}}).body.find("\"PinErrorMsg\":\"block "),
              std::string::npos);
    EXPECT_EQ(upload("dag/import?pin-roots=false", {{"f", empty}}).body, "");
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
