#include <gtest/gtest.h>

#include "bridge_fixture.hpp"
#include "net/bridge_host.hpp"

/// What is told when streams or connections end early.
namespace ipfscluster::net {
namespace {

/// Far below every limit after which something stuck would be given up anyway.
constexpr auto kSoon = 10s;
constexpr std::size_t kMoreThanWindows = 64u << 20;

Async<> write_without_end(Stream* stream) {
    while (true) {
        auto written = co_await stream->write(Bytes(kStreamChunkMax, 'x'));
        if (!written) co_return fail(written.error());
    }
}

struct BridgeLossTest : BridgeFixture {
    /// A stream from a new host to another one, and its other end.
    void open() {
        a = &host();
        b = &host();
        b->handle(kEcho, [this](StreamPtr stream) { far = std::move(stream); });
        ASSERT_TRUE(connect(*a, *b));
        auto opened = run<StreamPtr>(a->open(b->id(), {kEcho}, kLimit));
        ASSERT_TRUE(opened) << opened.error().text;
        near = std::move(opened).value();
        EXPECT_TRUE(run<void>(near->write("question")));
        ASSERT_TRUE(until([this] { return far != nullptr; }));
    }
    template <class T>
    void start(Async<T> work, std::optional<Result<T>>& out) {
        asio::co_spawn(io, keep<T>(std::move(work), out), asio::detached);
    }
    /// Whether it ends soon, and with `unavailable`.
    template <class T>
    void expect_lost(const std::optional<Result<T>>& out) {
        const auto begin = std::chrono::steady_clock::now();
        ASSERT_TRUE(until([&out] { return out.has_value(); }));
        EXPECT_LT(std::chrono::steady_clock::now() - begin, kSoon);
        ASSERT_FALSE(*out);
        EXPECT_EQ(out->error().kind, Kind::unavailable) << out->error().text;
    }

    BridgeHost* a = nullptr;
    BridgeHost* b = nullptr;
    StreamPtr near, far;
    std::optional<Result<Bytes>> reading;
    std::optional<Result<void>> writing;
};

TEST_F(BridgeLossTest, disconnecting_ends_what_waits_on_the_streams) {
    open();
    start(near->read(), reading);
    start(near->write(Bytes(kMoreThanWindows, 'x')), writing);
    EXPECT_TRUE(run<void>(world.sleep_for(200ms)));
    EXPECT_FALSE(reading);
    EXPECT_FALSE(writing);
    a->disconnect(b->id());
    expect_lost(reading);
    expect_lost(writing);
}

TEST_F(BridgeLossTest, being_disconnected_ends_what_waits_on_the_streams) {
    open();
    start(near->read(), reading);
    start(near->write(Bytes(kMoreThanWindows, 'x')), writing);
    b->disconnect(a->id());
    expect_lost(reading);
    expect_lost(writing);
}

TEST_F(BridgeLossTest, a_disconnect_after_our_half_close_is_no_clean_end) {
    open();
    EXPECT_TRUE(run<void>(near->close_write()));
    start(near->read(), reading);
    b->disconnect(a->id());
    expect_lost(reading);
}

TEST_F(BridgeLossTest, destroying_a_half_closed_stream_ends_the_other_sides_writes) {
    open();
    EXPECT_TRUE(run<void>(near->close_write()));
    start(write_without_end(far.get()), writing);
    near.reset();
    expect_lost(writing);
    // What came before is whole.
    EXPECT_EQ(run<Bytes>(far->read()).value(), "question");
    EXPECT_EQ(run<Bytes>(far->read()).value(), "");
}

TEST_F(BridgeLossTest, destroying_a_half_closed_stream_leaves_what_was_sent) {
    open();
    EXPECT_TRUE(run<void>(far->write("answer")));
    EXPECT_TRUE(run<void>(far->close_write()));
    far.reset();
    EXPECT_EQ(run<Bytes>(near->read()).value(), "answer");
    EXPECT_EQ(run<Bytes>(near->read()).value(), "");
}

}  // namespace
}  // namespace ipfscluster::net
