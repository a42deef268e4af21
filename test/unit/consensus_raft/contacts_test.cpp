#include "consensus/raft/contacts.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster::raft {
namespace {

using test::peer;

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
