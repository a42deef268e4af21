// The benchmark's stub daemon is one that our connector works with.
#include "bench/stub_daemon.hpp"

#include "dag/block.hpp"
#include "ipfs/http/http_connector.hpp"
#include "multi/multihash.hpp"
#include "support/http_fixture.hpp"

namespace ipfscluster::bench {
namespace {

class BenchStubTest : public test::HttpFixture {
 protected:
    BenchStubTest() {
        EXPECT_TRUE(run(stub.start()));
        ipfshttp::HttpConnectorOptions options;
        options.node = stub.address();
        connector = std::move(ipfshttp::HttpConnector::make(world, std::move(options))).value();
        EXPECT_TRUE(run(connector->start()));
        EXPECT_TRUE(run(until_ready()));
    }
    ~BenchStubTest() override {
        EXPECT_TRUE(run(connector->stop()));
        EXPECT_TRUE(run(stub.stop()));
    }
    Async<> until_ready() {
        while (!connector->ready()) {
            ICL_CO_TRY(co_await world.sleep_for(std::chrono::milliseconds(1)));
        }
        co_return ok();
    }
    static Async<> store(component::IpfsConnector* ipfs, std::vector<dag::Block> blocks) {
        ICL_CO_TRY(auto session, co_await ipfs->open_blocks());
        for (auto& block : blocks) {
            ICL_CO_TRY(co_await session->put(std::move(block.cid), std::move(block.data)));
        }
        ICL_CO_TRY(co_await session->commit());
        co_return ok();
    }
    static dag::Block block(Bytes data, HashCode code) {
        return {Cid::v1(Codec::raw, multihash_digest(code, data).value()), std::move(data)};
    }

    static StubOptions stub_options() {
        StubOptions options;
        options.listen = Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value();
        options.peer_id = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
        return options;
    }
    StubDaemon stub{world, stub_options()};
    std::unique_ptr<ipfshttp::HttpConnector> connector;
};

TEST_F(BenchStubTest, blocks_are_taken_and_named) {
    std::vector<dag::Block> blocks;
    for (int i = 0; i < 300; ++i) blocks.push_back(block(std::to_string(i), HashCode::sha2_256));
    blocks.push_back(block(Bytes(1'000'000, 'b'), HashCode::sha2_256));
    blocks.push_back(block("with another hash", HashCode::blake2b_256));
    const auto stored = run(store(connector.get(), std::move(blocks)));
    EXPECT_TRUE(stored) << stored.error().text;
    EXPECT_GE(stub.calls("block/put"), 3U);
}

TEST_F(BenchStubTest, pins_come_and_go) {
    Pin pin;
    pin.cid = block("a pin", HashCode::sha2_256).cid;
    EXPECT_TRUE(run(connector->pin(pin, {})));
    EXPECT_EQ(run(connector->pin_status(pin)).value(), IpfsPinStatus::recursive);
    EXPECT_TRUE(run(connector->unpin(pin.cid)));
    EXPECT_EQ(run(connector->pin_status(pin)).value(), IpfsPinStatus::unpinned);
}

}  // namespace
}  // namespace ipfscluster::bench
