#pragma once
#include <cstdint>
#include <map>

#include "component/cordon.hpp"
#include "multi/peer_id.hpp"
#include "storage/store.hpp"

namespace ipfscluster::raft {

/// The feature level that a reader of cordons needs.
inline constexpr std::uint32_t kCordonLevel = 1;

/// An operation of the log that tells something about a member (state::FactKind::cordon).
struct CordonFact {
    PeerId peer;
    component::Cordon cordon;
};
Bytes encode_cordon_fact(const CordonFact& fact);
/// `corrupt` names what is wrong.
Result<CordonFact> decode_cordon_fact(BytesView bytes);

/// The payload of an operation that raises the feature level (state::FactKind::feature_level).
Bytes encode_level_fact(std::uint32_t level);
Result<std::uint32_t> decode_level_fact(BytesView bytes);

/// What the members agreed on besides the pinset and who they are, as rows of the family raft_meta:
/// the same on every peer at the same place of the log. Changes are added to a batch and show at
/// once, as those of the LogStore, which owns the peer's own; a copy is a plain value. One strand.
class ClusterFacts {
 public:
    using Cordons = std::map<PeerId, component::Cordon>;

    /// Takes a row that was stored; false: it is no fact. `unsupported`: a newer build wrote it.
    Result<bool> load(BytesView key, BytesView value);

    /// What the log may hold, as all members understand it. Never falls. 0: no row, as in data of
    /// builds that had no levels.
    std::uint32_t feature_level() const { return feature_level_; }
    /// Without effect when it is lower.
    void raise_feature_level(storage::Batch& batch, std::uint32_t level);

    /// Of those who were told something; sorted.
    const Cordons& cordons() const { return cordons_; }
    component::Cordon cordon(const PeerId& peer) const;
    /// `none` takes it back.
    void set_cordon(storage::Batch& batch, const PeerId& peer, const component::Cordon& cordon);
    /// Replaces all facts by those of a snapshot.
    void install(storage::Batch& batch, ClusterFacts other);
    /// Grows with each change.
    std::uint64_t changes() const { return changes_; }

    /// All of them, as a snapshot carries them.
    Bytes encode() const;
    static Result<ClusterFacts> decode(BytesView bytes);

 private:
    std::uint32_t feature_level_ = 0;
    Cordons cordons_;
    std::uint64_t changes_ = 0;
};

}  // namespace ipfscluster::raft
