#include "state/state.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "runtime/turn.hpp"
#include "state/keys.hpp"
#include "state/state_impl.hpp"

namespace ipfscluster::state {

using storage::Batch;
using storage::Family;

State::State(storage::Store& store, PeerId self)
    : impl_(std::make_shared<Impl>(store, std::move(self))) {}

Result<> State::open() {
    auto& store = impl_->store;
    ICL_TRY(const auto format, store.get(Family::meta, keys::kFormat));
    if (!format) {
        Batch batch;
        Bytes version;
        put_be32(version, kFormatVersion);
        batch.put(Family::meta, Bytes(keys::kFormat), std::move(version));
        batch.put(Family::meta, Bytes(keys::kCounters), impl_->counters.encode());
        return store.write(std::move(batch));
    }
    if (format->size() != 4) return fail(Kind::corrupt, "the database's format row is damaged");
    const auto version = get_be32(*format);
    if (version == 0 || version > kFormatVersion)
        return fail(Kind::unsupported,
                    fmt::format("the database has format {}, this version reads up to {}", version,
                                kFormatVersion));
    ICL_TRY(const auto counters, store.get(Family::meta, keys::kCounters));
    if (!counters) return fail(Kind::corrupt, "the database has no state counters");
    ICL_TRY(impl_->counters, Counters::decode(*counters));
    ICL_TRY(impl_->drop_staged_by_a_crash());
    ICL_TRY(impl_->kept.open());
    ICL_TRY(impl_->holding.open());
    if (version == kFormatVersion) return ok();
    // From now on it may have rows that the earlier version does not know.
    ICL_TRY(impl_->keep_what_moved());
    Batch batch;
    Bytes now;
    put_be32(now, kFormatVersion);
    batch.put(Family::meta, Bytes(keys::kFormat), std::move(now));
    return store.write(std::move(batch));
}

Result<std::vector<ApplyResult>> State::apply(Batch& batch, std::uint64_t index,
                                              const std::vector<LoggedOperation>& operations) {
    impl_->begin_pending();
    auto& pending = impl_->pending;
    std::vector<ApplyResult> results;
    results.reserve(operations.size());
    for (const auto& op : operations) {
        ICL_TRY(const auto result, impl_->apply_one(batch, index, op));
        results.push_back(result);
    }
    ICL_TRY(impl_->evict_sessions(batch));
    // Windows change with each operation but are written once per entry.
    for (const auto& [origin, window] : pending.sessions)
        if (window && window->last_index == index)
            batch.put(Family::sessions, keys::session(impl_->counters.generation, origin),
                      window->encode());
    batch.put(Family::meta, Bytes(keys::kCounters), pending.counters.encode());
    return results;
}

void State::applied() {
    auto& pending = impl_->pending;
    if (!pending.active) return;
    impl_->counters = pending.counters;
    const bool work = pending.work;
    if (!pending.apart.empty()) {
        auto late = impl_->store.write(std::move(pending.apart));
        (void)late;
    }
    pending = {};
    impl_->kept.forget_pending();
    if (work && impl_->listener) impl_->listener();
}

void State::dropped() {
    impl_->pending = {};
    impl_->kept.forget_pending();
}

Result<std::optional<StoredPin>> State::get(const Cid& cid) {
    return impl_->read(impl_->counters.generation, cid);
}

std::uint64_t State::count() const {
    return impl_->counters.pins;
}

std::uint64_t State::work_added() const {
    return impl_->counters.work_added;
}

std::uint64_t State::kept_added() const {
    return impl_->kept.added();
}

const PeerId& State::self() const {
    return impl_->self;
}

const Holding& State::holding() const {
    return impl_->holding;
}

bool State::heed(Batch& batch, Told told) {
    return impl_->holding.heed(batch, told);
}

bool State::switching() const {
    return impl_->pending.active;
}

void State::count_moved(Batch& batch) {
    impl_->holding.count_moved(batch);
}

void State::on_work(std::function<void()> listener) {
    impl_->listener = std::move(listener);
}

namespace {

/// Walks one generation's pins; keeps the frozen view it began with.
class PinSource final : public Source<StoredPin> {
 public:
    explicit PinSource(std::unique_ptr<storage::Iterator> rows) : rows_(std::move(rows)) {}

    Async<std::optional<StoredPin>> next() override {
        if (++given_ % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await take_turn());
        }
        ICL_CO_TRY(const auto more, rows_->next());
        if (!more) co_return std::optional<StoredPin>{};
        auto cid = Cid::from_bytes(rows_->key().substr(keys::kGenerationBytes));
        if (!cid) co_return fail(Kind::corrupt, "pin row: " + cid.error().text);
        ICL_CO_TRY(auto pin, decode_stored(cid.value(), rows_->value()));
        co_return std::optional<StoredPin>(std::move(pin));
    }

 private:
    std::unique_ptr<storage::Iterator> rows_;
    std::size_t given_ = 0;
};

}  // namespace

SourcePtr<StoredPin> State::list(std::optional<Cid> after) {
    const auto generation = impl_->counters.generation;
    auto from = keys::generation(generation);
    const auto end = prefix_end(from);
    // The least key greater than the CID's own.
    if (after && after->defined()) from = keys::pin(generation, after->bytes()) + '\0';
    return std::make_unique<PinSource>(impl_->store.iterate(Family::pins, std::move(from), end));
}

Result<std::vector<Cid>> State::expired(Time now, std::size_t limit) {
    const auto generation = impl_->counters.generation;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    std::vector<Cid> cids;
    if (seconds <= 0) return cids;
    auto rows =
        impl_->store.iterate(Family::pin_index, keys::expiry(generation, 0, ""),
                             keys::expiry(generation, static_cast<std::uint64_t>(seconds) + 1, ""));
    while (cids.size() < limit) {
        ICL_TRY(const auto more, rows->next());
        if (!more) break;
        if (rows->key().size() < keys::kExpiryPrefixBytes)
            return fail(Kind::corrupt, "expiry row cut short");
        auto cid = Cid::from_bytes(rows->key().substr(keys::kExpiryPrefixBytes));
        if (!cid) return fail(Kind::corrupt, "expiry row: " + cid.error().text);
        cids.push_back(std::move(cid.value()));
    }
    return cids;
}

}  // namespace ipfscluster::state
