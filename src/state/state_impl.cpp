#include "state/state_impl.hpp"

#include "base/assert.hpp"
#include "base/planted.hpp"
#include "codec/pin_proto.hpp"
#include "state/keys.hpp"

namespace ipfscluster::state {

using storage::Batch;
using storage::Family;

Bytes Counters::encode() const {
    Bytes out;
    put_be32(out, generation);
    put_be64(out, pins);
    put_be64(out, sessions);
    put_be64(out, work_added);
    return out;
}

Result<Counters> Counters::decode(BytesView bytes) {
    if (bytes.size() != 4 + 3 * 8) return fail(Kind::corrupt, "state counters have a wrong size");
    return Counters{get_be32(bytes), get_be64(bytes.substr(4)), get_be64(bytes.substr(12)),
                    get_be64(bytes.substr(20))};
}

Bytes encode_stored(std::uint64_t modification_index, BytesView pin_bytes) {
    Bytes out;
    out.reserve(8 + pin_bytes.size());
    put_be64(out, modification_index);
    return out.append(pin_bytes);
}

Result<StoredPin> decode_stored(const Cid& cid, BytesView value) {
    if (value.size() < 8)
        return fail(Kind::corrupt, "pin row of " + cid.to_string() + " cut short");
    auto pin = codec::decode_pin(cid, value.substr(8));
    if (!pin) return fail(pin.error().in("pin row of " + cid.to_string()));
    return StoredPin{std::move(pin.value()), get_be64(value)};
}

std::uint64_t expiry_seconds(const Pin& pin) {
    const auto at = std::chrono::floor<std::chrono::seconds>(pin.options.expire_at);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch().count()));
}

Result<std::optional<StoredPin>> State::Impl::read(std::uint32_t generation, const Cid& cid) {
    ICL_TRY(const auto row, store.get(Family::pins, keys::pin(generation, cid.bytes())));
    if (!row) return std::optional<StoredPin>{};
    ICL_TRY(auto pin, decode_stored(cid, *row));
    return std::optional<StoredPin>(std::move(pin));
}

void State::Impl::begin_pending() {
    if (pending.active) return;
    pending = {};
    pending.active = true;
    pending.counters = counters;
}

Result<std::optional<StoredPin>> State::Impl::current(const Cid& cid) {
    if (const auto it = pending.pins.find(cid.bytes()); it != pending.pins.end()) return it->second;
    return read(counters.generation, cid);
}

void State::Impl::add_work(Batch& batch, WorkLane lane, const Cid& cid) {
    auto& into = planted(Bug::work_row_apart) ? pending.apart : batch;
    into.put(Family::work, work_key({lane, ++pending.counters.work_added, cid}), {});
    pending.work = true;
}

Result<> State::Impl::change_duty(Batch& batch, const Cid& cid, const StoredPin* before,
                                  const StoredPin* after) {
    const bool held = before != nullptr && holding.may_have_held(before->pin);
    if (after != nullptr && holding.shall_hold(after->pin)) {
        // Allocated here again, so nothing has to be kept for others.
        if (!held) {
            ICL_TRY(kept.end(batch, cid));
        }
        add_work(batch, WorkLane::pin, cid);
        return ok();
    }
    // A pin of another kind comes only after an unpin, and nobody holds a meta pin.
    const bool gone = after == nullptr || after->pin.type == PinType::meta;
    if (held && (gone || planted(Bug::copies_let_go))) {
        add_work(batch, WorkLane::unpin, cid);
    } else if (held) {
        // Nobody else may have it yet.
        kept.keep(batch, {.cid = cid,
                          .depth = smaller_depth(before->pin.max_depth, after->pin.max_depth),
                          .modification_index = after->modification_index,
                          .since = after->pin.everywhere()
                                       ? std::max(after->pin.timestamp, holding.told().since)
                                       : after->pin.timestamp});
        pending.work = true;
    } else if (gone) {
        ICL_TRY(const bool was_kept, kept.end(batch, cid));
        if (was_kept) add_work(batch, WorkLane::unpin, cid);
    } else if (before != nullptr) {
        ICL_TRY(kept.lower(batch, cid, after->pin.max_depth));
    }
    return ok();
}

Result<> State::Impl::keep_what_moved() {
    for (const auto lane : {WorkLane::unpin, WorkLane::retry}) {
        auto rows = store.iterate(Family::work, work_lane_key(lane, 0), work_lane_end(lane));
        Batch batch;
        while (true) {
            ICL_TRY(const auto more, rows->next());
            if (!more) break;
            ICL_TRY(const auto row, parse_work_key(rows->key()));
            ICL_TRY(const auto pin, read(counters.generation, row.cid));
            if (!pin || holding.shall_hold(pin->pin) || pin->pin.type == PinType::meta) continue;
            // The row that asks for the unpin finds the copy kept, and goes.
            kept.keep(batch, {.cid = row.cid,
                              .depth = pin->pin.max_depth,
                              .modification_index = pin->modification_index,
                              .since = pin->pin.timestamp});
            if (batch.changes().size() < kRowsPerTurnMax) continue;
            ICL_TRY(store.write(std::move(batch)));
            batch = {};
            kept.forget_pending();
        }
        kept.forget_pending();
        if (!batch.empty()) {
            ICL_TRY(store.write(std::move(batch)));
        }
    }
    return ok();
}

