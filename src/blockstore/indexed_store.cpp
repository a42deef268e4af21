#include "blockstore/indexed_store.hpp"

#include <filesystem>

#include "base/log.hpp"

namespace ipfscluster::blockstore {

namespace {

namespace fs = std::filesystem;

Async<IndexedStore> open_both(World* world, storage::RocksOptions index,
                              SegmentStoreOptions segments) {
    IndexedStore store;
    ICL_CO_TRY(store.rows, storage::RocksStore::open(*world, std::move(index)));
    auto blocks = co_await SegmentStore::open(*world, *store.rows, std::move(segments));
    if (!blocks) {
        auto closed = co_await store.rows->close();
        (void)closed;  // the first failure is the one to report
        co_return fail(blocks.error());
    }
    store.blocks = std::move(blocks.value());
    co_return store;
}

}  // namespace

Async<IndexedStore> open_indexed(World& world, storage::RocksOptions index,
                                 SegmentStoreOptions segments) {
    // A slow disk for blocks must not keep the log of consensus waiting.
    index.sync_pool = Pool::bulk;
    auto first = co_await open_both(&world, index, segments);
    if (first || first.error().kind != Kind::corrupt) co_return first;
    const auto aside = index.folder + ".damaged";
    logger("blockstore")
        ->error(
            "the block index is damaged, it is built anew from the segments folder={} error=\"{}\"",
            index.folder, first.error().text);
    std::error_code ec;
    fs::remove_all(aside, ec);
    if (!ec) fs::rename(index.folder, aside, ec);
    if (ec) co_return fail(first.error());
    auto second = co_await open_both(&world, index, segments);
    if (!second) {
        fs::remove_all(index.folder, ec);
        fs::rename(aside, index.folder, ec);
        co_return fail(first.error());
    }
    fs::remove_all(aside, ec);
    co_return second;
}

}  // namespace ipfscluster::blockstore
