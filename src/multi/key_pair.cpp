#include "multi/key_pair.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sodium.h>

#include <array>
#include <memory>

#include "base/assert.hpp"
#include "base/proto.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster {
namespace {

constexpr std::uint64_t kTypeRsa = 0;
constexpr std::uint64_t kTypeEd25519 = 1;
/// An RSA-8192 key in PKCS#8 takes less than 5 kB.
constexpr std::size_t kPrivateKeyBytesMax = 16 * 1024;
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
constexpr std::size_t kInlineKeyMax = 42;

struct Key {
    std::uint64_t type = 0;
    BytesView data;
};

/// The protobuf message both key kinds use: 1 = type (varint), 2 = data (bytes).
Bytes encode_key(std::uint64_t type, BytesView data) {
    Bytes out;
    put_proto_varint(out, 1, type);
    put_proto_bytes(out, 2, data);
    return out;
}

Result<Key> decode_key(BytesView in) {
    Key key;
    bool has_type = false;
    bool has_data = false;
    while (!in.empty()) {
        const auto field = take_proto_field(in);
        if (!field) return fail(Kind::invalid, "private key: " + field.error().text);
        if (field.value().is_number(1)) {
            key.type = field.value().value;
            has_type = true;
        } else if (field.value().is_bytes(2)) {
            key.data = field.value().bytes;
            has_data = true;
        } else {
            return fail(Kind::invalid, "private key: not a libp2p key message");
        }
    }
    if (!has_type || !has_data) return fail(Kind::invalid, "private key: not a libp2p key message");
    return key;
}

PeerId id_of(BytesView public_key) {
    const HashCode code =
        public_key.size() <= kInlineKeyMax ? HashCode::identity : HashCode::sha2_256;
    return PeerId::from_bytes(multihash_digest(code, public_key).value()).value();
}

void need_sodium() {
    static const bool ready = sodium_init() >= 0;
    ICL_ASSERT(ready, "libsodium does not start");
}

Result<KeyPair> parse_ed25519(BytesView data) {
    constexpr std::size_t seed_bytes = crypto_sign_SEEDBYTES;
    constexpr std::size_t public_bytes = crypto_sign_PUBLICKEYBYTES;
    // Old writers appended the public key a second time.
    const bool doubled = data.size() == seed_bytes + 2 * public_bytes;
    if (data.size() != seed_bytes + public_bytes && !doubled)
        return fail(Kind::invalid, "private key: wrong length for Ed25519");
    if (doubled && data.substr(seed_bytes, public_bytes) != data.substr(seed_bytes + public_bytes))
        return fail(Kind::invalid, "private key: its two public keys differ");
    const KeyPair pair = ed25519_from_seed(data.substr(0, seed_bytes));
    if (!pair.private_key.ends_with(data.substr(0, seed_bytes + public_bytes)))
        return fail(Kind::invalid, "private key: its public half does not belong to it");
    return pair;
}

struct KeyFree {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

Result<KeyPair> parse_rsa(BytesView data) {
    const unsigned char* position = as_uchar(data);
    const std::unique_ptr<EVP_PKEY, KeyFree> key(
        d2i_AutoPrivateKey(nullptr, &position, static_cast<long>(data.size())));
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
        return fail(Kind::invalid, "private key: not an RSA key in PKCS#1 or PKCS#8 form");
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits < kRsaBitsMin || bits > kRsaBitsMax)
        return fail(Kind::invalid, "private key: RSA keys have 2048 to 8192 bits");
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.get(), &der);
    if (size <= 0) return fail(Kind::invalid, "private key: no public half");
    const Bytes public_key(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return KeyPair{encode_key(kTypeRsa, data), id_of(encode_key(kTypeRsa, public_key))};
}

}  // namespace

KeyPair generate_ed25519() {
    need_sodium();
    std::array<char, crypto_sign_SEEDBYTES> seed;
    randombytes_buf(seed.data(), seed.size());
    KeyPair pair = ed25519_from_seed({seed.data(), seed.size()});
    sodium_memzero(seed.data(), seed.size());
    return pair;
}

KeyPair ed25519_from_seed(BytesView seed32) {
    need_sodium();
    ICL_ASSERT(seed32.size() == crypto_sign_SEEDBYTES, "an Ed25519 seed has 32 bytes");
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key;
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_key;
    crypto_sign_seed_keypair(public_key.data(), secret_key.data(), as_uchar(seed32));
    const BytesView public_view(reinterpret_cast<const char*>(public_key.data()),
                                public_key.size());
    const BytesView secret_view(reinterpret_cast<const char*>(secret_key.data()),
                                secret_key.size());
    KeyPair pair{encode_key(kTypeEd25519, secret_view),
                 id_of(encode_key(kTypeEd25519, public_view))};
    sodium_memzero(secret_key.data(), secret_key.size());
    return pair;
}

Result<KeyPair> parse_private_key(BytesView protobuf) {
    if (protobuf.size() > kPrivateKeyBytesMax) return fail(Kind::invalid, "private key: too long");
    ICL_TRY(const auto key, decode_key(protobuf));
    if (key.type == kTypeEd25519) return parse_ed25519(key.data);
    if (key.type == kTypeRsa) return parse_rsa(key.data);
    return fail(Kind::invalid, "private key: only Ed25519 and RSA keys are supported");
}

}  // namespace ipfscluster
