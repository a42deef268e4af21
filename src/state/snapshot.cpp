// Moving whole pinsets between peers, and what changed for this peer when one is taken over.

#include "base/planted.hpp"
#include "base/varint.hpp"
#include "codec/pin_proto.hpp"
#include "multi/multihash.hpp"
#include "runtime/turn.hpp"
#include "state/keys.hpp"
#include "state/state_impl.hpp"

namespace ipfscluster::state {

using storage::Batch;
using storage::Family;

namespace {

/// First byte of a transferred row's key; the rest is the CID or the origin.
constexpr char kPinRow = 'p';
constexpr char kSessionRow = 's';
/// Longest value in a transferred row.
constexpr std::uint64_t kRowBytesMax = 2U << 20;
/// Rows compared at a time where a comparison has to end at once.
constexpr std::size_t kReconcileRows = 4096;
/// Rows hashed at once; part of what the digest of an import is.
constexpr std::uint64_t kRowsPerDigestChunk = 512;
/// Code and length before a sha2-256 digest.
constexpr std::size_t kMultihashPrefixBytes = 2;

void put_row(State::SnapshotPiece& piece, Bytes key, BytesView value) {
    put_sized(piece.rows, key);
    put_sized(piece.rows, value);
    ++piece.row_count;
    piece.last_key = std::move(key);
}

struct Table {
    char tag;
    Family family;
    Bytes prefix;
};

void drop_generations(Batch& batch, std::uint32_t from, std::optional<std::uint32_t> to) {
    for (const auto family : {Family::pins, Family::pin_index, Family::sessions})
        batch.del_range(family, keys::generation(from), to ? keys::generation(*to) : Bytes{});
}

struct Reconcile {
    std::uint32_t old_generation = 0;
    Bytes position;  ///< last CID compared
};
Bytes encode(const Reconcile& r) {
    return keys::generation(r.old_generation) + r.position;
}

Result<std::optional<Reconcile>> read_reconcile(storage::Store& store) {
    ICL_TRY(const auto row, store.get(Family::meta, keys::kReconcile));
    if (!row) return std::optional<Reconcile>{};
    if (row->size() < keys::kGenerationBytes) return fail(Kind::corrupt, "reconcile row cut short");
    return std::optional<Reconcile>(Reconcile{get_be32(*row), row->substr(keys::kGenerationBytes)});
}

/// One generation's pins, with the current row decoded.
struct Cursor {
    std::unique_ptr<storage::Iterator> rows;
    std::optional<StoredPin> pin;
    Result<> advance() {
        pin.reset();
        ICL_TRY(const auto more, rows->next());
        if (!more) return ok();
        ICL_TRY(const auto cid, Cid::from_bytes(rows->key().substr(keys::kGenerationBytes)));
        ICL_TRY(pin, decode_stored(cid, rows->value()));
        return ok();
    }
};

Result<Cursor> cursor_at(storage::Store& store, std::uint32_t generation, BytesView after) {
    auto from = keys::pin(generation, after);
    if (!after.empty()) from.push_back('\0');
    Cursor cursor{
        store.iterate(Family::pins, std::move(from), prefix_end(keys::generation(generation))), {}};
    ICL_TRY(cursor.advance());
    return cursor;
}

/// Adds the work rows of at most `rows` CIDs from `work.position` on; true when both generations
/// are through.
Result<bool> compare_generations(State::Impl& impl, Batch& batch, Reconcile& work,
                                 std::size_t rows) {
    ICL_TRY(auto old, cursor_at(impl.store, work.old_generation, work.position));
    ICL_TRY(auto live, cursor_at(impl.store, impl.counters.generation, work.position));
    for (std::size_t done = 0; done < rows && (old.pin || live.pin); ++done) {
        const bool has_old = old.pin && (!live.pin || old.pin->pin.cid <= live.pin->pin.cid);
        const bool has_live = live.pin && (!old.pin || live.pin->pin.cid <= old.pin->pin.cid);
        const auto cid = has_old ? old.pin->pin.cid : live.pin->pin.cid;
        const bool held = has_old && impl.holding.may_have_held(old.pin->pin);
        const bool hold = has_live && impl.holding.shall_hold(live.pin->pin);
        // All pins of an import have one index, so it alone does not tell two imports apart.
        const bool same = has_old && has_live &&
                          old.pin->modification_index == live.pin->modification_index &&
                          old.pin->pin == live.pin->pin;
        if (!(held && hold && same)) {
            ICL_TRY(impl.change_duty(batch, cid, has_old ? &*old.pin : nullptr,
                                     has_live ? &*live.pin : nullptr));
        }
        work.position = cid.bytes();
        if (has_old) {
            ICL_TRY(old.advance());
        }
        if (has_live) {
            ICL_TRY(live.advance());
        }
    }
    if (old.pin || live.pin) {
        batch.put(Family::meta, Bytes(keys::kReconcile), encode(work));
        return false;
    }
    drop_generations(batch, work.old_generation, work.old_generation + 1);
    batch.del(Family::meta, Bytes(keys::kReconcile));
    return true;
}

}  // namespace

/// Another word changes only what this peer does with pins that every peer holds: as if each had
/// been applied once more. What is kept already stays as it is.
Result<std::pair<Bytes, bool>> State::Impl::walk_holding(Batch& batch, std::size_t rows) {
    auto position = holding.position();
    ICL_TRY(auto live, cursor_at(store, counters.generation, position));
    for (std::size_t done = 0; done < rows && live.pin; ++done) {
        const auto& pin = live.pin->pin;
        position = pin.cid.bytes();
        if (pin.everywhere()) {
            ICL_TRY(const auto row, read_kept(store, pin.cid));
            if (!row || holding.shall_hold(pin)) {
                ICL_TRY(change_duty(batch, pin.cid, &*live.pin, &*live.pin));
            }
        }
        ICL_TRY(live.advance());
    }
    return std::pair(std::move(position), !live.pin);
}

Result<State::SnapshotPiece> State::read_snapshot(const storage::SnapshotPtr& at, BytesView after,
                                                  std::size_t piece_bytes) {
    auto& store = impl_->store;
    ICL_TRY(const auto row, store.get(Family::meta, keys::kCounters, at));
    if (!row) return fail(Kind::corrupt, "the snapshot has no state counters");
    ICL_TRY(const auto counters, Counters::decode(*row));
    const Table tables[] = {
        {kPinRow, Family::pins, keys::generation(counters.generation)},
        {kSessionRow, Family::sessions, keys::session(counters.generation, "")}};
    SnapshotPiece piece;
    piece.last_key = Bytes(after);
    for (const auto& table : tables) {
        if (table.tag == kSessionRow && planted(Bug::sessions_left_behind)) continue;
        auto from = table.prefix;
        if (!after.empty()) {
            if (after[0] > table.tag) continue;
            if (after[0] == table.tag) from.append(after.substr(1)).push_back('\0');
        }
        auto rows = store.iterate(table.family, std::move(from), prefix_end(table.prefix), at);
        for (;;) {
            ICL_TRY(const auto more, rows->next());
            if (!more) break;
            put_row(piece, table.tag + Bytes(rows->key().substr(table.prefix.size())),
                    rows->value());
            if (piece.rows.size() >= piece_bytes) return piece;
        }
    }
    piece.last = true;
    return piece;
}

Result<> State::begin_staging() {
    if (impl_->pending.active)
        return fail(Kind::retryable, "the snapshot before is still being installed");
    for (bool done = false; !done;) {
        ICL_TRY(done, reconcile_generations(kReconcileRows));
    }
    const auto generation = impl_->counters.generation + 1;
    Batch batch;
    drop_generations(batch, generation, std::nullopt);
    ICL_TRY(impl_->store.write(std::move(batch)));
    impl_->staging = Impl::Staging{.generation = generation};
    return ok();
}

Async<> State::begin_staging_in_turns() {
    while (true) {
        if (impl_->pending.active)
            co_return fail(Kind::retryable, "the snapshot before is still being installed");
        ICL_CO_TRY(const auto done, reconcile_generations(kRowsPerTurnMax));
        if (done) co_return begin_staging();
        ICL_CO_TRY(co_await take_turn());
        ICL_CO_TRY(co_await room());
    }
}

Result<> State::Impl::stage_row(Batch& batch, BytesView key, BytesView value) {
    if (key.size() < 2) return fail(Kind::corrupt, "snapshot row without a key");
    const auto name = key.substr(1);
    const auto generation = staging->generation;
    if (key[0] == kPinRow) {
        auto cid = Cid::from_bytes(name);
        if (!cid) return fail(Kind::corrupt, "snapshot row: " + cid.error().text);
        ICL_TRY(const auto pin, decode_stored(cid.value(), value));
        if (const auto at = expiry_seconds(pin.pin); at != 0)
            batch.put(Family::pin_index, keys::expiry(generation, at, name), {});
        batch.put(Family::pins, keys::pin(generation, name), Bytes(value));
        ++staging->pins;
        return ok();
    }
    if (key[0] != kSessionRow)
        return fail(Kind::unsupported, "the snapshot has rows made by a newer version");
    if (name.size() > kOriginBytesMax) return fail(Kind::corrupt, "snapshot row: origin too long");
    ICL_TRY(const auto window, SessionWindow::decode(value));
    batch.put(Family::sessions, keys::session(generation, name), Bytes(value));
    batch.put(Family::sessions, keys::session_age(generation, window.last_index, name), {});
    ++staging->sessions;
    return ok();
}

Async<> State::room() {
    auto has_room = co_await impl_->store.room();
    co_return has_room;
}

Result<> State::stage(const SnapshotPiece& piece) {
    if (!impl_->staging) return fail(Kind::conflict, "no snapshot is being staged");
    Batch batch;
    BytesView in = piece.rows;
    Bytes previous;
    while (!in.empty()) {
        ICL_TRY(const auto key, take_sized(in, kCidBytesMax + 1, "snapshot row"));
        ICL_TRY(const auto value, take_sized(in, kRowBytesMax, "snapshot row"));
        // Rows ascend, so none can be counted twice.
        if (key <= previous) return fail(Kind::corrupt, "snapshot rows out of order");
        previous = Bytes(key);
        ICL_TRY(impl_->stage_row(batch, key, value));
    }
    return impl_->store.write(std::move(batch));
}

Result<> State::stage_pins(const std::vector<Pin>& pins, std::uint64_t index) {
    if (!impl_->staging) return fail(Kind::conflict, "no pinset is being staged");
    auto& staging = *impl_->staging;
    Batch batch;
    for (const auto& pin : pins) {
        const auto& cid = pin.cid.bytes();
        if (const auto at = expiry_seconds(pin); at != 0)
            batch.put(Family::pin_index, keys::expiry(staging.generation, at, cid), {});
        batch.put(Family::pins, keys::pin(staging.generation, cid),
                  encode_stored(index, codec::encode_pin(pin)));
    }
    // Counts repeated ones, too: looking each up would cost more than all else. See staged_pins.
    staging.pins += pins.size();
    return impl_->store.write(std::move(batch));
}

/// Removes the expiry rows that pins had which a later one of the same CID replaced.
Result<> State::Impl::drop_stale_expiry() {
    const auto prefix = keys::generation(staging->generation) + 'e';
    auto rows = store.iterate(Family::pin_index, prefix, prefix_end(prefix));
    Batch batch;
    while (true) {
        ICL_TRY(const auto more, rows->next());
        if (!more) break;
        if (rows->key().size() < keys::kExpiryPrefixBytes)
            return fail(Kind::corrupt, "expiry row cut short");
        ICL_TRY(const auto cid, Cid::from_bytes(rows->key().substr(keys::kExpiryPrefixBytes)));
        ICL_TRY(const auto pin, read(staging->generation, cid));
        if (!pin || expiry_seconds(pin->pin) != get_be64(rows->key().substr(prefix.size())))
            batch.del(Family::pin_index, Bytes(rows->key()));
        if (batch.changes().size() < kReconcileRows) continue;
        ICL_TRY(store.write(std::move(batch)));
        batch = {};
    }
    return store.write(std::move(batch));
}

Result<State::StagedPins> State::staged_pins() {
    if (!impl_->staging) return fail(Kind::conflict, "no pinset is being staged");
    const auto prefix = keys::generation(impl_->staging->generation);
    auto rows = impl_->store.iterate(Family::pins, prefix, prefix_end(prefix));
    StagedPins staged;
    Bytes chunk;  // begins with the digest of what came before
    const auto fold = [&] {
        chunk = multihash_digest(HashCode::sha2_256, chunk).value().substr(kMultihashPrefixBytes);
    };
    while (true) {
        ICL_TRY(const auto more, rows->next());
        if (!more) break;
        const auto cid = rows->key().substr(keys::kGenerationBytes);
        put_uvarint(chunk, cid.size());
        chunk.append(cid);
        put_uvarint(chunk, rows->value().size());
        chunk.append(rows->value());
        if (++staged.count % kRowsPerDigestChunk == 0) fold();
    }
    fold();
    staged.digest = std::move(chunk);
    auto& counted = impl_->staging->pins;
    if (counted != staged.count) {
        ICL_TRY(impl_->drop_stale_expiry());
    }
    counted = staged.count;
    return staged;
}

/// Rows of a transfer that a crash has ended: up to a whole pinset that nobody reads.
Result<> State::Impl::drop_staged_by_a_crash() {
    const auto next = counters.generation + 1;
    for (const auto family : {Family::pins, Family::pin_index, Family::sessions}) {
        auto rows = store.iterate(family, keys::generation(next), {});
        ICL_TRY(const auto found, rows->next());
        if (!found) continue;
        Batch batch;
        drop_generations(batch, next, std::nullopt);
        return store.write(std::move(batch));
    }
    return ok();
}

bool State::staging() const {
    return impl_->staging.has_value();
}

Result<> State::drop_staging() {
    if (!impl_->staging) return ok();
    Batch batch;
    drop_generations(batch, impl_->staging->generation, std::nullopt);
    impl_->staging.reset();
    return impl_->store.write(std::move(batch));
}

Result<> State::finish_staging(Batch& batch) {
    if (!impl_->staging) return fail(Kind::conflict, "no snapshot is being staged");
    impl_->begin_pending();
    auto& next = impl_->pending.counters;
    const auto old_generation = impl_->counters.generation;
    next.generation = impl_->staging->generation;
    next.pins = impl_->staging->pins;
    next.sessions = impl_->staging->sessions;
    impl_->pending.work = true;
    impl_->staging.reset();
    batch.put(Family::meta, Bytes(keys::kCounters), next.encode());
    batch.put(Family::meta, Bytes(keys::kReconcile), encode({old_generation, {}}));
    return ok();
}

Result<bool> State::reconcile_generations(std::size_t rows) {
    auto& impl = *impl_;
    ICL_TRY(auto work, read_reconcile(impl.store));
    if (!work && !impl.holding.walking()) return true;
    if (impl.pending.active) return false;  // a switch is on its way to the disk
    impl.begin_pending();
    Batch batch;
    std::pair<Bytes, bool> walked;
    Result<bool> ended = false;
    if (work) {
        ended = compare_generations(impl, batch, *work, rows);
    } else if (auto walk = impl.walk_holding(batch, rows); walk) {
        walked = std::move(walk.value());
        impl.holding.put_position(batch, walked.first, walked.second);
        ended = walked.second;
    } else {
        ended = fail(walk.error());
    }
    if (!ended) {
        dropped();
        return fail(ended.error());
    }
    batch.put(Family::meta, Bytes(keys::kCounters), impl.pending.counters.encode());
    const auto written = impl.store.write(std::move(batch));
    if (!written) {
        dropped();
        return fail(written.error());
    }
    if (!work) impl.holding.walked(std::move(walked.first), walked.second);
    applied();
    return ended.value() && !impl.holding.walking();
}

}  // namespace ipfscluster::state
