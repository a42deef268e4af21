#include "tracker/work_queue.hpp"

namespace ipfscluster::tracker {

using storage::Batch;
using storage::Family;

namespace {
/// meta: BE64 done ‖ BE64 waiting.
constexpr std::string_view kCounters = "tracker/counters";
}  // namespace

WorkQueue::WorkQueue(storage::Store& store)
    : store_(store),
      views_{{{WorkLane::unpin, 0, UINT64_MAX, {}, {}},
              {WorkLane::pin, 0, UINT64_MAX, {}, {}},
              {WorkLane::later, 0, UINT64_MAX, {}, {}},
              {WorkLane::retry, 0, kAskedNumber, {}, {}},
              {WorkLane::retry, kAskedNumber + 1, UINT64_MAX, {}, {}},
              {WorkLane::retry, kAskedNumber + 1, UINT64_MAX, {}, {}},
              {WorkLane::retry, kAskedNumber + 1, UINT64_MAX, {}, {}}}} {}

Result<> WorkQueue::open() {
    for (auto& view : views_) {
        view.cursor = state::work_lane_key(view.lane, view.first);
        view.next = view.first;
    }
    ICL_TRY(const auto row, store_.get(Family::meta, kCounters));
    if (!row) return ok();
    if (row->size() != 16) return fail(Kind::corrupt, "tracker counters have a wrong size");
    done_ = static_cast<std::int64_t>(get_be64(*row));
    waiting_ = static_cast<std::int64_t>(get_be64(BytesView(*row).substr(8)));
    return ok();
}

void WorkQueue::rows_added() {
    for (const auto of : {WorkView::unpins, WorkView::pins}) {
        auto& view = views_[slot(of)];
        if (!view.next) view.next = view.first;
    }
}

Result<std::vector<WorkRow>> WorkQueue::take(WorkView of, std::uint64_t last,
                                             std::size_t rows_max) {
    std::vector<WorkRow> rows;
    auto& view = views_[slot(of)];
    if (rows_max == 0 || !view.next || *view.next > last) return rows;
    auto it = store_.iterate(Family::work, view.cursor, state::work_lane_end(view.lane));
    for (;;) {
        ICL_TRY(const auto more, it->next());
        if (!more) {
            view.next.reset();
            return rows;
        }
        ICL_TRY(auto row, state::parse_work_key(it->key()));
        if (row.number > view.last) {
            view.next.reset();
            return rows;
        }
        view.next = row.number;
        if (row.number > last || rows.size() == rows_max) return rows;
        view.cursor = Bytes(it->key()) + '\0';
        rows.push_back(std::move(row));
    }
}

bool WorkQueue::was_met(WorkView view, const WorkRow& row) const {
    return state::work_key(row) < views_[slot(view)].cursor;
}

void WorkQueue::add(Batch& batch, const WorkRow& row) {
    auto key = state::work_key(row);
    for (auto& view : views_) {
        if (view.lane != row.lane || row.number < view.first || row.number > view.last) continue;
        if (key < view.cursor) view.cursor = key;
        if (!view.next || row.number < *view.next) view.next = row.number;
    }
    batch.put(Family::work, std::move(key), {});
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
