#pragma once
#include <memory>
#include <string>

#include "runtime/world.hpp"
#include "storage/group_commit.hpp"
#include "storage/store.hpp"

namespace rocksdb {
class Env;
}

namespace ipfscluster::storage {

/// Limits of one peer's database; the defaults keep a million pins in about 40 MB of
/// memory.
struct RocksOptions {
    std::string folder;
    std::size_t write_buffers_bytes = 24U << 20;  ///< over all families
    std::size_t cache_bytes = 16U << 20;          ///< index and filter blocks included
    std::size_t wal_bytes_max = 16U << 20;        ///< bounds the replay at start
    int open_files_max = 256;
    /// Reserve disk space for the log ahead of its writes (up to wal_bytes_max). Off where the
    /// space a folder takes must show what it holds.
    bool preallocate = true;
    /// Which of the World's threads syncs and flushes. The log of consensus has one to itself.
    Pool sync_pool = Pool::log_sync;
    /// Tests put a file system with faults here; must outlive the store. Null: the real one.
    rocksdb::Env* env = nullptr;
};

/// The database of one peer: one RocksDB, a column family per Family, one write-ahead log. Writes
/// go to the log without a sync on the strand, at a change of logs too; syncs run on the World's
/// thread for them, shared by overlapping callers. RocksDB's own limits, at which a write sleeps,
/// lie beyond those at which `room` makes bulk writers wait. Owned by main; call `close` and await
/// it before destroying it, so that a restart has no log to replay.
class RocksStore final : public Store {
 public:
    /// Opens or creates the database. Blocks: called before the strand serves. `unsupported` when
    /// it has families this build does not know, `disk_full`, `corrupt`, or `unavailable` when
    /// another process has it open.
    static Result<std::unique_ptr<RocksStore>> open(World& world, RocksOptions options);
    ~RocksStore() override;

    Result<std::optional<Bytes>> get(Family family, BytesView key,
                                     const SnapshotPtr& at = nullptr) override;
    Result<> write(Batch batch) override;
    Async<> write_synced(Batch batch) override;
    Async<> sync() override;
    Async<> room() override;
    SteadyTime synced_at() const override { return commits_.synced_at(); }
    std::unique_ptr<Iterator> iterate(Family family, Bytes from, Bytes to,
                                      const SnapshotPtr& at = nullptr) override;
    SnapshotPtr snapshot() override;
    Async<> close() override;

    /// Bytes of all files of the database, for metrics and disk checks.
    std::uint64_t disk_bytes() const;
    /// Writes that had to wait on the strand for the disk, because memory was full.
    std::uint64_t stalled_writes() const { return stalled_writes_; }

 private:
    struct Database;
    struct Frozen;
    class Walk;
    RocksStore(World& world, std::shared_ptr<Database> db, Pool sync_pool);
    Result<> usable() const;
    Result<> apply(const Batch& batch);
    bool pressed() const;

    World& world_;
    std::shared_ptr<Database> db_;  ///< shared with running syncs, views and iterators
    Pool sync_pool_;
    GroupCommit commits_;
    bool closed_ = false;
    std::uint64_t stalled_writes_ = 0;
};

}  // namespace ipfscluster::storage
