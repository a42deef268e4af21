#pragma once
#include <optional>
#include <vector>

#include "blockstore/rows.hpp"

namespace ipfscluster::blockstore {

/// Entries a SpillStack keeps in memory; older ones wait in the store.
inline constexpr std::size_t kSpillStackMax = 32 * 1024;

/// A stack of CIDs with a depth that holds a bounded part of itself in memory. Its rows start with
/// `prefix` and are meaningless after a restart: `clear` first. One owner, one strand.
class SpillStack {
 public:
    struct Item {
        Cid cid;
        std::uint32_t depth = 0;
    };
    SpillStack(storage::Store& rows, Bytes prefix, std::size_t max = kSpillStackMax)
        : rows_(rows), prefix_(std::move(prefix)), max_(max) {}

    Result<> clear();
    Result<> push(Item item);
    Result<std::optional<Item>> pop();

 private:
    Bytes chunk_key(std::uint32_t chunk) const;

    storage::Store& rows_;
    Bytes prefix_;
    std::size_t max_;
    std::vector<Item> items_;
    std::uint32_t chunks_ = 0;
};

}  // namespace ipfscluster::blockstore
