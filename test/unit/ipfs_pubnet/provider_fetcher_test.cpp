#include "ipfs/pubnet/provider_fetcher.hpp"

#include <gtest/gtest.h>

#include "bitswap/bitswap.hpp"
#include "fake_routing.hpp"
#include "net/memory_host.hpp"
#include "support/drive.hpp"

namespace ipfscluster::pubnet {
namespace {

using namespace std::chrono_literals;

PeerId peer_id(std::uint8_t number) {
    Bytes multihash("\x12\x20", 2);
    multihash.append(32, static_cast<char>(number));
    return PeerId::from_bytes(multihash).value();
}

dag::Block make_block(std::uint32_t number) {
    const Bytes data = "block number " + std::to_string(number);
    return {Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, data).value()), data};
}

struct Node : bitswap::BlockSupply {
    Node(World& world, net::MemoryNetwork& network, std::uint8_t number)
        : id(peer_id(number)), host(network.add_host(id)), bitswap(world, *host, *this) {
        bitswap.start();
    }
    Result<std::optional<std::uint32_t>> size(const Cid& cid) override {
        if (!blocks.contains(cid)) return std::optional<std::uint32_t>{};
        return std::optional<std::uint32_t>(static_cast<std::uint32_t>(blocks[cid].size()));
    }
    Async<std::optional<Bytes>> get(Cid cid) override {
        if (!blocks.contains(cid)) co_return std::optional<Bytes>{};
        co_return std::optional<Bytes>(blocks[cid]);
    }
    PeerId id;
    std::unique_ptr<net::MemoryHost> host;
    std::map<Cid, Bytes> blocks;
    bitswap::Bitswap bitswap;
};

asio::awaitable<void> fetch_one(bitswap::FetchSession& session, Cid cid, Duration limit,
                                int* good) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto got = co_await session.fetch(std::move(cid), limit);
    if (got) ++*good;
}

struct ProviderFetcherTest : ::testing::Test {
    ProviderFetcherTest() {
        for (std::uint8_t i = 0; i < 3; ++i)
            nodes.push_back(std::make_unique<Node>(world, network, i));
        fetcher.start();
    }
    ~ProviderFetcherTest() override {
        ICL_EXPECT_OK(test::drive<void>(world, fetcher.stop()));
        EXPECT_EQ(fetcher.searches(), 0u);
        for (auto& node : nodes) {
            ICL_EXPECT_OK(test::drive<void>(world, node->bitswap.stop()));
            ICL_EXPECT_OK(test::drive<void>(world, node->host->close()));
        }
    }
    void provides(std::size_t node, const dag::Block& block) {
        nodes[node]->blocks[block.cid] = block.data;
        const auto& id = nodes[node]->id;
        routing.providers[Bytes(block.cid.multihash())].push_back(
            {id, std::vector<Multiaddr>(1, network.address_of(id))});
    }

    SimWorld world{3};
    net::MemoryNetwork network{world};
    FakeRouting routing{world};
    std::vector<std::unique_ptr<Node>> nodes;
    std::unique_ptr<Node> self = std::make_unique<Node>(world, network, 9);
    ProviderFetcher fetcher{world, *self->host, routing, self->bitswap};
};

TEST_F(ProviderFetcherTest, a_provider_is_looked_up_connected_and_asked) {
    const auto block = make_block(1);
    provides(2, block);
    auto session = fetcher.session();
    auto got = test::drive<Bytes>(world, session->fetch(block.cid, 1min));
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_TRUE(got.value() == block.data);
    EXPECT_TRUE(self->host->connected(nodes[2]->id));
    EXPECT_NE(session->where().find("found 1 providers in its hash table and connected to 1"),
              std::string::npos)
        << session->where();
}

TEST_F(ProviderFetcherTest, what_connected_peers_deliver_is_not_looked_up) {
    const auto block = make_block(1);
    provides(2, block);
    const std::vector<Multiaddr> at(1, network.address_of(nodes[2]->id));
    ICL_EXPECT_OK(test::drive<void>(world, self->host->connect(nodes[2]->id, at, 5s)));
    auto session = fetcher.session();
    EXPECT_TRUE(test::drive<Bytes>(world, session->fetch(block.cid, 1min)));
    world.run_for(5s);
    EXPECT_TRUE(routing.looked_up.empty());
}

TEST_F(ProviderFetcherTest, a_provider_that_appears_later_is_found_by_a_later_look_up) {
    const auto block = make_block(1);
    auto session = fetcher.session();
    auto out = test::start<Bytes>(world, session->fetch(block.cid, 10min));
    world.run_for(30s);
    EXPECT_FALSE(*out);
    provides(1, block);
    EXPECT_TRUE(world.run_until([&] { return out->has_value(); }, 2min));
    EXPECT_TRUE(*out && **out);
    EXPECT_LE(routing.looked_up[Bytes(block.cid.multihash())], 5);
}

TEST_F(ProviderFetcherTest, look_ups_are_few_at_a_time_and_end_with_their_fetches) {
    auto session = fetcher.session();
    routing.delay = 10s;
    TaskGroup group(world, "test");
    int good = 0;
    for (std::uint32_t i = 0; i < 100; ++i)
        group.spawn(fetch_one(*session, make_block(i).cid, 1min, &good));
    EXPECT_TRUE(world.run_until([&] { return group.size() == 0; }, 5min));
    EXPECT_EQ(good, 0);
    EXPECT_EQ(routing.most_running, static_cast<int>(kSearchesMax));
    EXPECT_EQ(fetcher.searches(), 0u);
    const auto before = routing.looked_up;
    world.run_for(10min);
    EXPECT_EQ(routing.looked_up, before);
}

TEST_F(ProviderFetcherTest, a_new_block_does_not_wait_for_those_that_nobody_provides) {
    auto session = fetcher.session();
    routing.delay = 10s;
    TaskGroup group(world, "test");
    int good = 0, none = 0;
    auto last = make_block(0);
    std::vector<dag::Block> dead;
    for (std::uint32_t i = 1; i < 100; ++i) {
        auto block = make_block(i);
        if (block.cid.multihash() > last.cid.multihash()) std::swap(block, last);
        dead.push_back(std::move(block));
    }
    for (const auto& block : dead) group.spawn(fetch_one(*session, block.cid, 1h, &none));
    world.run_for(15min);  // each was looked for, and many are due again
    provides(1, last);
    group.spawn(fetch_one(*session, last.cid, 1h, &good));
    EXPECT_TRUE(world.run_until([&] { return good == 1; }, 25s));
    ICL_EXPECT_OK(test::drive<void>(world, group.stop()));
}

TEST_F(ProviderFetcherTest, unreachable_providers_and_a_broken_table_end_in_a_timeout) {
    const auto block = make_block(1);
    routing.providers[Bytes(block.cid.multihash())] = {{peer_id(77), {}}};
    auto session = fetcher.session();
    auto got = test::drive<Bytes>(world, session->fetch(block.cid, 30s));
    EXPECT_EQ(got.error().kind, Kind::timeout);
    EXPECT_NE(session->where().find("found 1 providers in its hash table and connected to 0"),
              std::string::npos)
        << session->where();
    routing.error = Error{Kind::unavailable, "no table"};
    EXPECT_EQ(test::drive<Bytes>(world, session->fetch(make_block(2).cid, 30s)).error().kind,
              Kind::timeout);
}

}  // namespace
}  // namespace ipfscluster::pubnet
