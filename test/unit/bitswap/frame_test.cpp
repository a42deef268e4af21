#include "bitswap/frame.hpp"

#include <gtest/gtest.h>

#include "support/drive.hpp"

namespace ipfscluster::bitswap {
namespace {

/// Gives what a test has fed and waits for more.
class FedStream final : public net::Stream {
 public:
    explicit FedStream(World& world) : more_(world.executor()) {}
    void feed(BytesView bytes) {
        fed_ += bytes;
        more_.notify_all();
    }
    const PeerId& remote() const override { return peer_; }
    const std::string& protocol() const override { return protocol_; }
    Async<Bytes> read(std::size_t max) override {
        while (fed_.empty()) {
            ICL_CO_TRY(co_await more_.wait());
        }
        Bytes piece = fed_.substr(0, max);
        fed_.erase(0, piece.size());
        co_return piece;
    }
    Async<> write(Bytes) override { co_return ok(); }
    Async<> close_write() override { co_return ok(); }
    void reset() override {}

 private:
    PeerId peer_;
    std::string protocol_;
    Bytes fed_;
    Signal more_;
};

Bytes message_of(std::size_t bytes) {
    const Bytes data(bytes, 'x');
    Message message;
    message.blocks = {
        {Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, data).value()), data}};
    return encode_message(message);
}

class FrameTest : public ::testing::Test {
 protected:
    using Next = std::shared_ptr<std::optional<Result<std::optional<Message>>>>;
    Next start(FrameReader& reader) {
        return test::start<std::optional<Message>>(world, reader.next());
    }
    /// Size of the block in the next message, 0 when there is none.
    std::size_t read(FrameReader& reader) {
        const auto message = test::drive<std::optional<Message>>(world, reader.next());
        if (!message || !message.value() || message.value()->blocks.empty()) return 0;
        return message.value()->blocks[0].data.size();
    }
    /// A reader that waits must not be destroyed before its wait.
    void end(FedStream& stream, const Next& next, BytesView rest) {
        stream.feed(rest);
        EXPECT_TRUE(world.run_until([&] { return next->has_value(); }, std::chrono::seconds(1)));
    }
    SimWorld world{1};
};

TEST_F(FrameTest, a_reader_that_waits_keeps_no_room_for_a_large_message) {
    FedStream stream(world);
    FrameReader reader(world, stream);
    stream.feed(message_of(1'500'000));
    EXPECT_EQ(read(reader), 1'500'000u);
    const auto small = message_of(10);
    auto next = start(reader);
    world.run_for(std::chrono::milliseconds(1));
    EXPECT_LE(reader.capacity(), kIdleBufferBytesMax);
    end(stream, next, small);
    // The same with the beginning of another message behind it.
    stream.feed(message_of(1'500'000) + small.substr(0, 3));
    EXPECT_EQ(read(reader), 1'500'000u);
    next = start(reader);
    world.run_for(std::chrono::milliseconds(1));
    EXPECT_LE(reader.capacity(), kIdleBufferBytesMax);
    end(stream, next, small.substr(3));
    EXPECT_EQ((*next)->value()->blocks.at(0).data.size(), 10u);
}

TEST_F(FrameTest, what_does_not_fit_in_the_room_is_refused_until_there_is_some) {
    const auto frame = message_of(1'000'000);
    FrameRoom all(1'500'000);
    FrameRoom room(3'000'000, &all);
    FedStream one(world), two(world);
    FrameReader first(world, one, &room);
    one.feed(frame.substr(0, 900'000));
    auto waiting = start(first);
    world.run_for(std::chrono::milliseconds(1));
    const auto held = all.used();
    EXPECT_GT(held, 899'000u);
    {
        FrameReader second(world, two, &room);
        two.feed(frame);
        const auto refused = test::drive<std::optional<Message>>(world, second.next());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, Kind::retryable);
    }
    EXPECT_EQ(all.used(), held);
    EXPECT_EQ(room.used(), held);
    end(one, waiting, frame.substr(900'000));
    EXPECT_TRUE(waiting->value().value()) << "the one that was there goes on";
    waiting = start(first);
    world.run_for(std::chrono::milliseconds(1));
    EXPECT_EQ(all.used(), 0u);
    FedStream three(world);
    FrameReader third(world, three, &room);
    three.feed(frame);
    EXPECT_EQ(read(third), 1'000'000u);
    end(one, waiting, message_of(10));
}

}  // namespace
}  // namespace ipfscluster::bitswap
