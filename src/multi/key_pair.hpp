#pragma once
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster {

/// A libp2p private key in its protobuf form with the peer id it stands for. Holds a secret: never
/// log it.
struct KeyPair {
    Bytes private_key;  ///< libp2p PrivateKey protobuf: 08 <type> 12 <len> <data>
    PeerId id;
};

/// A fresh Ed25519 key from the system's random source.
KeyPair generate_ed25519();
/// Deterministic Ed25519 key for tests and the simulation.
KeyPair ed25519_from_seed(BytesView seed32);
/// Ed25519 (type 1) or RSA (type 0, PKCS#1 or PKCS#8 DER); `invalid` otherwise. Derives the public
/// key and the id.
Result<KeyPair> parse_private_key(BytesView protobuf);

}  // namespace ipfscluster
