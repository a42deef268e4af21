#include "multi/peer_id.hpp"

#include <array>

#include "multi/cid.hpp"
#include "multi/multibase.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster {
namespace {

/// Public keys up to this length are kept whole in the id (libp2p peer id specification).
constexpr std::size_t kInlineKeyMax = 42;
constexpr std::size_t kPeerIdTextMax = 128;
constexpr std::size_t kTextsKept = 64;

}  // namespace

Result<PeerId> PeerId::from_bytes(BytesView multihash) {
    const auto parts = parse_multihash(multihash);
    if (!parts) return fail(parts.error().in("peer id"));
    const auto [code, digest] = parts.value();
    const bool hashed =
        code == static_cast<std::uint64_t>(HashCode::sha2_256) && digest.size() == 32;
    const bool whole = code == static_cast<std::uint64_t>(HashCode::identity) && !digest.empty() &&
                       digest.size() <= kInlineKeyMax;
    if (!hashed && !whole)
        return fail(Kind::invalid, "peer id: neither a sha2-256 nor a short identity multihash");
    return PeerId(Bytes(multihash));
}

Result<PeerId> PeerId::parse(std::string_view text) {
    if (text.empty()) return fail(Kind::invalid, "peer id: empty");
    if (text.size() > kPeerIdTextMax) return fail(Kind::invalid, "peer id: too long");
    if (text[0] == '1' || text.substr(0, 2) == "Qm") {
        const auto bytes = base58_decode(text);
        if (!bytes) return fail(bytes.error().in("peer id"));
        return from_bytes(bytes.value());
    }
    const auto cid = Cid::parse(text);
    if (!cid) return fail(cid.error().in("peer id"));
    if (cid.value().codec() != static_cast<std::uint64_t>(Codec::libp2p_key))
        return fail(Kind::invalid, "peer id: the CID's codec is not libp2p-key");
    return from_bytes(cid.value().multihash());
}

std::string PeerId::to_string() const {
    // Long lists name the same few peers in every row, and base58 would cost more than the rest of
    // it.
    struct Kept {
        Bytes bytes;
        std::string text;
    };
    thread_local std::array<Kept, kTextsKept> kept;
    auto& slot = kept[std::hash<BytesView>{}(bytes_) % kTextsKept];
    if (slot.bytes != bytes_) slot = {bytes_, base58_encode(bytes_)};
    return slot.text;
}

std::string PeerId::short_name() const {
    const std::string text = to_string();
    return text.size() > 6 ? text.substr(text.size() - 6) : text;
}

}  // namespace ipfscluster
