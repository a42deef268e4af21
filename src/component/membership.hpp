#pragma once
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "component/cordon.hpp"
#include "model/pin.hpp"
#include "multi/peer_id.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::component {

/// What a peer is to the cluster, as far as this one knows.
enum class Standing : std::uint8_t {
    member,
    left,     ///< none: it was removed, or never came. Does not come back with what it held
    unknown,  ///< nobody can say: it may be one that has not been heard of yet
};

/// Who belongs to the cluster. Made and owned by main; one strand. Lists are sorted by id bytes and
/// contain this peer while it belongs. What a kind of consensus does not have answers
/// `unsupported`.
class Membership {
 public:
    virtual ~Membership() = default;

    /// Whom lists show and requests go to. Where members are agreed on: all of them, whether they
    /// answer or not; else those whose pings come.
    virtual std::vector<PeerId> peers() = 0;
    /// Everybody who may hold pins: these, and those that have fallen silent.
    virtual std::vector<PeerId> known() = 0;
    virtual Standing standing(const PeerId& peer) = 0;
    /// Of whom a majority must be seen before anything is repaired: the members whose agreement
    /// counts; where nothing is agreed on, all that are known.
    virtual std::vector<PeerId> voters() = 0;
    /// Whether what it tells of itself in its metrics counts.
    virtual bool heeds(const PeerId& peer) { return standing(peer) == Standing::member; }

    /// Whether its requests are served. `denied`: they are not, because of that; `retryable`: as
    /// far as is known here, and `best_informed` may know better.
    virtual Result<> trusted(const PeerId& peer) = 0;
    /// Who knows best who the members are; empty: this peer, or nobody knows who does.
    virtual PeerId best_informed() { return {}; }
    virtual Async<> trust(PeerId /*peer*/) {
        co_return Error{Kind::unsupported, "this consensus trusts every member"};
    }
    virtual Async<> distrust(PeerId /*peer*/) {
        co_return Error{Kind::unsupported, "this consensus trusts every member"};
    }

    /// What was told about a member; `none` for others.
    virtual Cordon cordon(const PeerId& /*peer*/) { return {}; }
    /// Whether a member is to hold the pin, as far as this peer knows what it was told.
    bool is_holder(const Pin& pin, const PeerId& peer) {
        return pin.allocated_to(peer) && !(pin.everywhere() && cordon(peer).everything);
    }
    /// All that were told something, sorted.
    virtual std::vector<std::pair<PeerId, Cordon>> cordons() { return {}; }
    /// Called on the strand whenever one of them may have changed.
    virtual void on_cordons(std::function<void()> /*listener*/) {}
    /// Tells it; ok once it is committed and applied here. `not_found`: no member. Errors as of
    /// `PinsetLog::commit`.
    virtual Async<> set_cordon(PeerId /*peer*/, Cordon /*cordon*/) {
        co_return Error{Kind::unsupported, "this consensus has no cordons"};
    }

    /// Returns once it is agreed on. ok when it is a member already.
    virtual Async<> add_peer(PeerId peer) = 0;
    /// ok when it is no member, this peer included once it was told. `conflict` when it is the last
    /// one. Both: `unknown_outcome` when it was accepted and its end was not seen.
    virtual Async<> remove_peer(PeerId peer) = 0;
    /// This peer was a member and is none any more, by agreement of the others.
    virtual bool removed() const { return false; }
};

}  // namespace ipfscluster::component
