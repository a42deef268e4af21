#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "multi/peer_id.hpp"

namespace ipfscluster::raft {

/// Streams that one peer may have open to us. It needs two or three; the rest are those whose end
/// has not been noticed yet, and changes of membership that many ask for at once.
inline constexpr std::size_t kStreamsPerPeerMax = 32;
/// Streams of peers that are no members, together. Members' places are not among them.
inline constexpr std::size_t kStrangerStreamsMax = 64;
/// Streams that are being told that there is no place for them; more are reset without a word.
inline constexpr std::size_t kRefusalsMax = 16;

/// Counts the streams that others have open to us, so that nobody can take the places of a member.
/// No I/O; owned by the consensus component, its strand. Outlives its places.
class StreamPlaces {
 public:
    /// One place; given back when it goes.
    class Place {
     public:
        enum class Use { member, stranger, refusal };
        Place(StreamPlaces* owner, PeerId peer, Use use)
            : owner_(owner), peer_(std::move(peer)), use_(use) {}
        Place(Place&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)),
              peer_(std::move(other.peer_)),
              use_(other.use_) {}
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (owner_ != nullptr) owner_->give_back(peer_, use_);
        }

     private:
        StreamPlaces* owner_;
        PeerId peer_;
        Use use_;
    };

    /// Nothing when the peer has as many as it may, or all strangers together have.
    std::optional<Place> take(const PeerId& peer, bool member);
    /// For a stream that got none: a place to tell it so, or nothing.
    std::optional<Place> take_refusal(const PeerId& peer);
    /// Whether this refusal is worth a line in the log: the first one since there was room.
    bool first_refusal(const PeerId& peer);
    std::size_t open() const { return open_; }

 private:
    struct Peer {
        std::size_t open = 0;
        bool told = false;
    };
    void give_back(const PeerId& peer, Place::Use use);

    std::map<PeerId, Peer> peers_;  ///< those with open streams
    std::size_t open_ = 0;
    std::size_t strangers_ = 0;
    std::size_t refusals_ = 0;
    bool strangers_told_ = false;
};

}  // namespace ipfscluster::raft
