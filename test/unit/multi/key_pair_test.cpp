#include "multi/key_pair.hpp"

#include <gtest/gtest.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/encoding.hpp"
#include "base/varint.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster {
namespace {

// The Ed25519 vector of the libp2p peer id specification.
constexpr const char* kPrivate =
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be8f"
    "d4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";
constexpr const char* kPublic =
    "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";

TEST(KeyPair, derives_the_id_of_the_published_key) {
    const KeyPair pair = parse_private_key(hex_decode(kPrivate).value()).value();
    EXPECT_EQ(hex_encode(pair.id.bytes()), "0024" + std::string(kPublic));
    EXPECT_EQ(hex_encode(pair.private_key), kPrivate);
    const Bytes seed = hex_decode(std::string(kPrivate).substr(8, 64)).value();
    EXPECT_EQ(ed25519_from_seed(seed).id, pair.id);
}

TEST(KeyPair, accepts_the_old_form_with_two_public_keys) {
    const std::string hex(kPrivate);
    const Bytes old = hex_decode("08011260" + hex.substr(8) + hex.substr(72)).value();
    const KeyPair pair = parse_private_key(old).value();
    EXPECT_EQ(hex_encode(pair.private_key), kPrivate);
    Bytes differing = old;
    differing.back() ^= 1;
    EXPECT_FALSE(parse_private_key(differing));
}

TEST(KeyPair, generated_keys_differ_and_parse) {
    const KeyPair one = generate_ed25519();
    const KeyPair two = generate_ed25519();
    EXPECT_NE(one.id, two.id);
    EXPECT_EQ(parse_private_key(one.private_key).value().id, one.id);
    EXPECT_TRUE(one.id.to_string().starts_with("12D3KooW"));
    EXPECT_TRUE(base64_encode(one.private_key).starts_with("CAESQ"));
}

TEST(KeyPair, refuses_damage) {
    const Bytes good = hex_decode(kPrivate).value();
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(parse_private_key(BytesView(good).substr(0, size))) << size;
    Bytes wrong_public = good;
    wrong_public.back() ^= 1;
    EXPECT_FALSE(parse_private_key(wrong_public));
    Bytes wrong_type = good;
    wrong_type[1] = 2;
    EXPECT_EQ(parse_private_key(wrong_type).error().kind, Kind::invalid);
}

Bytes rsa_message(BytesView der) {
    Bytes out("\x08\x00\x12", 3);
    put_uvarint(out, der.size());
    return out.append(der);
}

Bytes take_der(unsigned char* der, int size) {
    Bytes out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

TEST(KeyPair, rsa_id_is_the_hash_of_the_public_key_message) {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    ASSERT_NE(key, nullptr);
    unsigned char* der = nullptr;
    int size = i2d_PrivateKey(key, &der);
    const Bytes pkcs1 = take_der(der, size);
    der = nullptr;
    size = i2d_PUBKEY(key, &der);
    const Bytes public_key = take_der(der, size);
    EVP_PKEY_free(key);

    const KeyPair pair = parse_private_key(rsa_message(pkcs1)).value();
    EXPECT_EQ(pair.id.bytes(),
              multihash_digest(HashCode::sha2_256, rsa_message(public_key)).value());
    EXPECT_TRUE(pair.id.to_string().starts_with("Qm"));
    EXPECT_FALSE(parse_private_key(rsa_message(public_key)));
    EXPECT_FALSE(parse_private_key(rsa_message(BytesView(pkcs1).substr(0, 100))));
}

}  // namespace
}  // namespace ipfscluster
