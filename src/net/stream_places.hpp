#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "multi/peer_id.hpp"

namespace ipfscluster::net {

struct StreamBounds {
    std::size_t per_member = 0;    ///< streams that one member may have open to us
    std::size_t per_stranger = 0;  ///< the same for a peer that is none
    /// Of strangers together. Members' places are not among them.
    std::size_t strangers = 0;
    std::size_t in_all = 0;
    /// Streams that are being told that there is no place for them; more are reset without a word.
    std::size_t refusals = 0;
};

/// Counts the streams of one protocol that others have open to us, so that nobody can take the
/// places of a member. No I/O; owned by whoever serves them, its strand. Outlives its places.
class StreamPlaces {
 public:
    explicit StreamPlaces(StreamBounds bounds) : bounds_(bounds) {}

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
        bool of_member() const { return use_ == Use::member; }

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
    /// Peers with open streams.
    std::size_t peers() const { return peers_.size(); }

 private:
    struct Peer {
        std::size_t open = 0;
        bool told = false;
    };
    void give_back(const PeerId& peer, Place::Use use);

    const StreamBounds bounds_;
    std::map<PeerId, Peer> peers_;  ///< those with open streams
    std::size_t open_ = 0;
    std::size_t strangers_ = 0;
    std::size_t refusals_ = 0;
    bool strangers_told_ = false;
};

}  // namespace ipfscluster::net
