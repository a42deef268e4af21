#include "client/host_list.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::client {
namespace {

TEST(HostList, reads_multiaddresses_and_plain_hosts) {
    const auto hosts =
        parse_hosts("/ip4/10.0.0.1/tcp/1,/unix//tmp/s,localhost,h:81,https://t:82,[::1]:83")
            .value();
    ASSERT_EQ(hosts.size(), 6u);
    EXPECT_EQ(hosts[0].host, "10.0.0.1");
    EXPECT_EQ(hosts[0].port, 1);
    EXPECT_EQ(hosts[1].unix_path, "//tmp/s");
    EXPECT_EQ(hosts[2].port, 9094);
    EXPECT_EQ(hosts[3].port, 81);
    EXPECT_TRUE(hosts[4].tls);
    EXPECT_EQ(hosts[5].host, "::1");
    EXPECT_EQ(hosts[5].port, 83);
}

TEST(HostList, names_the_part_that_is_wrong) {
    for (const char* list : {"", "/ip4/1.2.3.4/tcp/1,", "a:b", "a:0", "a:70000", "/ip4/x/tcp/1",
                             "user@host", "[::1"}) {
        const auto hosts = parse_hosts(list);
        ASSERT_FALSE(hosts) << list;
        EXPECT_EQ(hosts.error().kind, Kind::invalid) << list;
    }
    EXPECT_EQ(parse_hosts("/dnsaddr/example.org").error().kind, Kind::unsupported);
    EXPECT_EQ(parse_hosts("/ip4/1.2.3.4/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
                  .error()
                  .kind,
              Kind::unsupported);
}

}  // namespace
}  // namespace ipfscluster::client
