#pragma once
#include "model/pin.hpp"
#include "storage/store.hpp"

namespace ipfscluster::state {

/// What an operator told the cluster about this peer, as far as it bears on what this peer holds.
struct Told {
    /// Pins that every peer holds are left to the others.
    bool leaves_everywhere = false;
    Time since = kTimeUnset;
    friend bool operator==(const Told&, const Told&) = default;
};

/// Decides whether this peer is to hold a pin, and remembers how far the pins that are here have
/// been walked after a change of that: up to the walk's position the newest word has taken effect,
/// behind it the earlier one may still count. Two rows of `meta`, see docs/formats.md. A change
/// shows at once; the batch it is put into is written before anything else happens. A copy is a
/// frozen view. Owned by State; one strand.
class Holding {
 public:
    Holding(storage::Store& store, PeerId self) : store_(&store), self_(std::move(self)) {}
    /// Reads the rows.
    Result<> open();

    /// By the newest word.
    bool shall_hold(const Pin& pin) const;
    /// Whether the pin may have been held here until now. In doubt, what makes work is assumed: a
    /// copy that is not there is soon found not to be there, and a pin that is held already is soon
    /// found to be held.
    bool may_have_held(const Pin& pin) const;
    /// Either: until the walk has come to a pin nothing is let go.
    bool holds(const Pin& pin) const { return shall_hold(pin) || may_have_held(pin); }
    /// Whether the pin is here only because the walk has not come to it yet.
    bool leaves_later(const Pin& pin) const { return !shall_hold(pin) && may_have_held(pin); }

    /// True where it changes what this peer holds, and a walk begins.
    bool heed(storage::Batch& batch, Told told);
    const Told& told() const { return told_; }

    bool walking() const { return walking_; }
    /// The last CID walked; empty at the start.
    const Bytes& position() const { return position_; }
    /// Adds the row that says how far a walk has come; `walked` once it has been written.
    void put_position(storage::Batch& batch, const Bytes& position, bool end) const;
    void walked(Bytes position, bool end);

    /// One more copy was let go because others have it.
    void count_moved(storage::Batch& batch);
    /// Since the last word.
    std::uint64_t moved() const { return moved_; }

 private:
    Bytes encode(const Bytes& position, bool walking) const;

    storage::Store* store_;
    PeerId self_;
    Told told_;
    bool walking_ = false;
    Bytes position_;
    std::uint64_t moved_ = 0;
};

}  // namespace ipfscluster::state
