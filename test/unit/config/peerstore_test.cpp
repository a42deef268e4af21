#include "config/peerstore.hpp"

#include <gtest/gtest.h>

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
    ASSERT_EQ(warnings.size(), 3u);
    EXPECT_NE(warnings[0].find("line 4"), std::string::npos);
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

}  // namespace
}  // namespace ipfscluster::config
