#include "storage/memory_store.hpp"

#include "base/assert.hpp"

namespace ipfscluster::storage {

namespace {
std::size_t slot(Family family) {
    return static_cast<std::size_t>(family);
}
}  // namespace

std::optional<Bytes> MemoryDisk::get(Family family, BytesView key, std::uint64_t at) const {
    const auto& table = tables_[slot(family)];
    const auto found = table.find(key);
    if (found == table.end()) return std::nullopt;
    for (auto v = found->second.rbegin(); v != found->second.rend(); ++v)
        if (v->sequence <= at) return v->value;
    return std::nullopt;
}

std::optional<std::pair<Bytes, Bytes>> MemoryDisk::find(Family family, BytesView key, bool after,
                                                        BytesView to, std::uint64_t at) const {
    const auto& table = tables_[slot(family)];
    auto it = after ? table.upper_bound(key) : table.lower_bound(key);
    for (; it != table.end() && (to.empty() || it->first < to); ++it) {
        for (auto v = it->second.rbegin(); v != it->second.rend(); ++v) {
            if (v->sequence > at) continue;
            if (v->value) return std::make_pair(it->first, *v->value);
            break;
        }
    }
    return std::nullopt;
}

void MemoryDisk::set(Family family, const Bytes& key, std::optional<Bytes> value,
                     std::vector<Undo>* undo) {
    auto& table = tables_[slot(family)];
    auto it = table.find(key);
    if (it == table.end()) {
        if (!value) return;
        it = table.emplace(key, Versions{}).first;
    }
    auto& versions = it->second;
    if (!versions.empty() && versions.back().sequence == sequence_) {
        versions.back().value =
            std::move(value);  // changed twice by one batch: undo has it already
    } else {
        if (undo)
            undo->push_back({family, key, versions.empty() ? std::nullopt : versions.back().value});
        versions.push_back({sequence_, std::move(value)});
    }
    prune(family, key);
}

void MemoryDisk::prune(Family family, const Bytes& key) {
    auto& table = tables_[slot(family)];
    const auto it = table.find(key);
    if (it == table.end()) return;
    auto& versions = it->second;
    if (held_.empty()) {
        // The batch that is being applied may change the key again, so its own version stays.
        versions.erase(versions.begin(), versions.end() - 1);
    } else {
        auto keep = versions.begin();
        for (auto v = versions.begin(); v != versions.end() && v->sequence <= *held_.begin(); ++v)
            keep = v;
        versions.erase(versions.begin(), keep);
    }
    if (versions.size() > 1 || !versions.back().value) garbage_.emplace(family, key);
}

void MemoryDisk::apply(const Batch& batch) {
    ++sequence_;
    std::vector<Undo> undo;
    for (const auto& change : batch.changes()) {
        using Kind = Batch::Change::Kind;
        if (change.kind == Kind::put) {
            set(change.family, change.key, change.value, &undo);
        } else if (change.kind == Kind::del) {
            set(change.family, change.key, std::nullopt, &undo);
        } else {
            std::vector<Bytes> keys;
            const auto& table = tables_[slot(change.family)];
            for (auto it = table.lower_bound(change.key);
                 it != table.end() && (change.value.empty() || it->first < change.value); ++it)
                keys.push_back(it->first);
            for (const auto& key : keys) set(change.family, key, std::nullopt, &undo);
        }
    }
    unsynced_.emplace_back(sequence_, std::move(undo));
    if (held_.empty()) release(UINT64_MAX);
}

void MemoryDisk::mark_synced(std::uint64_t sequence) {
    while (!unsynced_.empty() && unsynced_.front().first <= sequence) {
        now_synced(std::move(unsynced_.front()));
        unsynced_.pop_front();
    }
}

void MemoryDisk::now_synced(Batches::value_type batch) {
    if (kept_ == 0) return;
    synced_.push_back(std::move(batch));
    while (synced_.size() > kept_) synced_.pop_front();
}

void MemoryDisk::undo_newest(Batches& batches) {
    auto undo = std::move(batches.back().second);
    batches.pop_back();
    ++sequence_;
    for (auto& u : undo) set(u.family, u.key, std::move(u.before), nullptr);
}

std::size_t MemoryDisk::lose_synced(std::size_t count) {
    std::size_t lost = 0;
    for (; lost < count && !(unsynced_.empty() && synced_.empty()); ++lost)
        undo_newest(unsynced_.empty() ? synced_ : unsynced_);
    return lost;
}

void MemoryDisk::lose_unsynced(std::size_t keep) {
    while (unsynced_.size() > keep) undo_newest(unsynced_);
    for (auto& batch : unsynced_) now_synced(std::move(batch));
    unsynced_.clear();
}

void MemoryDisk::release(std::uint64_t at) {
    if (const auto it = held_.find(at); it != held_.end()) held_.erase(it);
    if (!held_.empty()) return;
    for (const auto& [family, key] : garbage_) {
        auto& table = tables_[slot(family)];
        const auto it = table.find(key);
        if (it == table.end()) continue;
        it->second.erase(it->second.begin(), it->second.end() - 1);
        if (!it->second.back().value) table.erase(it);
    }
    garbage_.clear();
}

struct MemoryStore::Frozen final : Snapshot {
    Frozen(std::shared_ptr<MemoryDisk> d) : disk(std::move(d)), at(disk->sequence()) {
        disk->hold(at);
    }
    ~Frozen() override { disk->release(at); }
    std::shared_ptr<MemoryDisk> disk;
    std::uint64_t at;
};

class MemoryStore::Walk final : public Iterator {
 public:
    Walk(SnapshotPtr view, Family family, Bytes from, Bytes to, std::shared_ptr<bool> alive)
        : view_(std::move(view)),
          family_(family),
          from_(std::move(from)),
          to_(std::move(to)),
          alive_(std::move(alive)),
          row_(from_, Bytes{}) {}

