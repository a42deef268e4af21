// Blocks of an add on their way into the daemon.
#include "dag/block.hpp"
#include "ipfs/http/kubo_session.hpp"
#include "multi/multihash.hpp"
#include "stub_daemon.hpp"

namespace ipfscluster::ipfshttp {
namespace {

using namespace test;

class BlocksTest : public StubTest {
 protected:
    static dag::Block block(const std::string& data, HashCode code = HashCode::sha2_256) {
        return {Cid::v1(Codec::raw, multihash_digest(code, data).value()), data};
    }
    static std::string key(const dag::Block& b) {
        return "{\"Key\":\"" + b.cid.to_string() + "\",\"Size\":" + std::to_string(b.data.size()) +
               "}";
    }
    static Async<> store(component::IpfsConnector* ipfs, std::vector<dag::Block> blocks) {
        ICL_CO_TRY(auto session, co_await ipfs->open_blocks());
        for (auto& b : blocks) {
            ICL_CO_TRY(co_await session->put(b.cid, b.data));
        }
        ICL_CO_TRY(co_await session->commit());
        co_return ok();
    }
    const dag::Block a = block("one block"), b = block(std::string(20'000, 'b'));
};

TEST_F(BlocksTest, a_batch_is_one_call_that_names_every_block) {
    begin();
    // The same multihash under another CID is the same block.
    answer(
        "block/put",
        {{.pieces = {key(a), "{\"Key\":\"" + Cid::v1(Codec::dag_pb, b.cid.multihash()).to_string() +
                                 "\",\"Size\":1}"}}});
    const auto stored = run(store(connector.get(), {a, b}));
    ASSERT_TRUE(stored) << stored.error().text;
    EXPECT_EQ(last("block/put"),
              "block/"
              "put?allow-big-block=true&cid-codec=raw&mhtype=sha2-256&mhlen=32&pin=false&stream-"
              "channels=true");
    const auto& body = bodies.back();
    EXPECT_NE(body.find("one block"), std::string::npos);
    EXPECT_NE(body.find(b.data), std::string::npos);
    EXPECT_NE(body.find("name=\"file\"; filename=\"" + a.cid.to_string() + "\""),
              std::string::npos);
}

TEST_F(BlocksTest, another_hash_is_another_call) {
    begin();
    const auto c = block("with another hash", HashCode::blake2b_256);
    answer("block/put", {{.pieces = {key(a)}}, {.pieces = {key(c)}}});
    ASSERT_TRUE(run(store(connector.get(), {a, c})));
    EXPECT_EQ(count("block/put"), 2u);
    EXPECT_NE(last("block/put").find("mhtype=blake2b-256&mhlen=32"), std::string::npos)
        << last("block/put");
}

TEST_F(BlocksTest, a_batch_is_bounded) {
    begin();
    std::vector<dag::Block> blocks;
    std::deque<Answer> keys;
    for (int i = 0; i < 5; ++i) {
        blocks.push_back(block(std::string(900'000, static_cast<char>('a' + i))));
        if (i % 2 == 0) keys.emplace_back();
        keys.back().pieces.push_back(key(blocks.back()));
    }
    answer("block/put", keys);
    const auto stored = run(store(connector.get(), blocks));
    ASSERT_TRUE(stored) << stored.error().text;
    EXPECT_EQ(count("block/put"), 3u);
    for (const auto& body : bodies) EXPECT_LE(body.size(), kBatchBytesMax + 4096);
}

TEST_F(BlocksTest, what_the_daemon_does_not_confirm_is_not_stored) {
    begin();
    struct Row {
        const char* name;
        Answer answer;
        Kind kind;
        std::string words;
    };
    const Row rows[] = {
        {"one is missing", {.pieces = {key(a)}}, Kind::corrupt, "stored 1 of 2 blocks"},
        {"another block", {.pieces = {key(b), key(a)}}, Kind::corrupt, "another block"},
        {"cut", {.pieces = {key(a)}, .end = Answer::End::cut}, Kind::corrupt, "broke off"},
        {"late error", late({key(a)}, "write: no space left on device"), Kind::disk_full,
         "disk full on alpha"},
        {"error at once", fault("mkdir x: no space left on device"), Kind::disk_full,
         "disk full on alpha"},
        {"nonsense", {.pieces = {"{"}}, Kind::corrupt, "malformed JSON"},
    };
    for (const auto& r : rows) {
        answer("block/put", {r.answer});
        const auto stored = run(store(connector.get(), {a, b}));
        ASSERT_FALSE(stored) << r.name;
        EXPECT_EQ(stored.error().kind, r.kind) << r.name << ": " << stored.error().text;
        EXPECT_NE(stored.error().text.find(r.words), std::string::npos)
            << r.name << ": " << stored.error().text;
    }
}

TEST_F(BlocksTest, bytes_that_are_not_the_blocks_are_refused) {
    begin();
    const auto stored = run(store(connector.get(), {dag::Block{a.cid, "other bytes"}}));
    EXPECT_EQ(stored.error().kind, Kind::invalid);
    EXPECT_EQ(count("block/put"), 0u);
    // Bytes inside the CID need no place.
    EXPECT_TRUE(run(store(connector.get(), {block("tiny", HashCode::identity)})));
    EXPECT_EQ(count("block/put"), 0u);
}

}  // namespace
}  // namespace ipfscluster::ipfshttp
