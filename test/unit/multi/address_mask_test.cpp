#include "multi/address_mask.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

TEST(AddressMaskTest, an_address_is_covered_by_itself_and_by_the_masks_around_it) {
    struct Case {
        const char* rule;
        const char* address;
        bool covered;
    };
    for (const auto& c : std::vector<Case>{
             {"/ip4/10.1.2.3/tcp/9096", "/ip4/10.1.2.3/tcp/9096", true},
             {"/ip4/10.1.2.3/tcp/9096", "/ip4/10.1.2.3/tcp/9097", false},
             {"/ip4/10.0.0.0/ipcidr/8", "/ip4/10.1.2.3/tcp/9096", true},
             {"/ip4/10.0.0.0/ipcidr/8", "/ip4/11.1.2.3/tcp/9096", false},
             {"/ip4/172.16.0.0/ipcidr/12", "/ip4/172.31.255.1/udp/1/quic-v1", true},
             {"/ip4/172.16.0.0/ipcidr/12", "/ip4/172.32.0.1/tcp/1", false},
             {"/ip4/0.0.0.0/ipcidr/0", "/ip4/8.8.8.8/tcp/1", true},
             {"/ip4/0.0.0.0/ipcidr/0", "/ip6/::1/tcp/1", false},
             {"/ip4/1.2.3.4/ipcidr/32", "/ip4/1.2.3.4/tcp/1", true},
             {"/ip4/1.2.3.4/ipcidr/32", "/ip4/1.2.3.5/tcp/1", false},
             {"/ip4/1.2.3.4/ipcidr/33", "/ip4/1.2.3.4/tcp/1", false},
             {"/ip6/fc00::/ipcidr/7", "/ip6/fd12::9/tcp/1", true},
             {"/ip6/fc00::/ipcidr/7", "/ip6/fe80::9/tcp/1", false},
             {"/ip4/10.0.0.0/ipcidr/8", "/dns4/ten.example/tcp/1", false},
         })
        EXPECT_EQ(covers(Multiaddr::parse(c.rule).value(), Multiaddr::parse(c.address).value()),
                  c.covered)
            << c.rule << " " << c.address;
}

}  // namespace
}  // namespace ipfscluster
