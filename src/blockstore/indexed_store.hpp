#pragma once
#include "blockstore/segment_store.hpp"
#include "storage/rocks_store.hpp"

namespace ipfscluster::blockstore {

/// A SegmentStore and the database its index lies in. Close the store first, then the rows.
struct IndexedStore {
    std::unique_ptr<storage::RocksStore> rows;
    std::unique_ptr<SegmentStore> blocks;
};

/// Opens both. An index that is damaged is said so, put aside, built anew from the segments and
/// then removed (`rebuilt()` is true then); it is put back when that does not help, as when the
/// segments are what is damaged. Blocks for the time the database takes to open: before the strand
/// serves.
Async<IndexedStore> open_indexed(World& world, storage::RocksOptions index,
                                 SegmentStoreOptions segments);

}  // namespace ipfscluster::blockstore
