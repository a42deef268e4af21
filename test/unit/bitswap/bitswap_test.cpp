#include "bitswap/bitswap.hpp"

#include <gtest/gtest.h>

#include <boost/asio/this_coro.hpp>

#include "base/varint.hpp"
#include "net/memory_host.hpp"
#include "support/drive.hpp"

namespace ipfscluster::bitswap {
namespace {

using namespace std::chrono_literals;

PeerId peer_id(std::uint8_t number) {
    Bytes multihash("\x12\x20", 2);
    multihash.append(32, static_cast<char>(number));
    return PeerId::from_bytes(multihash).value();
}

dag::Block make_block(std::uint32_t number, std::size_t bytes = 5000) {
    Bytes data(bytes, 'x');
    data += std::to_string(number);
    return {Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, data).value()), data};
}

/// A peer with a map of blocks.
struct Node : BlockSupply {
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
    void hold(const dag::Block& block) {
        blocks[block.cid] = block.data;
        bitswap.announce(block.cid);
    }
    PeerId id;
    std::unique_ptr<net::MemoryHost> host;
    std::map<Cid, Bytes> blocks;
    Bitswap bitswap;
};

class BitswapTest : public ::testing::Test {
 protected:
    BitswapTest() {
        network.set_faults({.delay_low = 1ms, .delay_high = 5ms});
        for (std::uint8_t i = 0; i < 3; ++i)
            nodes.push_back(std::make_unique<Node>(world, network, i));
    }
    ~BitswapTest() override {
        for (auto& node : nodes) {
            EXPECT_TRUE(test::drive<void>(world, node->bitswap.stop()));
            EXPECT_EQ(node->bitswap.wants(), 0u);
            EXPECT_TRUE(test::drive<void>(world, node->host->close()));
        }
    }
    void connect(std::size_t a, std::size_t b) {
        auto done = test::drive<void>(
            world, nodes[a]->host->connect(nodes[b]->id, {network.address_of(nodes[b]->id)}, 5s));
        ASSERT_TRUE(done) << done.error().text;
        world.run_for(50ms);
    }
    Result<Bytes> fetch(FetchSession& session, const Cid& cid, Duration limit = 30s) {
        return test::drive<Bytes>(world, session.fetch(cid, limit));
    }

    SimWorld world{7};
    net::MemoryNetwork network{world};
    std::vector<std::unique_ptr<Node>> nodes;
};

TEST_F(BitswapTest, a_block_comes_from_the_connected_peer_that_holds_it) {
    connect(0, 1);
    connect(0, 2);
    const auto block = make_block(1);
    nodes[2]->hold(block);
    auto session = nodes[0]->bitswap.session();
    const auto begin = world.steady_now();
    auto got = fetch(*session, block.cid);
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_TRUE(got.value() == block.data);
    EXPECT_LT(world.steady_now() - begin, 200ms);
    EXPECT_EQ(nodes[2]->bitswap.blocks_sent(), 1u);
    EXPECT_EQ(nodes[1]->bitswap.blocks_sent(), 0u);
}

TEST_F(BitswapTest, a_small_block_comes_with_the_first_answer) {
    connect(0, 1);
    const auto block = make_block(1, 500);
    nodes[1]->hold(block);
    auto session = nodes[0]->bitswap.session();
    EXPECT_TRUE(fetch(*session, block.cid));
    EXPECT_EQ(nodes[0]->bitswap.blocks_received(), 1u);
    EXPECT_EQ(nodes[0]->bitswap.blocks_unwanted(), 0u);
}

TEST_F(BitswapTest, a_session_asks_who_delivered_before_directly) {
    connect(0, 1);
    connect(0, 2);
    auto session = nodes[0]->bitswap.session();
    for (std::uint32_t i = 0; i < 200; ++i) {
        const auto block = make_block(i);
        nodes[1]->blocks[block.cid] = block.data;
        nodes[2]->blocks[block.cid] = block.data;
    }
    for (std::uint32_t i = 0; i < 200; ++i) {
        const auto got = fetch(*session, make_block(i).cid);
        ASSERT_TRUE(got) << i << " " << got.error().text;
    }
    EXPECT_EQ(nodes[0]->bitswap.blocks_received(), 200u);
    EXPECT_EQ(nodes[0]->bitswap.blocks_unwanted(), 0u);
}

asio::awaitable<void> fetch_one(FetchSession& session, Cid cid, std::size_t& good) {
    auto got = co_await session.fetch(cid, std::chrono::seconds(60));
    if (got) ++good;
    if (!got) ADD_FAILURE() << got.error().text;
}

TEST_F(BitswapTest, many_fetches_at_once_all_end_and_share_the_holders) {
    connect(0, 1);
    connect(0, 2);
    auto session = nodes[0]->bitswap.session();
    TaskGroup group(world, "test");
    std::size_t good = 0;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const auto block = make_block(i, 20'000);
        nodes[1]->blocks[block.cid] = block.data;
        nodes[2]->blocks[block.cid] = block.data;
        group.spawn(fetch_one(*session, block.cid, good));
    }
    EXPECT_TRUE(world.run_until([&] { return group.size() == 0; }, 5min));
    EXPECT_EQ(good, 1000u);
    EXPECT_GT(nodes[1]->bitswap.blocks_sent(), 100u);
    EXPECT_GT(nodes[2]->bitswap.blocks_sent(), 100u);
}

