#include "tracker/work_queue.hpp"

namespace ipfscluster::tracker {

using storage::Batch;
using storage::Family;

namespace {
/// meta: BE64 done ‖ BE64 waiting.
constexpr std::string_view kCounters = "tracker/counters";
}  // namespace

Result<> WorkQueue::open() {
    for (const auto lane : {WorkLane::unpin, WorkLane::pin, WorkLane::retry, WorkLane::later}) {
        cursor(lane) = state::work_lane_key(lane, 0);
        next_[slot(lane)] = 0;
    }
    ICL_TRY(const auto row, store_.get(Family::meta, kCounters));
    if (!row) return ok();
    if (row->size() != 16) return fail(Kind::corrupt, "tracker counters have a wrong size");
    done_ = static_cast<std::int64_t>(get_be64(*row));
    waiting_ = static_cast<std::int64_t>(get_be64(BytesView(*row).substr(8)));
    return ok();
}

void WorkQueue::rows_added() {
    for (const auto lane : {WorkLane::unpin, WorkLane::pin})
        if (!next_[slot(lane)]) next_[slot(lane)] = 0;
}

Result<std::vector<WorkRow>> WorkQueue::take(WorkLane lane, std::uint64_t last,
                                             std::size_t rows_max) {
    std::vector<WorkRow> rows;
    auto& next = next_[slot(lane)];
    if (rows_max == 0 || !next || *next > last) return rows;
    auto it = store_.iterate(Family::work, cursor(lane), state::work_lane_end(lane));
    for (;;) {
        ICL_TRY(const auto more, it->next());
        if (!more) {
            next.reset();
            return rows;
        }
        ICL_TRY(auto row, state::parse_work_key(it->key()));
        next = row.number;
        if (row.number > last || rows.size() == rows_max) return rows;
        cursor(lane) = Bytes(it->key()) + '\0';
        rows.push_back(std::move(row));
    }
}

void WorkQueue::add(Batch& batch, const WorkRow& row) {
    auto key = state::work_key(row);
    if (key < cursor(row.lane)) cursor(row.lane) = key;
    batch.put(Family::work, std::move(key), {});
    auto& next = next_[slot(row.lane)];
    if (!next || row.number < *next) next = row.number;
    --done_;
    if (row.lane == WorkLane::retry) ++waiting_;
}

void WorkQueue::remove(Batch& batch, const WorkRow& row) {
    batch.del(Family::work, state::work_key(row));
    ++done_;
    if (row.lane == WorkLane::retry) --waiting_;
}

Result<> WorkQueue::write(Batch batch) {
    Bytes counters;
    put_be64(counters, static_cast<std::uint64_t>(done_));
    put_be64(counters, static_cast<std::uint64_t>(waiting_));
    batch.put(Family::meta, Bytes(kCounters), std::move(counters));
    return store_.write(std::move(batch));
}

std::uint64_t WorkQueue::size(std::uint64_t added) const {
    const auto rows = static_cast<std::int64_t>(added) - done_ - waiting_;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, rows));
}

}  // namespace ipfscluster::tracker
