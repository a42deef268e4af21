#include "multi/peer_id.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

// The pair of the libp2p peer id specification.
constexpr const char* kBase58 = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
constexpr const char* kCid = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
constexpr const char* kEd25519 = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

TEST(PeerId, both_text_forms_are_one_value) {
    const PeerId id = PeerId::parse(kBase58).value();
    EXPECT_EQ(PeerId::parse(kCid).value(), id);
    EXPECT_EQ(id.to_string(), kBase58);
    EXPECT_EQ(id.short_name(), "Wjhx5N");
    EXPECT_EQ(PeerId::parse(kEd25519).value().to_string(), kEd25519);
}

TEST(PeerId, empty_means_no_peer) {
    EXPECT_TRUE(PeerId().empty());
    EXPECT_EQ(PeerId().to_string(), "");
}

TEST(PeerId, refuses_what_is_no_peer) {
    for (const char* text :
         {"", "1", "Qm", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
          "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5S0", "hello"})
        EXPECT_FALSE(PeerId::parse(text)) << text;
    EXPECT_FALSE(PeerId::from_bytes(std::string("\x11\x01x", 3)));
    EXPECT_FALSE(PeerId::from_bytes(std::string("\x00\x2b", 2) + std::string(43, 'k')));
}

}  // namespace
}  // namespace ipfscluster
