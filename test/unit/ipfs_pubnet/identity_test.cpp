#include <gtest/gtest.h>

#include "ipfs/pubnet/public_network.hpp"

namespace ipfscluster::pubnet {
namespace {

TEST(PublicIdentity, is_another_one_stays_the_same_and_differs_by_peer) {
    const auto one = ed25519_from_seed(Bytes(32, 'a')), two = ed25519_from_seed(Bytes(32, 'b'));
    const auto derived = derive_identity(one);
    EXPECT_EQ(derived.id, derive_identity(one).id);
    EXPECT_NE(derived.id, one.id);
    EXPECT_NE(derived.id, derive_identity(two).id);
    // Computed apart, with Python's hmac and cryptography: the form must never change.
    EXPECT_EQ(derived.id.to_string(), "12D3KooWKYS6vhFfrLpfAx9q6mXzkw9BCzac5zobRjC3JAh2YspC");
}

}  // namespace
}  // namespace ipfscluster::pubnet
