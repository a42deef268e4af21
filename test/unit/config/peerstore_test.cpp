#include "config/peerstore.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"
#include "temp_folder.hpp"

namespace ipfscluster::config {
namespace {

const std::string kA = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const std::string kB = "/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";

TEST(Peerstore, skips_what_is_no_address) {
    Warnings warnings;
    const auto addresses = parse_peerstore(
        "# comment\n\n/ip4/1.2.3.4/tcp/9096" + kA + "\r\n/ip4/bad" + kA +
            "\n/ip4/1.2.3.4/tcp/1\n/dnsaddr/example.org\n/ip4/1.2.3.5/tcp/9096" + kB,
        warnings);
    ASSERT_EQ(addresses.size(), 2u);
    EXPECT_EQ(addresses[0].to_string(), "/ip4/1.2.3.4/tcp/9096" + kA);
    EXPECT_EQ(addresses[1].peer_id()->to_string(), kB.substr(5));
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find("3 of 7 lines are skipped; line 4"), std::string::npos)
        << warnings[0];
}

TEST(Peerstore, a_peer_with_dns_names_keeps_only_those) {
    Addresses addresses;
    for (const std::string& text :
         {"/ip4/9.9.9.9/tcp/1" + kB, "/ip4/1.2.3.4/tcp/1" + kA, "/dns4/b.org/tcp/1" + kA,
          "/dns4/a.org/tcp/1" + kA, "/ip4/8.8.8.8/tcp/1" + kB, "/ip4/8.8.8.8/tcp/1" + kB})
        addresses.push_back(Multiaddr::parse(text).value());
    EXPECT_EQ(peerstore_text(addresses), "/ip4/8.8.8.8/tcp/1" + kB + "\n/ip4/9.9.9.9/tcp/1" + kB +
                                             "\n/dns4/a.org/tcp/1" + kA + "\n/dns4/b.org/tcp/1" +
                                             kA + "\n");
}

TEST(Peerstore, a_missing_file_is_empty_and_saving_replaces) {
    const TempFolder folder;
    const std::string path = folder.path() + "/peerstore";
    Warnings warnings;
    EXPECT_TRUE(load_peerstore(path, warnings).value().empty());
    const Addresses one{Multiaddr::parse("/ip4/1.2.3.4/tcp/1" + kA).value()};
    ASSERT_TRUE(save_peerstore(path, one));
    EXPECT_EQ(load_peerstore(path, warnings).value(), one);
    ASSERT_TRUE(save_peerstore(path, {}));
    EXPECT_EQ(folder.get("peerstore"), "");
}

PeerId peer(int number) {
    Bytes seed(32, '\0');
    seed[0] = static_cast<char>(number);
    seed[1] = static_cast<char>(number >> 8);
    return ed25519_from_seed(seed).id;
}

TEST(Peerstore, one_that_is_too_large_is_read_as_far_as_it_goes) {
    const TempFolder folder;
    std::string text;
    const std::string line = "/ip4/1.2.3.4/tcp/1" + kA + "\n";
    while (text.size() <= kPeerstoreBytesMax) text += line;
    folder.put("peerstore", text);
    Warnings warnings;
    const auto loaded = load_peerstore(folder.path() + "/peerstore", warnings);
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded.value().size(), kPeerstoreBytesMax / line.size());
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find("is larger"), std::string::npos) << warnings[0];
}

TEST(Peerstore, never_more_is_written_than_can_be_read) {
    Addresses addresses;
    for (int number = 0; number < 2000; ++number)
        for (int port = 1; port <= 32; ++port)
            addresses.push_back(
                Multiaddr::parse("/dns4/" + std::string(60, 'x') + "/tcp/" + std::to_string(port))
                    .value()
                    .with_peer(peer(number)));
    const auto text = peerstore_text(addresses);
    EXPECT_LE(text.size(), kPeerstoreBytesMax);
    EXPECT_GT(text.size(), kPeerstoreBytesMax - 200);
    Warnings warnings;
    const auto again = parse_peerstore(text, warnings);
    EXPECT_TRUE(warnings.empty());
    EXPECT_EQ(again.front(), addresses.front());
}

}  // namespace
}  // namespace ipfscluster::config
