#include "consensus/raft/cluster_facts.hpp"

#include "base/varint.hpp"

namespace ipfscluster::raft {

using component::Cordon;
using storage::Family;

namespace {

constexpr std::string_view kFeatureLevel = "feature_level";
constexpr std::string_view kCordonPrefix = "cordon/";
constexpr char kCordonVersion = 1;
/// Version, kind, everything, since.
constexpr std::size_t kCordonBytes = 1 + 1 + 1 + 8;
constexpr std::size_t kPeerIdBytesMax = 128;
/// A newer build may write more than this one.
constexpr std::size_t kCordonBytesMax = 1024;
constexpr char kFactsVersion = 1;
/// As many as there are nodes at most.
constexpr std::uint64_t kCordonsMax = 65536;

Bytes cordon_key(const PeerId& peer) {
    return Bytes(kCordonPrefix) + peer.bytes();
}

Bytes encode_cordon(const Cordon& cordon) {
    Bytes out(1, kCordonVersion);
    out.push_back(static_cast<char>(cordon.kind));
    out.push_back(cordon.everything ? 1 : 0);
    put_be64(out, static_cast<std::uint64_t>(cordon.since.time_since_epoch().count()));
    return out;
}

Result<Cordon> decode_cordon(BytesView bytes) {
    if (bytes.empty()) return fail(Kind::corrupt, "cordon cut short");
    if (bytes[0] != kCordonVersion)
        return fail(Kind::unsupported, "a cordon was made by a newer version");
    if (bytes.size() < kCordonBytes) return fail(Kind::corrupt, "cordon cut short");
    // Not damage: whoever took it for that would put whole data aside.
    const auto kind = static_cast<std::uint8_t>(bytes[1]);
    if (bytes.size() > kCordonBytes || kind > static_cast<std::uint8_t>(Cordon::Kind::leaving))
        return fail(Kind::unsupported, "a cordon was made by a newer build: kind " +
                                           std::to_string(kind) + ", " +
                                           std::to_string(bytes.size()) + " bytes");
    Cordon cordon;
    cordon.kind = static_cast<Cordon::Kind>(kind);
    cordon.everything = bytes[2] != 0;
    cordon.since = Time(Duration(static_cast<std::int64_t>(get_be64(bytes.substr(3)))));
    return cordon;
}

void put_fact(Bytes& out, const CordonFact& fact) {
    put_sized(out, fact.peer.bytes());
    put_sized(out, encode_cordon(fact.cordon));
}

Result<CordonFact> take_fact(BytesView& in) {
    ICL_TRY(const auto id, take_sized(in, kPeerIdBytesMax, "facts"));
    ICL_TRY(const auto row, take_sized(in, kCordonBytesMax, "facts"));
    CordonFact fact;
    ICL_TRY(fact.peer, PeerId::from_bytes(id));
    ICL_TRY(fact.cordon, decode_cordon(row));
    return fact;
}

}  // namespace

Bytes encode_cordon_fact(const CordonFact& fact) {
    Bytes out;
    put_fact(out, fact);
    return out;
}

Result<CordonFact> decode_cordon_fact(BytesView bytes) {
    ICL_TRY(auto fact, take_fact(bytes));
    if (!bytes.empty()) return fail(Kind::corrupt, "bytes left over after a cordon");
    return fact;
}

Bytes encode_level_fact(std::uint32_t level) {
    Bytes out;
    put_be32(out, level);
    return out;
}

Result<std::uint32_t> decode_level_fact(BytesView bytes) {
    if (bytes.size() != 4) return fail(Kind::corrupt, "feature level: wrong length");
    return get_be32(bytes);
}

Result<bool> ClusterFacts::load(BytesView key, BytesView value) {
    if (key == kFeatureLevel) {
        auto level = decode_level_fact(value);
        if (!level) return fail(level.error().in("raft_meta"));
        feature_level_ = level.value();
        return true;
    }
    if (!key.starts_with(kCordonPrefix)) return false;
    auto peer = PeerId::from_bytes(key.substr(kCordonPrefix.size()));
    if (!peer) return fail(Kind::corrupt, "raft_meta cordon: " + peer.error().text);
    auto cordon = decode_cordon(value);
    if (!cordon) return fail(cordon.error().in("raft_meta"));
    cordons_[std::move(peer.value())] = cordon.value();
    return true;
}

void ClusterFacts::raise_feature_level(storage::Batch& batch, std::uint32_t level) {
    if (level <= feature_level_) return;
    feature_level_ = level;
    batch.put(Family::raft_meta, Bytes(kFeatureLevel), encode_level_fact(level));
    ++changes_;
}

Cordon ClusterFacts::cordon(const PeerId& peer) const {
    const auto found = cordons_.find(peer);
    return found != cordons_.end() ? found->second : Cordon{};
}

void ClusterFacts::set_cordon(storage::Batch& batch, const PeerId& peer, const Cordon& cordon) {
    if (cordon.kind == Cordon::Kind::none) {
        if (cordons_.erase(peer) == 0) return;
        batch.del(Family::raft_meta, cordon_key(peer));
    } else {
        batch.put(Family::raft_meta, cordon_key(peer), encode_cordon(cordon));
        cordons_[peer] = cordon;
    }
    ++changes_;
}

void ClusterFacts::install(storage::Batch& batch, ClusterFacts other) {
    batch.del_range(Family::raft_meta, Bytes(kCordonPrefix), prefix_end(kCordonPrefix));
    for (const auto& [peer, cordon] : other.cordons_)
        batch.put(Family::raft_meta, cordon_key(peer), encode_cordon(cordon));
    cordons_ = std::move(other.cordons_);
    ++changes_;
    raise_feature_level(batch, other.feature_level_);
}

Bytes ClusterFacts::encode() const {
    Bytes out(1, kFactsVersion);
    put_be32(out, feature_level_);
    put_uvarint(out, cordons_.size());
    for (const auto& [peer, cordon] : cordons_) put_fact(out, {peer, cordon});
    return out;
}

Result<ClusterFacts> ClusterFacts::decode(BytesView bytes) {
    if (bytes.empty()) return fail(Kind::corrupt, "facts cut short");
    if (bytes[0] != kFactsVersion)
        return fail(Kind::unsupported, "the facts of a snapshot were made by a newer version");
    bytes.remove_prefix(1);
    if (bytes.size() < 4) return fail(Kind::corrupt, "facts cut short");
    ClusterFacts facts;
    facts.feature_level_ = get_be32(bytes);
    bytes.remove_prefix(4);
    ICL_TRY(const auto count, take_uvarint(bytes));
    if (count > kCordonsMax) return fail(Kind::corrupt, "facts: too many cordons");
    for (std::uint64_t i = 0; i < count; ++i) {
        auto fact = take_fact(bytes);
        if (!fact && fact.error().kind == Kind::unsupported &&
            facts.feature_level_ > kCordonLevel) {
            // The level says why to whoever asks; a peer that is behind ends there.
            facts.cordons_.clear();
            return facts;
        }
        if (!fact) return fail(fact.error());
        facts.cordons_[std::move(fact.value().peer)] = fact.value().cordon;
    }
    if (!bytes.empty()) return fail(Kind::corrupt, "bytes left over after the facts");
    return facts;
}

}  // namespace ipfscluster::raft