    Result<bool> next() override {
        if (!*alive_) return fail(Kind::shutting_down, "the store is closed");
        if (ended_) return false;
        const auto& frozen = static_cast<const Frozen&>(*view_);
        auto row = frozen.disk->find(family_, row_.first, placed_, to_, frozen.at);
        placed_ = true;
        ended_ = !row;
        if (row) row_ = std::move(*row);
        return !ended_;
    }
    void seek(BytesView key) override {
        row_.first = std::max(key, BytesView(from_));
        placed_ = false;
        ended_ = false;
    }
    BytesView key() const override { return row_.first; }
    BytesView value() const override { return row_.second; }

 private:
    SnapshotPtr view_;
    Family family_;
    Bytes from_, to_;
    std::shared_ptr<bool> alive_;
    std::pair<Bytes, Bytes> row_;
    bool placed_ = false;  ///< row_ is a row we gave; else the place to start at
    bool ended_ = false;
};

MemoryStore::MemoryStore(World& world, std::shared_ptr<MemoryDisk> disk)
    : world_(world),
      disk_(std::move(disk)),
      alive_(std::make_shared<bool>(true)),
      faults_(std::make_shared<Faults>()),
      commits_(world,
               {.sync = [faults = faults_]() -> Result<> {
                    const auto nth = ++faults->syncs;
                    if (const auto it = faults->fail_syncs.find(nth);
                        it != faults->fail_syncs.end())
                        return fail(it->second);
                    return ok();
                },
                .synced =
                    [alive = alive_, d = disk_, base = disk_->sequence()](std::uint64_t ticket) {
                        // One ticket per batch: ticket n is the n-th batch since this handle was
                        // made.
                        if (*alive) d->mark_synced(base + ticket);
                    }}),
      hang_ended_(world.executor()) {}

MemoryStore::~MemoryStore() {
    *alive_ = false;
}

Result<> MemoryStore::usable() const {
    if (!*alive_) return fail(Kind::shutting_down, "the store is closed");
    if (const auto failed = commits_.failure()) return fail(*failed);
    return ok();
}

Result<std::optional<Bytes>> MemoryStore::get(Family family, BytesView key, const SnapshotPtr& at) {
    ICL_TRY(usable());
    return disk_->get(family, key, at ? static_cast<const Frozen&>(*at).at : disk_->sequence());
}

Result<> MemoryStore::apply(Batch& batch) {
    ICL_TRY(usable());
    if (const auto it = fail_writes_.find(++writes_); it != fail_writes_.end()) {
        auto error = it->second;
        commits_.poison(error);
        return fail(std::move(error));
    }
    disk_->apply(batch);
    commits_.wrote();
    return ok();
}

Result<> MemoryStore::write(Batch batch) {
    return apply(batch);
}

Async<> MemoryStore::write_synced(Batch batch) {
    auto written = apply(batch);
    if (!written) co_return fail(written.error());
    const auto ticket = commits_.last_ticket();
    if (const auto it = delay_writes_.find(++synced_writes_); it != delay_writes_.end()) {
        const auto delay = it->second;
        auto slept = co_await world_.sleep_for(delay);
        if (!slept) co_return fail(slept.error());
    }
    if (lie_) co_return ok();
    ICL_CO_TRY(co_await wait_while_hanging());
    auto done = co_await commits_.wait(ticket);
    co_return done;
}

Async<> MemoryStore::sync() {
    auto can = usable();
    if (!can) co_return fail(can.error());
    if (lie_) co_return ok();
    ICL_CO_TRY(co_await wait_while_hanging());
    auto done = co_await commits_.wait(commits_.last_ticket());
    co_return done;
}

Async<> MemoryStore::room() {
    co_return usable();
}

std::unique_ptr<Iterator> MemoryStore::iterate(Family family, Bytes from, Bytes to,
                                               const SnapshotPtr& at) {
    return std::make_unique<Walk>(at ? at : snapshot(), family, std::move(from), std::move(to),
                                  alive_);
}

SnapshotPtr MemoryStore::snapshot() {
    return std::make_shared<Frozen>(disk_);
}

Async<> MemoryStore::close() {
    if (!*alive_) co_return ok();
    auto synced = co_await sync();
    auto drained = co_await commits_.drain();
    *alive_ = false;
    if (!synced) co_return fail(synced.error());
    co_return drained;
}

void MemoryStore::crash() {
    if (!*alive_) return;
    *alive_ = false;
    disk_->lose_unsynced(world_.random_u64() % (disk_->unsynced_batches() + 1));
    commits_.poison({Kind::shutting_down, "the store has crashed"});
}

void MemoryStore::fail_write(std::uint64_t nth, Error error) {
    fail_writes_.insert_or_assign(writes_ + nth, std::move(error));
}

void MemoryStore::fail_sync(std::uint64_t nth, Error error) {
    faults_->fail_syncs.insert_or_assign(faults_->syncs + nth, std::move(error));
}

void MemoryStore::delay_write(std::uint64_t nth, Duration delay) {
    delay_writes_.insert_or_assign(synced_writes_ + nth, delay);
}

void MemoryStore::hang(bool on) {
    hangs_ = on;
    hang_ended_.notify_all();
}

Async<> MemoryStore::wait_while_hanging() {
    while (hangs_ && *alive_) {
        ICL_CO_TRY(co_await hang_ended_.wait());
    }
    co_return ok();
}

void MemoryStore::acknowledge_without_sync(bool on) {
    lie_ = on;
}

}  // namespace ipfscluster::storage
