// Peers find each other on the local network (mDNS), in a network namespace that has nothing but
// its loopback device with an address that is no loopback address. Skipped where no namespace can
// be made.
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstring>

#include "bridge_fixture.hpp"
#include "loopback_port.hpp"

namespace ipfscluster::net {
namespace {

constexpr auto kAddress = "10.7.0.1";

sockaddr_in ip(const char* text) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    ::inet_pton(AF_INET, text, &out.sin_addr);
    return out;
}

/// An empty namespace with an interface that can multicast; false where that is not allowed.
bool enter_namespace() {
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq flags{}, alias{};
    std::strcpy(flags.ifr_name, "lo");
    flags.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK | IFF_MULTICAST;
    std::strcpy(alias.ifr_name, "lo:1");
    const auto own = ip(kAddress);
    std::memcpy(&alias.ifr_addr, &own, sizeof own);
    rtentry route{};
    const auto group = ip("224.0.0.0"), mask = ip("240.0.0.0");
    std::memcpy(&route.rt_dst, &group, sizeof group);
    std::memcpy(&route.rt_genmask, &mask, sizeof mask);
    route.rt_flags = RTF_UP;
    char device[] = "lo";
    route.rt_dev = device;
    const bool good = ::ioctl(fd, SIOCSIFFLAGS, &flags) == 0 &&
                      ::ioctl(fd, SIOCSIFADDR, &alias) == 0 && ::ioctl(fd, SIOCADDRT, &route) == 0;
    ::close(fd);
    return good;
}

struct DiscoveryTest : BridgeFixture {
    static void SetUpTestSuite() { isolated = enter_namespace(); }
    void SetUp() override {
        if (!isolated) GTEST_SKIP() << "no network namespace can be made here (root is needed)";
    }
    BridgeHost& searching_host(char secret, Duration interval = 1s) {
        auto options = usual_options();
        options.secret = Bytes(32, secret);
        options.listen = {Multiaddr::parse(std::string("/ip4/") + kAddress + "/tcp/0").value()};
        options.reach.mdns_interval = interval;
        return host_with(std::move(options));
    }
    static inline bool isolated = false;
};

TEST_F(DiscoveryTest, peers_with_our_secret_are_connected_and_others_are_forgotten) {
    auto& a = searching_host('a');
    auto& stranger = searching_host('b');
    auto& silent = searching_host('a', 0s);
    auto& b = searching_host('a');
    EXPECT_TRUE(until([&] { return a.connected(b.id()) && b.connected(a.id()); }));
    EXPECT_TRUE(until([&] { return !a.known_addresses(b.id()).empty(); }));
    EXPECT_FALSE(a.connected(stranger.id()));
    EXPECT_FALSE(a.connected(silent.id()));
    EXPECT_TRUE(a.known_addresses(stranger.id()).empty());
    EXPECT_TRUE(stranger.connected_peers().empty());
    EXPECT_TRUE(stranger.known_peers().empty());
}

}  // namespace
}  // namespace ipfscluster::net
