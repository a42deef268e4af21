#include "state/kept_writer.hpp"

namespace ipfscluster::state {

using storage::Batch;
using storage::Family;

Result<> KeptWriter::open() {
    KeptRows rows(store_);
    ICL_TRY(const auto first, rows.next());
    any_ = first.has_value();
    return ok();
}

void KeptWriter::keep(Batch& batch, KeptCopy kept) {
    batch.put(Family::work, kept_key(kept.cid), encode(kept));
    any_ = true;
    ++added_;
    auto cid = kept.cid;
    pending_.insert_or_assign(std::move(cid), std::move(kept));
}

Result<bool> KeptWriter::end(Batch& batch, const Cid& cid) {
    ICL_TRY(const auto kept, find(cid));
    if (!kept) return false;
    batch.del(Family::work, kept_key(cid));
    pending_.insert_or_assign(cid, std::nullopt);
    return true;
}

Result<> KeptWriter::lower(Batch& batch, const Cid& cid, int depth) {
    ICL_TRY(auto kept, find(cid));
    if (!kept) return ok();
    depth = smaller_depth(kept->depth, depth);
    if (depth == kept->depth) return ok();
    kept->depth = depth;
    batch.put(Family::work, kept_key(cid), encode(*kept));
    pending_.insert_or_assign(cid, std::move(kept));
    return ok();
}

Result<std::optional<KeptCopy>> KeptWriter::find(const Cid& cid) {
    if (!any_) return std::optional<KeptCopy>{};
    if (const auto it = pending_.find(cid); it != pending_.end()) return it->second;
    return read_kept(store_, cid);
}

}  // namespace ipfscluster::state
