#include "net/stream_places.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/pins.hpp"

namespace ipfscluster::net {
namespace {

using test::peer;

class StreamPlacesTest : public testing::Test {
 protected:
    /// How many of `wanted` streams of the peer get a place; they are kept.
    std::size_t take(const PeerId& id, bool member, std::size_t wanted) {
        std::size_t got = 0;
        for (std::size_t i = 0; i < wanted; ++i) {
            auto place = places.take(id, member);
            if (!place) continue;
            ++got;
            kept.push_back(std::move(*place));
        }
        return got;
    }
    static constexpr StreamBounds kBounds{
        .per_member = 32, .per_stranger = 16, .strangers = 64, .in_all = 4096, .refusals = 16};
    StreamPlaces places{kBounds};
    std::vector<StreamPlaces::Place> kept;
};

TEST_F(StreamPlacesTest, one_peer_takes_no_places_of_others) {
    EXPECT_EQ(take(peer(1), true, 2 * kBounds.per_member), kBounds.per_member);
    EXPECT_EQ(take(peer(9), false, 2 * kBounds.per_member), kBounds.per_stranger);
    EXPECT_EQ(take(peer(2), true, 3), 3u);
}

TEST_F(StreamPlacesTest, strangers_take_no_places_of_members) {
    std::size_t strangers = 0;
    for (int i = 100; i < 400; ++i) strangers += take(peer(i), false, 1);
    EXPECT_EQ(strangers, kBounds.strangers);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(take(peer(i), true, 4), 4u) << i;
}

TEST_F(StreamPlacesTest, a_place_is_given_back_with_its_stream) {
    ASSERT_EQ(take(peer(1), true, kBounds.per_member), kBounds.per_member);
    for (int i = 11; i < 15; ++i)
        ASSERT_EQ(take(peer(i), false, kBounds.per_stranger), kBounds.per_stranger);
    EXPECT_EQ(take(peer(4), false, 1), 0u);
    EXPECT_EQ(places.peers(), 5u);
    kept.clear();
    EXPECT_EQ(places.open(), 0u);
    EXPECT_EQ(places.peers(), 0u);
    EXPECT_EQ(take(peer(1), true, 1), 1u);
    EXPECT_EQ(take(peer(4), false, 1), 1u);
}

TEST_F(StreamPlacesTest, a_refusal_is_told_once_until_there_was_room) {
    take(peer(1), true, kBounds.per_member);
    EXPECT_TRUE(places.first_refusal(peer(1)));
    EXPECT_FALSE(places.first_refusal(peer(1)));
    kept.clear();
    take(peer(1), true, kBounds.per_member);
    EXPECT_TRUE(places.first_refusal(peer(1)));
    // Strangers are told as one: each may come with a new name.
    kept.clear();
    for (int i = 100; i < 400; ++i) take(peer(i), false, 1);
    EXPECT_TRUE(places.first_refusal(peer(500)));
    EXPECT_FALSE(places.first_refusal(peer(501)));
    kept.clear();
    EXPECT_TRUE(places.first_refusal(peer(502)));
}

TEST_F(StreamPlacesTest, only_so_many_are_told_at_once) {
    std::vector<StreamPlaces::Place> telling;
    while (auto place = places.take_refusal(peer(1))) telling.push_back(std::move(*place));
    EXPECT_EQ(telling.size(), kBounds.refusals);
    telling.pop_back();
    EXPECT_TRUE(places.take_refusal(peer(1)));
    EXPECT_EQ(places.open(), 0u);
}

}  // namespace
}  // namespace ipfscluster::net
