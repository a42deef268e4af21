#include "unit/rpc/fixture.hpp"

namespace ipfscluster::rpc::test {
namespace {

template <class T>
Async<std::vector<T>> collect(SourcePtr<T> source) {
    std::vector<T> all;
    while (true) {
        Result<std::optional<T>> item = co_await source->next();
        if (!item) co_return fail(item.error());
        if (!item.value()) co_return all;
        all.push_back(std::move(*item.value()));
    }
}

NodeWithMeta block(std::size_t size) {
    return {Bytes(size, 'b'), {}, size};
}

using BlockCall = StreamCall<NodeWithMeta, std::int64_t>;

/// Sends `count` blocks and gives the first item; what failed tells the error.
Async<std::int64_t> send_blocks(Client* client, PeerId to, int count, std::size_t size) {
    const ServiceId id{"Cluster", "Blocks"};
    auto call = co_await client->open_stream<NodeWithMeta, std::int64_t>(to, id);
    if (!call) co_return fail(call.error());
    for (int i = 0; i < count; ++i) {
        auto sent = co_await call.value()->send(block(size));
        if (!sent) co_return fail(sent.error());
    }
    auto closed = co_await call.value()->close();
    if (!closed) co_return fail(closed.error());
    auto item = co_await call.value()->next();
    if (!item) co_return fail(item.error());
    if (!item.value()) co_return fail(Kind::internal, "no item");
    auto end = co_await call.value()->next();
    if (!end) co_return fail(end.error());
    if (end.value()) co_return fail(Kind::internal, "an item too many");
    co_return *item.value();
}

struct StreamTest : Fixture {
    SourcePtr<std::string> counting(CallOptions options = {}) {
        return client.stream<std::string, std::int64_t>(peer(1), {"Cluster", "Count"}, {}, options);
    }
};

TEST_F(StreamTest, items_come_in_order_and_the_end_is_clean) {
    count = 5000;
    const auto all = drive(world, collect(counting())).value();
    ASSERT_EQ(all.size(), 5000U);
    for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i].substr(1000), std::to_string(i));
    world.run_for(1s);
    EXPECT_EQ(server.running(), 0U);
    EXPECT_TRUE(seen.source_gone);
}

TEST_F(StreamTest, an_empty_list_is_a_clean_end) {
    count = 0;
    EXPECT_TRUE(drive(world, collect(counting())).value().empty());
}

TEST_F(StreamTest, an_error_after_items_is_told_with_its_kind) {
    fails = true;
    auto source = counting();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(drive(world, source->next()).value());
    const auto end = drive(world, source->next());
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error(), (Error{Kind::disk_full, "no room at the other side"}));
    EXPECT_FALSE(drive(world, source->next()).value());
}

TEST_F(StreamTest, a_slow_reader_holds_the_handler_back) {
    count = 100000;
    auto source = counting();
    ASSERT_TRUE(drive(world, source->next()).value());
    world.run_for(5s);
    // What fits in the network's window, the buffers of both ends and no more.
    EXPECT_LT(seen.produced, 2000);
    EXPECT_GT(seen.produced, 100);
}

TEST_F(StreamTest, dropping_the_reader_ends_the_handler) {
    count = 100000;
    auto source = counting();
    ASSERT_TRUE(drive(world, source->next()).value());
    source.reset();
    world.run_for(5s);
    EXPECT_TRUE(seen.source_gone);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(StreamTest, a_reader_that_takes_nothing_is_given_up) {
    count = 100000;
    auto source = counting();
    ASSERT_TRUE(drive(world, source->next()).value());
    world.run_for(kItemsStallLimit + 30s);
    EXPECT_TRUE(seen.source_gone);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(StreamTest, a_lost_server_is_no_clean_end) {
    count = 100000;
    auto source = counting();
    ASSERT_TRUE(drive(world, source->next()).value());
    network.crash(peer(1));
    const auto rest = drive(world, collect(std::move(source)));
    ASSERT_FALSE(rest);
    EXPECT_EQ(rest.error().kind, Kind::unknown_outcome);
}

TEST_F(StreamTest, arguments_flow_while_the_call_is_open) {
    EXPECT_EQ(drive(world, send_blocks(&client, peer(1), 50, 100000)).value(), 50);
    world.run_for(1s);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(StreamTest, an_error_in_the_middle_reaches_the_sender_as_it_is) {
    fail_at = 3;
    const auto failed = drive(world, send_blocks(&client, peer(1), 200, 100000));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), (Error{Kind::disk_full, "disk full on a peer"}));
    world.run_for(1min);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(StreamTest, a_sender_that_vanishes_ends_the_handler_with_an_error) {
    auto call = drive(world, client.open_stream<NodeWithMeta, std::int64_t>(
                                 peer(1), ServiceId{"Cluster", "Blocks"}));
    ASSERT_TRUE(call);
    ICL_EXPECT_OK(drive(world, call.value()->send(block(10))));
    call.value().reset();
    world.run_for(1s);
    EXPECT_EQ(seen.received, 1);
    EXPECT_TRUE(seen.source_gone);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(StreamTest, wire_form_of_a_stream_is_that_of_gorpc) {
    count = 0;
    EXPECT_EQ(raw(codec::to_msgpack(ServiceId{"Cluster", "Count"}), true).value(), "");
    const auto answer =
        raw(codec::to_msgpack(ServiceId{"Cluster", "Blocks"}) + codec::to_msgpack(block(2)), true)
            .value();
    Bytes expected;
    append_success(expected, {"Cluster", "Blocks"});
    EXPECT_EQ(hex_encode(answer), hex_encode(expected + hex("01")));
}

}  // namespace
}  // namespace ipfscluster::rpc::test
