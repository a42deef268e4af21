#include "consensus/raft/stream_places.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "consensus/raft/contacts.hpp"
#include "support/pins.hpp"

namespace ipfscluster::raft {
namespace {

using test::peer;

class RaftStreamPlaces : public testing::Test {
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
    StreamPlaces places;
    std::vector<StreamPlaces::Place> kept;
};

TEST_F(RaftStreamPlaces, one_peer_takes_no_places_of_others) {
    EXPECT_EQ(take(peer(1), true, 2 * kStreamsPerPeerMax), kStreamsPerPeerMax);
    EXPECT_EQ(take(peer(2), true, 3), 3u);
}

TEST_F(RaftStreamPlaces, strangers_take_no_places_of_members) {
    std::size_t strangers = 0;
    for (int i = 100; i < 400; ++i) strangers += take(peer(i), false, 1);
    EXPECT_EQ(strangers, kStrangerStreamsMax);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(take(peer(i), true, 4), 4u) << i;
}

TEST_F(RaftStreamPlaces, a_place_is_given_back_with_its_stream) {
    ASSERT_EQ(take(peer(1), true, kStreamsPerPeerMax), kStreamsPerPeerMax);
    ASSERT_EQ(take(peer(2), false, kStreamsPerPeerMax), kStreamsPerPeerMax);
    ASSERT_EQ(take(peer(3), false, kStreamsPerPeerMax), kStreamsPerPeerMax);
    EXPECT_EQ(take(peer(4), false, 1), 0u);
    kept.clear();
    EXPECT_EQ(places.open(), 0u);
    EXPECT_EQ(take(peer(1), true, 1), 1u);
    EXPECT_EQ(take(peer(4), false, 1), 1u);
}

TEST_F(RaftStreamPlaces, a_refusal_is_told_once_until_there_was_room) {
    take(peer(1), true, kStreamsPerPeerMax);
    EXPECT_TRUE(places.first_refusal(peer(1)));
    EXPECT_FALSE(places.first_refusal(peer(1)));
    kept.clear();
    take(peer(1), true, kStreamsPerPeerMax);
    EXPECT_TRUE(places.first_refusal(peer(1)));
    // Strangers are told as one: each may come with a new name.
    kept.clear();
    for (int i = 100; i < 400; ++i) take(peer(i), false, 1);
    EXPECT_TRUE(places.first_refusal(peer(500)));
    EXPECT_FALSE(places.first_refusal(peer(501)));
    kept.clear();
    EXPECT_TRUE(places.first_refusal(peer(502)));
}

TEST_F(RaftStreamPlaces, only_so_many_are_told_at_once) {
    std::vector<StreamPlaces::Place> telling;
    while (auto place = places.take_refusal(peer(1))) telling.push_back(std::move(*place));
    EXPECT_EQ(telling.size(), kRefusalsMax);
    telling.pop_back();
    EXPECT_TRUE(places.take_refusal(peer(1)));
    EXPECT_EQ(places.open(), 0u);
}

TEST(raft_contacts, the_one_not_heard_of_for_longest_makes_room) {
    Contacts contacts;
    SteadyTime now{};
    for (NodeId id = 1; id <= kContactsMax; ++id)
        contacts.note(id, peer(static_cast<int>(id)), {}, now += std::chrono::seconds(1));
    contacts.note(1, peer(1), "a cluster", now += std::chrono::seconds(1));
    contacts.note(9999, peer(3), {}, now);
    EXPECT_EQ(contacts.size(), kContactsMax);
    EXPECT_TRUE(contacts.peer_of(2).empty());
    EXPECT_EQ(contacts.peer_of(1), peer(1));
    EXPECT_EQ(contacts.cluster_of(1), "a cluster");
    EXPECT_TRUE(contacts.cluster_of(2).empty());
    EXPECT_EQ(contacts.peer_of(9999), peer(3));
    contacts.erase(9999);
    EXPECT_TRUE(contacts.peer_of(9999).empty());
    EXPECT_EQ(contacts.peers().size(), kContactsMax - 1);
}

}  // namespace
}  // namespace ipfscluster::raft
