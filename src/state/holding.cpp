#include "state/holding.hpp"

#include "base/assert.hpp"
#include "state/keys.hpp"

namespace ipfscluster::state {

using storage::Batch;
using storage::Family;

namespace {
constexpr char kVersion = 1;
constexpr unsigned char kLeavesEverywhere = 1;
constexpr unsigned char kWalking = 2;
/// Version, flags, since.
constexpr std::size_t kFixedBytes = 1 + 1 + 8;

/// Pins that are held by every peer or by none, as each was told.
bool is_of_all(const Pin& pin) {
    return pin.type != PinType::meta && pin.everywhere();
}
}  // namespace

Bytes Holding::encode(const Bytes& position, bool walking) const {
    Bytes out(1, kVersion);
    out.push_back(static_cast<char>((told_.leaves_everywhere ? kLeavesEverywhere : 0) |
                                    (walking ? kWalking : 0)));
    put_be64(out, static_cast<std::uint64_t>(told_.since.time_since_epoch().count()));
    return walking ? out.append(position) : out;
}

Result<> Holding::open() {
    ICL_TRY(const auto row, store_->get(Family::meta, keys::kTold));
    ICL_TRY(const auto moved, store_->get(Family::meta, keys::kMoved));
    if (moved && moved->size() != 8)
        return fail(Kind::corrupt, "the number of moved copies has a wrong size");
    if (moved) moved_ = get_be64(*moved);
    if (!row) return ok();
    if (!row->empty() && row->front() != kVersion)
        return fail(Kind::unsupported, "what was told to this peer was written by a newer version");
    if (row->size() < kFixedBytes)
        return fail(Kind::corrupt, "what was told to this peer is cut short");
    const auto flags = static_cast<unsigned char>((*row)[1]);
    told_.leaves_everywhere = (flags & kLeavesEverywhere) != 0;
    told_.since = Time(Duration(static_cast<std::int64_t>(get_be64(BytesView(*row).substr(2)))));
    walking_ = (flags & kWalking) != 0;
    position_ = row->substr(kFixedBytes);
    return ok();
}

bool Holding::shall_hold(const Pin& pin) const {
    if (is_of_all(pin)) return !told_.leaves_everywhere;
    return pin.type != PinType::meta && pin.allocated_to(self_);
}

bool Holding::may_have_held(const Pin& pin) const {
    const bool ahead = walking_ && is_of_all(pin) && pin.cid.bytes() > position_;
    return ahead ? told_.leaves_everywhere : shall_hold(pin);
}

bool Holding::heed(Batch& batch, Told told) {
    if (told == told_) return false;
    const bool changes = told.leaves_everywhere != told_.leaves_everywhere;
    // Said again it is the same move that goes on.
    const bool anew = told.since != told_.since;
    told_ = told;
    if (changes) {
        walking_ = true;
        position_.clear();
    }
    batch.put(Family::meta, Bytes(keys::kTold), encode(position_, walking_));
    if (anew) {
        moved_ = 0;
        batch.del(Family::meta, Bytes(keys::kMoved));
    }
    return changes;
}

void Holding::put_position(Batch& batch, const Bytes& position, bool end) const {
    ICL_ASSERT(walking_, "a walk that ended has no position");
    batch.put(Family::meta, Bytes(keys::kTold), encode(position, !end));
}

void Holding::walked(Bytes position, bool end) {
    ICL_ASSERT(walking_ && position >= position_, "a walk goes forward until it ends");
    walking_ = !end;
    position_ = end ? Bytes() : std::move(position);
}

void Holding::count_moved(Batch& batch) {
    Bytes row;
    put_be64(row, ++moved_);
    batch.put(Family::meta, Bytes(keys::kMoved), std::move(row));
}

}  // namespace ipfscluster::state
