#include "blockstore/spill_stack.hpp"

namespace ipfscluster::blockstore {

Bytes SpillStack::chunk_key(std::uint32_t chunk) const {
    Bytes key = prefix_;
    put_be32(key, chunk);
    return key;
}

Result<> SpillStack::clear() {
    items_.clear();
    chunks_ = 0;
    storage::Batch batch;
    batch.del_range(kFamily, prefix_, prefix_end(prefix_));
    return rows_.write(std::move(batch));
}

Result<> SpillStack::push(Item item) {
    items_.push_back(std::move(item));
    if (items_.size() <= max_) return ok();
    // The older half goes, so that the walk keeps working at the top from memory.
    const auto half = items_.size() / 2;
    Bytes chunk;
    for (std::size_t i = 0; i < half; ++i) {
        put_be32(chunk, items_[i].depth);
        put_be32(chunk, static_cast<std::uint32_t>(items_[i].cid.bytes().size()));
        chunk += items_[i].cid.bytes();
    }
    storage::Batch batch;
    batch.put(kFamily, chunk_key(chunks_), std::move(chunk));
    ICL_TRY(rows_.write(std::move(batch)));
    ++chunks_;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(half));
    return ok();
}

Result<std::optional<SpillStack::Item>> SpillStack::pop() {
    if (items_.empty() && chunks_ > 0) {
        const auto key = chunk_key(chunks_ - 1);
        ICL_TRY(const auto chunk, rows_.get(kFamily, key));
        if (!chunk) return fail(Kind::corrupt, "a part of a walk's stack is missing");
        BytesView rest = *chunk;
        while (rest.size() >= 8) {
            const auto depth = get_be32(rest);
            const auto bytes = get_be32(rest.substr(4));
            ICL_TRY(auto cid, Cid::from_bytes(rest.substr(8, bytes)));
            items_.push_back({std::move(cid), depth});
            rest.remove_prefix(std::min<std::size_t>(rest.size(), 8 + bytes));
        }
        storage::Batch batch;
        batch.del(kFamily, key);
        ICL_TRY(rows_.write(std::move(batch)));
        --chunks_;
    }
    if (items_.empty()) return std::optional<Item>{};
    std::optional<Item> top(std::move(items_.back()));
    items_.pop_back();
    return top;
}

}  // namespace ipfscluster::blockstore
