#include "blockstore/lease_table.hpp"

#include <algorithm>
#include <limits>

#include "base/log.hpp"

namespace ipfscluster::blockstore {
namespace {

// start be64 ‖ expiry in nanoseconds since 1970 be64 ‖ root multihash.
constexpr std::size_t kLeaseBytesMin = 16;

Bytes lease_key(LeaseId id) {
    Bytes key(1, kLeaseRows);
    put_be64(key, id);
    return key;
}

}  // namespace

Result<> LeaseTable::open() {
    auto it =
        rows_.iterate(kFamily, Bytes(1, kLeaseRows), Bytes(1, static_cast<char>(kLeaseRows + 1)));
    while (true) {
        ICL_TRY(const bool more, it->next());
        if (!more) break;
        const auto key = it->key(), value = it->value();
        if (key.size() != 9 || value.size() < kLeaseBytesMin)
            return fail(Kind::corrupt, "block lease row of a wrong length");
        const auto id = get_be64(key.substr(1));
        const auto nanoseconds = static_cast<std::int64_t>(get_be64(value.substr(8)));
        leases_[id] = {get_be64(value), Time(std::chrono::nanoseconds(nanoseconds)),
                       Bytes(value.substr(kLeaseBytesMin)), true};
        next_id_ = std::max(next_id_, id + 1);
    }
    return ok();
}

void LeaseTable::write_row(storage::Batch& batch, LeaseId id, const Lease& lease) const {
    Bytes value;
    put_be64(value, lease.start);
    put_be64(value, static_cast<std::uint64_t>(lease.expires.time_since_epoch().count()));
    value += lease.root;
    batch.put(kFamily, lease_key(id), std::move(value));
}

Result<LeaseId> LeaseTable::take(std::uint64_t start, Duration span) {
    drop_expired();
    while (leases_.size() >= kLeasesMax) {
        ICL_TRY(const bool merged, merge_kept());
        if (!merged)
            return fail(Kind::retryable, "too many adds and imports are under way (" +
                                             std::to_string(kLeasesMax) + ")");
    }
    const auto id = next_id_;
    const Lease lease{start, world_.system_now() + span, {}, false};
    storage::Batch batch;
    write_row(batch, id, lease);
    ICL_TRY(rows_.write(std::move(batch)));
    ++next_id_;
    leases_.emplace(id, lease);
    return id;
}

Result<> LeaseTable::renew(LeaseId id, Duration span) {
    auto it = leases_.find(id);
    if (it == leases_.end()) return fail(Kind::not_found, "the lease on the blocks has expired");
    it->second.expires = world_.system_now() + span;
    storage::Batch batch;
    write_row(batch, id, it->second);
    return rows_.write(std::move(batch));
}

Async<> LeaseTable::keep(LeaseId id, Duration span, Bytes root) {
    auto it = leases_.find(id);
    if (it == leases_.end()) co_return fail(Kind::not_found, "the lease on the blocks has expired");
    it->second.expires = world_.system_now() + span;
    it->second.root = std::move(root);
    it->second.kept = true;
    storage::Batch batch;
    write_row(batch, id, it->second);
    co_return co_await rows_.write_synced(std::move(batch));
}

Result<> LeaseTable::release(LeaseId id) {
    if (leases_.erase(id) == 0) return ok();
    storage::Batch batch;
    batch.del(kFamily, lease_key(id));
    return rows_.write(std::move(batch));
}

Result<> LeaseTable::release_kept(BytesView root) {
    std::vector<LeaseId> ended;
    for (const auto& [id, lease] : leases_)
        if (!lease.root.empty() && lease.root == root) ended.push_back(id);
    for (const auto id : ended) {
        ICL_TRY(release(id));
    }
    return ok();
}

Result<bool> LeaseTable::merge_kept() {
    std::vector<std::map<LeaseId, Lease>::const_iterator> kept;
    for (auto it = leases_.cbegin(); it != leases_.cend(); ++it)
        if (it->second.kept) kept.push_back(it);
    if (kept.size() < 2) return false;
    std::sort(kept.begin(), kept.end(),
              [](auto a, auto b) { return a->second.start < b->second.start; });
    // What lies between two leases is protected longer by what separates their ends. So many kept
    // ones within an hour or so have neighbours that end within seconds.
    const auto gap = [&kept](std::size_t i) {
        const auto first = kept[i]->second.expires, second = kept[i + 1]->second.expires;
        return first < second ? second - first : first - second;
    };
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < kept.size(); ++i)
        if (gap(i) < gap(best)) best = i;
    const auto first = kept[best], second = kept[best + 1];
    Lease both = first->second;
    both.expires = std::max(both.expires, second->second.expires);
    // With two roots, the pin of one must not end what protects the other.
    if (both.root != second->second.root) both.root.clear();
    // A number of its own: whoever still knows one of the old ones cannot end it.
    const auto id = next_id_;
    storage::Batch batch;
    batch.del(kFamily, lease_key(first->first));
    batch.del(kFamily, lease_key(second->first));
    write_row(batch, id, both);
    ICL_TRY(rows_.write(std::move(batch)));
    ++next_id_;
    leases_.erase(first);
    leases_.erase(second);
    leases_.emplace(id, std::move(both));
    return true;
}

void LeaseTable::drop_expired() {
    const auto now = world_.system_now();
    std::vector<LeaseId> ended;
    for (const auto& [id, lease] : leases_)
        if (lease.expires <= now) ended.push_back(id);
    for (const auto id : ended) {
        auto released = release(id);
        if (!released)
            logger("blockstore")
                ->warn("cannot remove an expired lease error=\"{}\"", released.error().text);
    }
}

std::uint64_t LeaseTable::protected_from() {
    drop_expired();
    std::uint64_t from = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [id, lease] : leases_) from = std::min(from, lease.start);
    return from;
}

}  // namespace ipfscluster::blockstore
