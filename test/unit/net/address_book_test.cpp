#include "net/address_book.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"

namespace ipfscluster::net {
namespace {

Multiaddr address(int port) {
    return Multiaddr::parse("/ip4/127.0.0.1/tcp/" + std::to_string(port)).value();
}

PeerId peer(int number) {
    Bytes seed(32, '\0');
    seed[0] = static_cast<char>(number);
    seed[1] = static_cast<char>(number >> 8);
    return ed25519_from_seed(seed).id;
}

TEST(AddressBook, keeps_addresses_once_and_without_their_peer_part) {
    AddressBook book;
    book.add(peer(1), {address(1), address(2).with_peer(peer(1)), address(1).with_peer(peer(1))});
    EXPECT_EQ(book.of(peer(1)), (std::vector{address(1), address(2)}));
    EXPECT_TRUE(book.of(peer(2)).empty());
}

TEST(AddressBook, skips_an_address_of_another_peer) {
    AddressBook book;
    book.add(peer(1), {address(1).with_peer(peer(2))});
    EXPECT_TRUE(book.of(peer(1)).empty());
    EXPECT_TRUE(book.peers().empty());
}

TEST(AddressBook, forgets_the_oldest_address_beyond_its_bound) {
    AddressBook book;
    for (int port = 1; port <= static_cast<int>(kAddressesPerPeerMax) + 1; ++port)
        book.add(peer(1), {address(port)});
    const auto known = book.of(peer(1));
    EXPECT_EQ(known.size(), kAddressesPerPeerMax);
    EXPECT_EQ(known.front(), address(2));
}

TEST(AddressBook, forgets_the_peer_not_touched_for_longest) {
    AddressBook book;
    for (int i = 0; i < static_cast<int>(kKnownPeersMax); ++i) book.add(peer(i), {address(1)});
    book.add(peer(0), {address(2)});
    book.add(peer(static_cast<int>(kKnownPeersMax)), {address(1)});
    EXPECT_EQ(book.peers().size(), kKnownPeersMax);
    EXPECT_FALSE(book.of(peer(0)).empty());
    EXPECT_TRUE(book.of(peer(1)).empty());
}

TEST(AddressBook, what_a_connection_shows_goes_with_it_unless_the_peer_is_kept) {
    AddressBook book;
    book.learn(peer(1), {address(1)});
    book.add(peer(2), {address(2)});
    book.learn(peer(2), {address(3)});
    book.learn(peer(3), {address(4)});
    book.keep(peer(3), true, true);
    book.keep(peer(4), true, true);  // of which nothing is known
    for (int i = 1; i < 5; ++i) book.connection_ended(peer(i));
    EXPECT_TRUE(book.of(peer(1)).empty());
    EXPECT_EQ(book.of(peer(2)), (std::vector{address(2), address(3)}));
    EXPECT_EQ(book.kept().size(), 2u);
    EXPECT_EQ(book.peers().size(), 2u);
    // No member any more.
    book.keep(peer(2), false, true);
    EXPECT_FALSE(book.of(peer(2)).empty()) << "it is connected";
    book.connection_ended(peer(2));
    book.keep(peer(3), false, false);
    EXPECT_TRUE(book.peers().empty());
}

TEST(AddressBook, strangers_take_no_place_of_one_that_is_kept) {
    AddressBook book;
    book.add(peer(0), {address(1)});
    const int many = static_cast<int>(kKnownPeersMax);
    for (int i = 1; i <= many; ++i) book.learn(peer(i), {address(1)});
    EXPECT_EQ(book.peers().size(), kKnownPeersMax);
    EXPECT_FALSE(book.of(peer(0)).empty());
    EXPECT_TRUE(book.of(peer(1)).empty()) << "the stranger of longest ago";
    for (int i = 1; i < many; ++i) book.add(peer(i), {address(1)});
    book.learn(peer(many + 1), {address(1)});
    EXPECT_TRUE(book.of(peer(many + 1)).empty()) << "all others are kept";
    book.add(peer(many + 2), {address(1)});
    EXPECT_FALSE(book.of(peer(many + 2)).empty());
    EXPECT_EQ(book.peers().size(), kKnownPeersMax);
}

}  // namespace
}  // namespace ipfscluster::net
