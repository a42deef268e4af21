#include "multi/multihash.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/encoding.hpp"

namespace ipfscluster {
namespace {

struct Case {
    HashCode code;
    const char* data;
    const char* multihash;
};

// Digests of the algorithms' own test vectors, with the prefixes of the multihash table.
TEST(Multihash, computes_the_published_digests) {
    const std::vector<Case> cases{
        {HashCode::identity, "abc", "0003616263"},
        {HashCode::sha1, "abc", "1114a9993e364706816aba3e25717850c26c9cd0d89d"},
        {HashCode::sha2_256, "abc",
         "1220ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {HashCode::sha2_512, "abc",
         "1340ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3"
         "c"
         "23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
        {HashCode::sha3_256, "abc",
         "16203a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
        {HashCode::sha3_512, "",
         "1440a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e"
         "9"
         "402c3ac558f500199d95b6d3e301758586281dcd26"},
        {HashCode::blake2b_256, "abc",
         "a0e40220bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
    };
    for (const auto& test : cases) {
        const auto made = multihash_digest(test.code, test.data);
        ASSERT_TRUE(made) << hash_name(test.code);
        EXPECT_EQ(hex_encode(made.value()), test.multihash) << hash_name(test.code);
        const auto parts = parse_multihash(made.value());
        ASSERT_TRUE(parts);
        EXPECT_EQ(parts.value().code, static_cast<std::uint64_t>(test.code));
    }
}

TEST(Multihash, names_and_codes_agree) {
    for (const char* name : {"identity", "sha1", "sha2-256", "sha2-512", "sha3-256", "sha3-512",
                             "murmur3-x64-64", "blake2b-256"})
        EXPECT_EQ(hash_name(parse_hash_name(name).value()), name);
    EXPECT_EQ(parse_hash_name("md5").error().kind, Kind::invalid);
    EXPECT_EQ(multihash_digest(HashCode::murmur3_x64_64, "a").error().kind, Kind::unsupported);
}

TEST(Multihash, refuses_wrong_lengths) {
    for (const char* hex : {"", "12", "1203aabb", "1203aabbccdd", "00ff01", "80"})
        EXPECT_FALSE(parse_multihash(hex_decode(hex).value())) << hex;
    EXPECT_FALSE(multihash_digest(HashCode::identity, std::string(kDigestBytesMax + 1, 'x')));
}

}  // namespace
}  // namespace ipfscluster