Result<> State::Impl::write_pin(Batch& batch, const std::optional<StoredPin>& before,
                                StoredPin after, Bytes row) {
    const auto generation = counters.generation;
    const auto& cid = after.pin.cid;
    // What is stored is what a reader gets back: fractions of seconds do not survive.
    const auto had = before ? expiry_seconds(before->pin) : 0;
    const auto has = expiry_seconds(after.pin);
    if (had != 0 && had != has)
        batch.del(Family::pin_index, keys::expiry(generation, had, cid.bytes()));
    if (has != 0 && had != has)
        batch.put(Family::pin_index, keys::expiry(generation, has, cid.bytes()), {});
    batch.put(Family::pins, keys::pin(generation, cid.bytes()), std::move(row));
    if (!before) ++pending.counters.pins;
    ICL_TRY(change_duty(batch, cid, before ? &*before : nullptr, &after));
    auto key = cid.bytes();
    pending.pins.insert_or_assign(std::move(key), std::move(after));
    return ok();
}

Result<> State::Impl::erase_pin(Batch& batch, const StoredPin& before) {
    const auto generation = counters.generation;
    const auto& cid = before.pin.cid;
    if (const auto had = expiry_seconds(before.pin); had != 0)
        batch.del(Family::pin_index, keys::expiry(generation, had, cid.bytes()));
    batch.del(Family::pins, keys::pin(generation, cid.bytes()));
    ICL_ASSERT(pending.counters.pins > 0, "an empty pinset holds no pin");
    --pending.counters.pins;
    ICL_TRY(change_duty(batch, cid, &before, nullptr));
    pending.pins.insert_or_assign(cid.bytes(), std::nullopt);
    return ok();
}

Result<bool> State::Impl::accept(Batch& batch, std::uint64_t index, const OperationId& id) {
    if (id.origin.empty()) return true;
    const auto generation = counters.generation;
    SessionWindow window;
    bool known = true;
    if (const auto it = pending.sessions.find(id.origin); it != pending.sessions.end()) {
        known = it->second.has_value();
        if (known) window = *it->second;
    } else {
        ICL_TRY(const auto row, store.get(Family::sessions, keys::session(generation, id.origin)));
        known = row.has_value();
        if (row) {
            ICL_TRY(window, SessionWindow::decode(*row));
        }
    }
    if (!window.accept(id.sequence) && !planted(Bug::repetitions_accepted)) return false;
    if (!known) ++pending.counters.sessions;
    if (known && window.last_index != index)
        batch.del(Family::sessions, keys::session_age(generation, window.last_index, id.origin));
    if (!known || window.last_index != index)
        batch.put(Family::sessions, keys::session_age(generation, index, id.origin), {});
    window.last_index = index;
    pending.sessions.insert_or_assign(id.origin, window);
    return true;
}

Result<> State::Impl::evict_sessions(Batch& batch) {
    const auto generation = counters.generation;
    const auto prefix = keys::generation(generation) + 'a';
    while (pending.counters.sessions > kSessionsMax) {
        // The oldest of those in the database that this batch leaves alone and of those it touched.
        std::optional<std::pair<std::uint64_t, Bytes>> oldest;
        auto it = store.iterate(Family::sessions, prefix, prefix_end(prefix));
        for (;;) {
            ICL_TRY(const auto more, it->next());
            if (!more) break;
            if (it->key().size() < keys::kAgePrefixBytes)
                return fail(Kind::corrupt, "session age row cut short");
            Bytes origin(it->key().substr(keys::kAgePrefixBytes));
            if (pending.sessions.contains(origin)) continue;
            oldest.emplace(get_be64(it->key().substr(5)), std::move(origin));
            break;
        }
        for (const auto& [origin, window] : pending.sessions) {
            if (!window) continue;
            auto candidate = std::make_pair(window->last_index, origin);
            if (!oldest || candidate < *oldest) oldest = std::move(candidate);
        }
        ICL_ASSERT(oldest, "a session counter above zero means that there is a session");
        const auto& [age, origin] = *oldest;
        batch.del(Family::sessions, keys::session_age(generation, age, origin));
        batch.del(Family::sessions, keys::session(generation, origin));
        pending.sessions.insert_or_assign(origin, std::nullopt);
        --pending.counters.sessions;
    }
    return ok();
}

Result<ApplyResult> State::Impl::apply_one(Batch& batch, std::uint64_t index,
                                           const LoggedOperation& op) {
    if (op.fact != FactKind::none) {
        ICL_TRY(const bool first, accept(batch, index, op.id));
        return ApplyResult{first ? ApplyOutcome::applied : ApplyOutcome::duplicate, 0};
    }
    ICL_TRY(auto before, current(op.pin.cid));
    const auto now = before ? before->modification_index : 0;
    ICL_TRY(const bool fresh, accept(batch, index, op.id));
    if (!fresh) return ApplyResult{ApplyOutcome::duplicate, now};
    if (op.expected_index != kAnyIndex && op.expected_index != now &&
        !planted(Bug::expected_index_ignored))
        return ApplyResult{ApplyOutcome::conflict, now};
    if (op.only_if_expired_by != kTimeUnset) {
        const bool expired = before && before->pin.options.expire_at != kTimeUnset &&
                             before->pin.options.expire_at <= op.only_if_expired_by;
        if (!expired) return ApplyResult{ApplyOutcome::not_expired, now};
    }
    if (op.kind == LoggedOperation::Kind::unpin) {
        if (!before) return ApplyResult{ApplyOutcome::not_found, 0};
        ICL_TRY(erase_pin(batch, *before));
        return ApplyResult{ApplyOutcome::applied, 0};
    }
    // Nothing that came is taken apart and put together again: every peer stores the same bytes,
    // whatever its build knows of them.
    auto row =
        encode_stored(index, op.pin_bytes.empty() ? codec::encode_pin(op.pin) : op.pin_bytes);
    ICL_TRY(write_pin(batch, before, {op.pin, index}, std::move(row)));
    return ApplyResult{ApplyOutcome::applied, index};
}

}  // namespace ipfscluster::state
