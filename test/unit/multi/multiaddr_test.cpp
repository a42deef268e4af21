#include "multi/multiaddr.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/encoding.hpp"

namespace ipfscluster {
namespace {

struct Case {
    const char* text;
    const char* hex;
};

// Vectors of the Go and JavaScript multiaddr libraries.
const std::vector<Case> kCases{
    {"/ip4/127.0.0.1/tcp/4321", "047f0000010610e1"},
    {"/ip4/127.0.0.1/udp/1234", "047f000001910204d2"},
    {"/ip4/127.0.0.1/udp/1234/quic", "047f000001910204d2cc03"},
    {"/ip4/127.0.0.1/udp/0/quic-v1", "047f00000191020000cd03"},
    {"/ip6/2001:8a0:7ac5:4201:3ac9:86ff:fe31:7095/tcp/8000/ws",
     "29200108a07ac542013ac986fffe317095061f40dd03"},
    {"/ip6zone/x/ip6/fe80::1", "2a017829fe800000000000000000000000000001"},
    {"/ip4/10.0.0.0/ipcidr/8", "040a0000002b08"},
    {"/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
     "a503221220d52ebb89d85b02a284948203a62ff28389c57c9f42beec4ec20db76a68911c0b"},
    {"/dns4/ipfs.io/tcp/443/wss", "3607697066732e696f0601bbde03"},
    {"/dnsaddr/sjc-1.bootstrap.libp2p.io",
     "3819736a632d312e626f6f7473747261702e6c69627032702e696f"},
    {"/unix/a/b/c/d/e", "90030a2f612f622f632f642f65"},
    {"/ip4/127.0.0.1/tcp/9090/http/p2p-circuit", "047f000001062382e003a202"},
};

TEST(Multiaddr, text_and_bytes_are_the_published_ones) {
    for (const auto& test : kCases) {
        const auto address = Multiaddr::parse(test.text);
        ASSERT_TRUE(address) << address.error().text;
        EXPECT_EQ(hex_encode(address.value().bytes()), test.hex) << test.text;
        EXPECT_EQ(address.value().to_string(), test.text);
        EXPECT_EQ(Multiaddr::from_bytes(address.value().bytes()).value(), address.value());
    }
}

TEST(Multiaddr, refuses_every_truncation_that_is_no_address) {
    for (const auto& test : kCases) {
        const Bytes bytes = hex_decode(test.hex).value();
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto cut = Multiaddr::from_bytes(BytesView(bytes).substr(0, size));
            if (!cut) continue;
            EXPECT_TRUE(std::string(test.text).starts_with(cut.value().to_string())) << test.text;
        }
        EXPECT_FALSE(Multiaddr::from_bytes(BytesView(bytes).substr(0, 1))) << test.text;
    }
}

TEST(Multiaddr, errors_name_the_wrong_part) {
    const std::vector<std::pair<const char*, const char*>> cases{
        {"", "start with '/'"},
        {"127.0.0.1:80", "start with '/'"},
        {"/", "empty"},
        {"/ip4", "/ip4 needs a value"},
        {"/ip4/300.0.0.1/tcp/1", "/ip4/300.0.0.1"},
        {"/ip6/127.0.0.1/tcp/1", "/ip6/127.0.0.1"},
        {"/ip4/127.0.0.1/tcp/65536", "/tcp/65536"},
        {"/ip4/127.0.0.1/tcp/-1", "/tcp/-1"},
        {"/ip4/127.0.0.1/tcp/1/nonsense", "nonsense"},
        {"/dns4//tcp/1", "empty value"},
        {"/ip4/127.0.0.1/p2p/hello", "/p2p/hello"},
        {"/unix", "needs a value"},
    };
    for (const auto& [text, expected] : cases) {
        const auto address = Multiaddr::parse(text);
        ASSERT_FALSE(address) << text;
        EXPECT_NE(address.error().text.find(expected), std::string::npos) << address.error().text;
    }
    std::string many;
    for (int i = 0; i < 100; ++i) many += "/ws";
    EXPECT_FALSE(Multiaddr::parse(many));
    EXPECT_FALSE(Multiaddr::from_bytes(Bytes(3000, '\x06')));
}

TEST(Multiaddr, old_peer_component_is_written_as_p2p) {
    const auto address = Multiaddr::parse(
        "/ip4/1.2.3.4/tcp/9096/ipfs/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/");
    ASSERT_TRUE(address);
    EXPECT_EQ(address.value().to_string(),
              "/ip4/1.2.3.4/tcp/9096/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC");
}

TEST(Multiaddr, peer_part_comes_and_goes) {
    const Multiaddr plain = Multiaddr::parse("/ip4/1.2.3.4/tcp/9096").value();
    const PeerId one = PeerId::parse("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC").value();
    const PeerId two = PeerId::parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").value();
    EXPECT_FALSE(plain.peer_id());
    EXPECT_EQ(plain.with_peer(one).peer_id(), one);
    EXPECT_EQ(plain.with_peer(one).with_peer(two), plain.with_peer(two));
    EXPECT_EQ(plain.with_peer(one).without_peer(), plain);
    EXPECT_EQ(plain.without_peer(), plain);
    const Multiaddr relayed =
        Multiaddr::parse(plain.with_peer(one).to_string() + "/p2p-circuit").value().with_peer(two);
    EXPECT_EQ(relayed.peer_id(), two);
}

TEST(Multiaddr, one_address_has_one_form) {
    // The code of ip4 in two bytes where one is enough.
    EXPECT_FALSE(Multiaddr::from_bytes(Bytes("\x84\x00\x7f\x00\x00\x01", 6)));
    // Lines of files hold addresses.
    for (const char* text : {"/dns4/a\r", "/dns4/a\nb/tcp/1", "/dns/a b", "/unix/a\n/ip4/1.2.3.4"})
        EXPECT_FALSE(Multiaddr::parse(text)) << text;
    EXPECT_TRUE(Multiaddr::parse("/unix/a folder/x.sock"));
}

TEST(Multiaddr, tcp_endpoint) {
    const auto v4 = to_tcp_endpoint(Multiaddr::parse("/ip4/127.0.0.1/tcp/9094/http").value());
    EXPECT_EQ(v4.value().host, "127.0.0.1");
    EXPECT_EQ(v4.value().port, 9094);
    const auto zone = to_tcp_endpoint(Multiaddr::parse("/ip6zone/eth0/ip6/fe80::1/tcp/1").value());
    EXPECT_EQ(zone.value().host, "fe80::1%eth0");
    const auto path = to_tcp_endpoint(Multiaddr::parse("/unix/run/api.sock").value());
    EXPECT_EQ(path.value().unix_path, "/run/api.sock");
    EXPECT_FALSE(to_tcp_endpoint(Multiaddr::parse("/ip4/127.0.0.1/udp/1/quic").value()));
    EXPECT_FALSE(to_tcp_endpoint(Multiaddr()));
}

}  // namespace
}  // namespace ipfscluster
