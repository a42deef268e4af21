#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/encoding.hpp"
#include "multi/cid.hpp"
#include "multi/key_pair.hpp"
#include "multi/multiaddr.hpp"
#include "multi/multibase.hpp"

namespace ipfscluster {
namespace {

/// Changes a valid input in a few random places: flips, cuts, doubles and inserts.
class Mutator {
 public:
    explicit Mutator(std::uint32_t seed) : random_(seed) {}
    std::string operator()(std::string text) {
        for (unsigned left = 1 + random_() % 4; left > 0; --left) {
            const std::size_t at = text.empty() ? 0 : random_() % text.size();
            switch (random_() % 4) {
                case 0:
                    if (!text.empty()) text[at] = static_cast<char>(random_());
                    break;
                case 1:
                    text.resize(at);
                    break;
                case 2:
                    text.insert(at, text.substr(at, random_() % 16));
                    break;
                default:
                    text.insert(at, 1, static_cast<char>(random_()));
            }
        }
        return text;
    }

 private:
    std::mt19937 random_;
};

constexpr std::uint32_t kSeed = 20240607;
constexpr int kRounds = 20'000;

// What is accepted must come out of its own text and bytes again; everything else is an error,
// never a crash (the sanitizer builds run this, too).
TEST(HostileInput, a_cid_that_is_accepted_survives_its_round_trips) {
    Mutator mutate(kSeed);
    const std::string text = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    const Bytes bytes = Cid::parse(text).value().bytes();
    int accepted = 0;
    for (int i = 0; i < kRounds; ++i) {
        for (const auto& cid : {Cid::parse(mutate(text)), Cid::from_bytes(mutate(bytes))}) {
            if (!cid) continue;
            ++accepted;
            EXPECT_EQ(Cid::from_bytes(cid.value().bytes()).value(), cid.value());
            EXPECT_EQ(Cid::parse(cid.value().to_string()).value(), cid.value());
            (void)cid.value().codec();
            (void)cid.value().multihash();
        }
    }
    EXPECT_GT(accepted, 100);
}

TEST(HostileInput, a_multiaddress_that_is_accepted_survives_its_round_trips) {
    Mutator mutate(kSeed);
    const std::vector<std::string> seeds{
        "/ip4/127.0.0.1/tcp/9096/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
        "/ip6zone/x/ip6/fe80::1/udp/1/quic-v1", "/unix/a/b", "/dns4/example.org/tcp/443/wss"};
    int accepted = 0;
    for (int i = 0; i < kRounds; ++i) {
        const std::string& text = seeds[static_cast<std::size_t>(i) % seeds.size()];
        const Bytes bytes = Multiaddr::parse(text).value().bytes();
        for (const auto& address :
             {Multiaddr::parse(mutate(text)), Multiaddr::from_bytes(mutate(bytes))}) {
            if (!address) continue;
            ++accepted;
            const auto again = Multiaddr::parse(address.value().to_string());
            ASSERT_TRUE(again) << hex_encode(address.value().bytes());
            EXPECT_EQ(again.value(), address.value()) << address.value().to_string();
            EXPECT_EQ(Multiaddr::from_bytes(address.value().bytes()).value(), address.value());
        }
    }
    EXPECT_GT(accepted, 100);
}

TEST(HostileInput, keys_ids_and_multibase_never_crash) {
    Mutator mutate(kSeed);
    const Bytes key = ed25519_from_seed(std::string(32, 'k')).private_key;
    const std::string id = ed25519_from_seed(std::string(32, 'k')).id.to_string();
    for (int i = 0; i < kRounds; ++i) {
        if (const auto pair = parse_private_key(mutate(key))) {
            EXPECT_EQ(parse_private_key(pair.value().private_key).value().id, pair.value().id);
        }
        if (const auto peer = PeerId::parse(mutate(id))) {
            EXPECT_EQ(PeerId::parse(peer.value().to_string()).value(), peer.value());
        }
        (void)multibase_decode(mutate("bpfsxgidnmfxgsibb"));
        (void)multibase_decode(mutate("z7paNL19xttacUY"));
    }
}

}  // namespace
}  // namespace ipfscluster
