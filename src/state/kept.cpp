#include "state/kept.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "state/work.hpp"

namespace ipfscluster::state {

using storage::Family;

namespace {
constexpr char kVersion = 1;
constexpr std::size_t kValueBytes = 1 + 4 + 8 + 8;

/// A row that cannot be read any more still says that there is a copy: all of it is kept.
Result<KeptCopy> read_row(const Cid& cid, BytesView value) {
    auto kept = decode_kept(cid, value);
    if (kept || kept.error().kind != Kind::corrupt) return kept;
    logger("state")->error("the whole copy is kept cid={} error=\"{}\"", cid.to_string(),
                           kept.error().text);
    KeptCopy whole;
    whole.cid = cid;
    return whole;
}
}  // namespace

int smaller_depth(int a, int b) {
    if (a < 0) return b;
    return b < 0 ? a : std::min(a, b);
}

Bytes kept_key(const Cid& cid) {
    return work_key({WorkLane::kept, 0, cid});
}

Bytes encode(const KeptCopy& kept) {
    Bytes out{kVersion};
    put_be32(out, static_cast<std::uint32_t>(kept.depth));
    put_be64(out, kept.modification_index);
    put_be64(out, static_cast<std::uint64_t>(kept.since.time_since_epoch().count()));
    return out;
}

Result<KeptCopy> decode_kept(const Cid& cid, BytesView value) {
    if (value.empty()) return fail(Kind::corrupt, "row of a kept copy without a value");
    if (value[0] != kVersion)
        return fail(Kind::unsupported, "row of a kept copy made by a newer version");
    if (value.size() != kValueBytes)
        return fail(Kind::corrupt, "row of a kept copy has a wrong size");
    KeptCopy kept;
    kept.cid = cid;
    kept.depth = static_cast<int>(get_be32(value.substr(1)));
    kept.modification_index = get_be64(value.substr(5));
    kept.since = Time(Duration(static_cast<std::int64_t>(get_be64(value.substr(13)))));
    return kept;
}

Result<std::optional<KeptCopy>> read_kept(storage::Store& store, const Cid& cid) {
    ICL_TRY(const auto row, store.get(Family::work, kept_key(cid)));
    if (!row) return std::optional<KeptCopy>{};
    ICL_TRY(auto kept, read_row(cid, *row));
    return std::optional<KeptCopy>(std::move(kept));
}

KeptRows::KeptRows(storage::Store& store, const Cid& after) {
    // The least key greater than the CID's own.
    auto from = after.defined() ? kept_key(after) + '\0' : work_lane_key(WorkLane::kept, 0);
    rows_ = store.iterate(Family::work, std::move(from), work_lane_end(WorkLane::kept));
}

Result<std::optional<KeptCopy>> KeptRows::next() {
    ICL_TRY(const auto more, rows_->next());
    if (!more) return std::optional<KeptCopy>{};
    ICL_TRY(const auto row, parse_work_key(rows_->key()));
    ICL_TRY(auto kept, read_row(row.cid, rows_->value()));
    return std::optional<KeptCopy>(std::move(kept));
}

}  // namespace ipfscluster::state
