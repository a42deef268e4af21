// Calls that work for long without the network.
#include <thread>

#include "dag/car.hpp"
#include "dag/dag_pb.hpp"
#include "rpc_fixture.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

using namespace std::chrono_literals;

/// Takes its time for each block, and counts them.
class SlowStore final : public blockstore::BlockStore {
 public:
    explicit SlowStore(World& world) : world_(world), inner_(world) {}
    Async<std::optional<Bytes>> get(Bytes multihash) override {
        ++reads;
        std::function<void()> seek = [] { std::this_thread::sleep_for(200us); };
        auto sought = co_await world_.run_blocking(Pool::bulk, std::move(seek));
        ICL_CO_TRY(std::move(sought));
        co_return co_await inner_.get(std::move(multihash));
    }
    Async<std::optional<Bytes>> get_prefix(Bytes multihash, std::size_t max) override {
        return inner_.get_prefix(std::move(multihash), max);
    }
    Result<std::optional<std::uint32_t>> size(BytesView multihash) override {
        return inner_.size(multihash);
    }
    Result<> check_space() override { return inner_.check_space(); }
    Async<> put(std::vector<dag::Block> blocks) override { return inner_.put(std::move(blocks)); }
    std::uint64_t loss_epoch() const override { return inner_.loss_epoch(); }
    Async<> sync(std::uint64_t epoch) override { return inner_.sync(epoch); }
    std::uint64_t next_sequence() const override { return inner_.next_sequence(); }
    Result<bool> touch(BytesView multihash) override { return inner_.touch(multihash); }
    Result<> forget(BytesView multihash) override { return inner_.forget(multihash); }
    SourcePtr<blockstore::BlockInfo> list() override { return inner_.list(); }
    blockstore::BlockStat stat() const override { return inner_.stat(); }
    Result<blockstore::SweepStep> sweep(Bytes after, std::uint64_t before,
                                        const blockstore::KeepBlock& keep,
                                        std::size_t limit) override {
        return inner_.sweep(std::move(after), before, keep, limit);
    }
    Async<std::uint64_t> compact() override { return inner_.compact(); }
    Async<> close() override { return inner_.close(); }
    std::size_t reads = 0;

 private:
    World& world_;
    blockstore::MemoryBlockStore inner_;
};

constexpr Duration kLease = 1s;

class RpcLongTest : public test::HttpFixture {
 protected:
    RpcLongTest() {
        node.emplace(node::EmbeddedNodeConfig{.world = world,
                                              .blocks = blocks,
                                              .rows = rows,
                                              .options = {.session_lease = kLease},
                                              .pinned = [this](const Cid&) { on_pinned(); }});
        listener.emplace(*node, RpcListenerConfig{});
        run(node->start()).value();
        serve([this](http::Exchange& e) { return listener->handle(e); });
        client = std::make_unique<http::Client>(world, client_config());
    }
    ~RpcLongTest() override {
        client->close();
        if (server) {
            EXPECT_TRUE(run(server->stop(Duration{})));
        }
        server.reset();
        EXPECT_TRUE(run(node->stop()));
    }
    http::ClientAnswer call(std::string target, const Bytes& file = {}) {
        http::MultipartWriter writer(1, 2);
        http::ClientRequest request;
        request.method = http::Method::post;
        request.target = "/api/v0/" + std::move(target);
        if (!file.empty()) {
            request.headers.add("Content-Type", writer.content_type());
            request.body = writer.begin_file("f", "application/octet-stream") + file;
            request.body += writer.close();
        }
        return run(client->fetch(std::move(request))).value();
    }
    /// The leases that protect blocks now.
    std::size_t live_leases() {
        std::size_t live = 0;
        auto it = rows.iterate(blockstore::kFamily, Bytes(1, blockstore::kLeaseRows),
                               Bytes(1, static_cast<char>(blockstore::kLeaseRows + 1)));
        while (it->next().value()) {
            const auto ends = static_cast<std::int64_t>(get_be64(it->value().substr(8)));
            if (Time(std::chrono::nanoseconds(ends)) > world.system_now()) ++live;
        }
        return live;
    }
    void on_pinned() {
        ++pinned;
        leased += live_leases();
        std::this_thread::sleep_for(300ms);
    }
    /// A directory-like root with `width` different leaves, all held; its CID.
    std::string wide(std::size_t width) {
        std::vector<dag::Block> all;
        dag::PbNode root;
        for (std::size_t i = 0; i < width; ++i) {
            all.push_back(leaf(i));
            root.links.push_back({all.back().cid, "", 1});
        }
        root.data = Bytes("\x08\x01", 2);  // a UnixFS directory
        const auto data = dag::encode_dag_pb(root);
        all.push_back(
            {Cid::v1(Codec::dag_pb, multihash_digest(HashCode::sha2_256, data).value()), data});
        const auto cid = all.back().cid.to_string();
        EXPECT_TRUE(run(blocks.put(std::move(all))));
        return cid;
    }
    static dag::Block leaf(std::size_t number) {
        const auto data = "leaf " + std::to_string(number);
        return {Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, data).value()), data};
    }

    SlowStore blocks{world};
    storage::MemoryStore rows{world};
    std::optional<node::EmbeddedNode> node;
    std::optional<RpcListener> listener;
    std::unique_ptr<http::Client> client;
    std::size_t pinned = 0, leased = 0;
};

TEST_F(RpcLongTest, an_import_keeps_its_lease_while_it_pins_many_roots) {
    std::vector<Cid> roots;
    Bytes sections;
    for (std::size_t i = 0; i < 5; ++i) {
        const auto block = leaf(i);
        roots.push_back(block.cid);
        sections += dag::car_section_head(block.cid, block.data.size()) + block.data;
    }
    const auto answer = call("dag/import", dag::car_start(roots) + sections);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(pinned, roots.size());
    EXPECT_EQ(leased, roots.size()) << "the lease has ended before the last root was pinned";
    EXPECT_EQ(live_leases(), 0u);
}

TEST_F(RpcLongTest, sizes_that_are_counted_on_the_disk_end_at_their_deadline) {
    constexpr std::size_t kWidth = 2000;
    const auto root = wide(kWidth);
    for (const auto* target : {"files/stat?with-local=true&timeout=50ms&arg=/ipfs/",
                               "dag/stat?progress=false&timeout=50ms&arg="}) {
        blocks.reads = 0;
        const auto answer = call(target + root);
        EXPECT_NE(answer.body.find("context deadline exceeded"), std::string::npos) << answer.body;
        EXPECT_GT(blocks.reads, 2u);
        EXPECT_LT(blocks.reads, kWidth / 2);
    }
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