TEST_F(BitswapTest, two_fetches_of_one_block_ask_once) {
    connect(0, 1);
    const auto block = make_block(1);
    nodes[1]->hold(block);
    auto first = nodes[0]->bitswap.session();
    auto second = nodes[0]->bitswap.session();
    TaskGroup group(world, "test");
    std::size_t good = 0;
    group.spawn(fetch_one(*first, block.cid, good));
    group.spawn(fetch_one(*second, block.cid, good));
    EXPECT_TRUE(world.run_until([&] { return group.size() == 0; }, 1min));
    EXPECT_EQ(good, 2u);
    EXPECT_EQ(nodes[1]->bitswap.blocks_sent(), 1u);
}

TEST_F(BitswapTest, a_block_that_appears_later_is_announced_to_who_asked) {
    connect(0, 1);
    const auto block = make_block(1);
    auto session = nodes[0]->bitswap.session();
    auto out = test::start<Bytes>(world, session->fetch(block.cid, 60s));
    world.run_for(1s);
    EXPECT_FALSE(*out);
    nodes[1]->hold(block);
    world.run_for(100ms);
    EXPECT_TRUE(*out && **out);
}

TEST_F(BitswapTest, a_peer_that_connects_later_is_asked_too) {
    const auto block = make_block(1);
    nodes[1]->hold(block);
    auto session = nodes[0]->bitswap.session();
    auto out = test::start<Bytes>(world, session->fetch(block.cid, 60s));
    world.run_for(1s);
    connect(1, 0);
    world.run_for(100ms);
    EXPECT_TRUE(*out && **out);
}

TEST_F(BitswapTest, another_holder_takes_over_when_one_goes_away) {
    connect(0, 1);
    connect(0, 2);
    auto session = nodes[0]->bitswap.session();
    TaskGroup group(world, "test");
    std::size_t good = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
        const auto block = make_block(i, 20'000);
        nodes[1]->blocks[block.cid] = block.data;
        nodes[2]->blocks[block.cid] = block.data;
        group.spawn(fetch_one(*session, block.cid, good));
    }
    EXPECT_TRUE(world.run_until([&] { return good >= 20; }, 1min));
    nodes[0]->host->disconnect(nodes[1]->id);
    EXPECT_TRUE(world.run_until([&] { return group.size() == 0; }, 1min));
    EXPECT_EQ(good, 200u);
}

TEST_F(BitswapTest, a_holder_that_falls_silent_is_passed_over) {
    connect(0, 1);
    connect(0, 2);
    const auto block = make_block(1);
    nodes[1]->hold(block);
    auto session = nodes[0]->bitswap.session();
    ASSERT_TRUE(fetch(*session, block.cid));  // so that the session prefers it
    const auto next = make_block(2);
    nodes[1]->hold(next);
    nodes[2]->hold(next);
    network.cut(nodes[0]->id, nodes[1]->id);
    auto got = fetch(*session, next.cid);
    EXPECT_TRUE(got) << got.error().text;
}

TEST_F(BitswapTest, a_block_nobody_has_times_out_and_says_who_was_asked) {
    connect(0, 1);
    auto session = nodes[0]->bitswap.session();
    EXPECT_EQ(session->where(), "no peer is connected");
    auto got = fetch(*session, make_block(1).cid);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::timeout);
    EXPECT_EQ(session->where(), "asked 1 connected peer (" + nodes[1]->id.to_string() + ")");
}

asio::awaitable<void> send_raw(net::Host& host, PeerId to, Bytes bytes) {
    std::vector<std::string> protocols(1, kBitswap120);
    auto stream = co_await host.open(to, std::move(protocols), std::chrono::seconds(5));
    if (!stream) co_return;
    (void)co_await stream.value()->write(std::move(bytes));
    (void)co_await stream.value()->close_write();
    (void)co_await stream.value()->read();
}

