#pragma once
#include <map>
#include <optional>
#include <set>

#include "bitswap/want_link.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::bitswap {

/// Blocks wanted at once by all sessions; further fetches wait. With what blocks usually weigh this
/// also bounds the bytes under way (256 × 256 KiB).
inline constexpr std::size_t kWantsMax = 256;
/// A peer that was asked for a block has this long before another is asked.
inline constexpr std::chrono::seconds kBlockWaitMax{10};
/// Everybody is asked again after this, doubling up to the second.
inline constexpr std::chrono::seconds kRebroadcastMin{5};
inline constexpr std::chrono::seconds kRebroadcastMax{60};

/// One want in so many is told to all peers although the session knows holders.
inline constexpr std::uint64_t kAskAllOneIn = 8;

/// What a session has learned. Shared by the session and its running fetches.
struct SessionState {
    std::map<PeerId, std::uint64_t> delivered;  ///< blocks each peer has given to it
    std::set<PeerId> asked;
};

/// The asking half of bitswap: who is asked for what. Each fetch drives its own want; messages and
/// connection events only change what is known and wake it. Owned by Bitswap; one strand.
class Client {
 public:
    Client(World& world, net::Host& host, TaskGroup& tasks);

    Async<Bytes> fetch(std::shared_ptr<SessionState> session, Cid cid, Duration limit);

    /// True when the block was wanted.
    bool on_block(const PeerId& from, dag::Block block);
    void on_presence(const PeerId& from, const Presence& presence);
    void on_connected(const PeerId& peer);
    void on_disconnected(const PeerId& peer);
    std::size_t wants() const { return wants_.size(); }

 private:
    struct Told {
        bool wanted = false;   // it knows that we want the block
        bool has = false;      // it said so
        bool refused = false;  // it said no, or did not deliver in time
    };
    struct Want {
        Want(Cid c, asio::any_io_executor executor)
            : cid(std::move(c)), changed(std::move(executor)) {}
        Cid cid;
        std::map<PeerId, Told> peers;
        std::optional<PeerId> asked;  // for the block itself
        SteadyTime asked_until{};
        SteadyTime next_broadcast{};
        Duration pause = kRebroadcastMin;
        std::optional<Bytes> data;
        PeerId from;
        std::size_t users = 0;
        Signal changed;
    };
    using WantPtr = std::shared_ptr<Want>;
    class Hold;

    WantLink& link(const PeerId& peer);
    /// Does what is due for a want; returns when to look again.
    SteadyTime drive(Want& want, SessionState& session);
    std::optional<PeerId> choose(const Want& want, const SessionState& session) const;
    void ask_for_block(Want& want, SessionState& session, const PeerId& peer);
    void ask_all(Want& want, SessionState& session);
    void on_unreachable(const PeerId& peer);
    void release(const WantPtr& want);

    World& world_;
    net::Host& host_;
    TaskGroup& tasks_;
    std::map<Bytes, WantPtr, std::less<>> wants_;  // by multihash
    std::map<PeerId, std::shared_ptr<WantLink>> links_;
    Signal room_;
};

}  // namespace ipfscluster::bitswap