TEST_F(BitswapTest, wrong_blocks_and_garbage_are_ignored) {
    connect(0, 1);
    const auto wanted = make_block(1);
    auto session = nodes[0]->bitswap.session();
    auto out = test::start<Bytes>(world, session->fetch(wanted.cid, 60s));
    world.run_for(100ms);
    Message lie;
    lie.blocks = {{wanted.cid, "not what the CID says"}};
    TaskGroup group(world, "test");
    group.spawn(send_raw(*nodes[1]->host, nodes[0]->id, encode_message(lie)));
    group.spawn(send_raw(*nodes[1]->host, nodes[0]->id,
                         Bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")));
    group.spawn(send_raw(*nodes[1]->host, nodes[0]->id, Bytes("\x80\x80\x80\x10 and more")));
    world.run_for(1s);
    EXPECT_FALSE(*out);
    EXPECT_EQ(nodes[0]->bitswap.blocks_unwanted(), 1u);
    nodes[1]->hold(wanted);
    world.run_for(1s);
    EXPECT_TRUE(*out && **out);
    EXPECT_TRUE(test::drive<void>(world, group.stop()));
}

WantEntry want_of(const Cid& cid, WantType type = WantType::block) {
    return {cid, 1, false, type, false};
}

TEST_F(BitswapTest, a_want_without_an_answer_does_not_silence_later_ones) {
    connect(0, 1);
    const auto held = make_block(1);
    nodes[0]->hold(held);
    TaskGroup group(world, "test");
    // As Kubo asks everybody: who does not have the block says nothing.
    Message missing, present;
    missing.wants = {want_of(make_block(2).cid, WantType::have)};
    present.wants = {want_of(held.cid)};
    group.spawn(send_raw(*nodes[1]->host, nodes[0]->id, encode_message(missing)));
    world.run_for(1s);
    group.spawn(send_raw(*nodes[1]->host, nodes[0]->id, encode_message(present)));
    world.run_for(1s);
    EXPECT_EQ(nodes[0]->bitswap.blocks_sent(), 1u);
    EXPECT_TRUE(test::drive<void>(world, group.stop()));
}

asio::awaitable<void> count_messages(World& world, net::StreamPtr stream, std::size_t& count) {
    co_await asio::this_coro::throw_if_cancelled(false);
    FrameReader reader(world, *stream);
    while (true) {
        auto message = co_await reader.next();
        if (!message || !message.value()) break;
        ++count;
    }
}

TEST_F(BitswapTest, the_wants_of_one_message_share_one_answer) {
    connect(0, 1);
    Message wants;
    for (std::uint32_t i = 0; i < 20; ++i) {
        nodes[0]->hold(make_block(i));
        wants.wants.push_back(want_of(make_block(i).cid));
    }
    TaskGroup group(world, "test");
    std::size_t messages = 0;
    nodes[1]->host->handle(kBitswap120, [&](net::StreamPtr stream) {
        group.spawn(count_messages(world, std::move(stream), messages));
    });
    group.spawn(send_raw(*nodes[1]->host, nodes[0]->id, encode_message(wants)));
    world.run_for(1s);
    EXPECT_EQ(nodes[0]->bitswap.blocks_sent(), 20u);
    EXPECT_EQ(messages, 1u);
    EXPECT_TRUE(test::drive<void>(world, group.stop()));
}

/// Announces a message of the largest size and sends most of it; counts when that was refused.
asio::awaitable<void> send_unfinished(net::Host& host, PeerId to, Bytes frame, int& refused) {
    std::vector<std::string> protocols(1, kBitswap120);
    auto stream = co_await host.open(to, std::move(protocols), std::chrono::seconds(5));
    if (!stream) co_return;
    auto sent = co_await stream.value()->write(std::move(frame));
    auto answer = co_await stream.value()->read();
    if (!answer && answer.error().kind != Kind::cancelled) ++refused;
}

TEST_F(BitswapTest, one_peer_cannot_fill_the_memory_with_unfinished_messages) {
    connect(0, 1);
    connect(0, 2);
    constexpr std::size_t kStreams = 24, kSent = dag::kBlockBytesMax;
    Bytes frame;
    put_uvarint(frame, kMessageBytesMax);
    frame.resize(kSent, 'x');
    TaskGroup group(world, "test");
    int refused = 0;
    for (std::size_t i = 0; i < kStreams; ++i)
        group.spawn(send_unfinished(*nodes[1]->host, nodes[0]->id, frame, refused));
    world.run_for(5s);
    EXPECT_EQ(refused, static_cast<int>(kStreams - kPeerUnfinishedBytesMax / kSent));
    const auto block = make_block(1);
    nodes[2]->hold(block);
    auto session = nodes[0]->bitswap.session();
    EXPECT_TRUE(fetch(*session, block.cid)) << "others are served";
    EXPECT_TRUE(test::drive<void>(world, group.stop()));
    // What the others brought is free again: they may try anew.
    world.run_for(1s);
    refused = 0;
    TaskGroup again(world, "test");
    for (int i = 0; i < 8; ++i)
        again.spawn(send_unfinished(*nodes[1]->host, nodes[0]->id, frame, refused));
    world.run_for(5s);
    EXPECT_EQ(refused, 0);
    EXPECT_TRUE(test::drive<void>(world, again.stop()));
}

TEST_F(BitswapTest, blocks_pass_over_a_bad_network) {
    network.set_faults({.delay_low = 1ms, .delay_high = 300ms, .loss_one_in = 4});
    connect(0, 1);
    auto session = nodes[0]->bitswap.session();
    TaskGroup group(world, "test");
    std::size_t good = 0;
    for (std::uint32_t i = 0; i < 100; ++i) {
        const auto block = make_block(i, 100'000);
        nodes[1]->blocks[block.cid] = block.data;
        group.spawn(fetch_one(*session, block.cid, good));
    }
    EXPECT_TRUE(world.run_until([&] { return group.size() == 0; }, 5min));
    EXPECT_EQ(good, 100u);
}

}  // namespace
}  // namespace ipfscluster::bitswap
