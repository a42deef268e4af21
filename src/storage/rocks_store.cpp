#include "storage/rocks_store.hpp"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdlib>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "storage/rocks_log.hpp"
#include "storage/wal_order.hpp"

namespace ipfscluster::storage {

namespace {

/// Greater than every key we write: no key is this long.
constexpr std::size_t kEndKeyBytes = 512;

rocksdb::Slice slice(BytesView bytes) {
    return {bytes.data(), bytes.size()};
}
BytesView view(const rocksdb::Slice& s) {
    return {s.data(), s.size()};
}

Error to_error(const rocksdb::Status& status, std::string_view what) {
    Kind kind = Kind::internal;
    if (status.IsNoSpace() || status.subcode() == rocksdb::Status::SubCode::kNoSpace)
        kind = Kind::disk_full;
    else if (status.IsCorruption())
        kind = Kind::corrupt;
    else if (status.IsIOError() && status.ToString().find("lock") != std::string::npos)
        kind = Kind::unavailable;
    return {kind, fmt::format("database: {}: {}", what, status.ToString())};
}

/// LZ4 where the library has it: half the bytes of pins for little time.
rocksdb::CompressionType compression() {
    const auto all = rocksdb::GetSupportedCompressions();
    const bool lz4 = std::find(all.begin(), all.end(), rocksdb::kLZ4Compression) != all.end();
    return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

rocksdb::DBOptions database_options(const RocksOptions& o) {
    rocksdb::DBOptions db;
    db.create_if_missing = true;
    db.create_missing_column_families = true;
    db.db_write_buffer_size = o.write_buffers_bytes;
    db.max_open_files = o.open_files_max;
    db.max_total_wal_size = o.wal_bytes_max;
    db.max_background_jobs = 2;
    // Whoever lets the last view of old files go is the strand; it removes none of them itself.
    db.avoid_unnecessary_blocking_io = true;
    db.allow_fallocate = o.preallocate;
    // A crash loses a suffix of the writes, never one in the middle.
    db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    db.max_manifest_file_size = 4U << 20;
    db.info_log = make_rocks_log();
    db.stats_dump_period_sec = 0;
    db.stats_persist_period_sec = 0;
    db.skip_stats_update_on_db_open = true;
    db.skip_checking_sst_file_sizes_on_db_open = true;
    return db;
}

/// Where bulk writers begin to wait: one buffer of a family is being flushed and another is full,
/// or compaction is far behind.
constexpr std::uint64_t kFullBuffersRoom = 2;
constexpr std::uint64_t kLevel0FilesRoom = 20;
/// Where RocksDB makes any writer sleep, on the strand. Those who write for consensus are bound by
/// their syncs, which go to the same disk as the flushes, so they do not come this far.
constexpr int kWriteBuffersMax = 8;
constexpr int kLevel0FilesSlow = 60;
constexpr int kLevel0FilesMax = 100;
/// A waiting bulk writer looks again after this time.
constexpr std::chrono::milliseconds kRoomPause{20};

/// Share of a write buffer that is a filter of its keys: about 16 bits for each pin that fits in.
constexpr double kKeyFilterShare = 0.005;

/// Families that are mostly asked for keys they do not have: each new pin looks for its older self
/// when it is planned and when it is applied, and the tracker for a record.
bool asked_for_absent_keys(std::string_view family) {
    return family == family_name(Family::pins) || family == family_name(Family::tracker);
}

rocksdb::ColumnFamilyOptions family_options(const RocksOptions& o,
                                            const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::string_view name) {
    rocksdb::ColumnFamilyOptions family;
    family.write_buffer_size = o.write_buffers_bytes;  // the sum over all families is what bounds
    family.max_write_buffer_number = kWriteBuffersMax;
    family.level0_slowdown_writes_trigger = kLevel0FilesSlow;
    family.level0_stop_writes_trigger = kLevel0FilesMax;
    family.arena_block_size = 64U << 10;  // nine families start with one block each
    family.level_compaction_dynamic_level_bytes = true;
    family.compression = compression();
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = false;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.format_version = 5;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    if (asked_for_absent_keys(name)) {
        family.memtable_prefix_bloom_size_ratio = kKeyFilterShare;
        family.memtable_whole_key_filtering = true;
    }
    return family;
}

Result<> refuse_unknown_families(const rocksdb::DBOptions& options, const std::string& folder) {
    std::vector<std::string> names;
    // Fails where there is no database yet; open tells about every other trouble.
    if (!rocksdb::DB::ListColumnFamilies(options, folder, &names).ok()) return ok();
    for (const auto& name : names) {
        bool known = name == rocksdb::kDefaultColumnFamilyName;
        for (std::size_t i = 0; i < kFamilyCount; ++i)
            known = known || name == family_name(static_cast<Family>(i));
        if (!known)
            return fail(Kind::unsupported,
                        fmt::format("database {}: column family \"{}\" was made by a newer version",
                                    folder, name));
    }
    return ok();
}

}  // namespace

struct RocksStore::Database {
    Database(std::unique_ptr<rocksdb::Env> e, std::shared_ptr<OrderedFs> o, rocksdb::DB* d)
        : env(std::move(e)), order(std::move(o)), db(d) {}
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() {
        for (auto* handle : owned) db->DestroyColumnFamilyHandle(handle);
    }
    rocksdb::ColumnFamilyHandle* handle(Family family) const {
        return families[static_cast<std::size_t>(family)];
    }
    std::unique_ptr<rocksdb::Env> env;  // outlives the database on it
    std::shared_ptr<OrderedFs> order;
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> owned;
    std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> families{};
};

struct RocksStore::Frozen final : Snapshot {
    explicit Frozen(std::shared_ptr<Database> d)
        : db(std::move(d)), snapshot(db->db->GetSnapshot()) {}
    ~Frozen() override { db->db->ReleaseSnapshot(snapshot); }
    std::shared_ptr<Database> db;
    const rocksdb::Snapshot* snapshot;
};

class RocksStore::Walk final : public Iterator {
 public:
    Walk(std::shared_ptr<Database> db, Family family, Bytes from, Bytes to, SnapshotPtr at)
        : db_(std::move(db)),
          at_(std::move(at)),
          from_(std::move(from)),
          to_(std::move(to)),
          upper_(slice(to_)),
          start_(from_) {
        rocksdb::ReadOptions read;
        if (at_) read.snapshot = static_cast<const Frozen&>(*at_).snapshot;
        if (!to_.empty()) read.iterate_upper_bound = &upper_;
        read.fill_cache = false;  // a long list must not push out what single reads need
        it_.reset(db_->db->NewIterator(read, db_->handle(family)));
    }
    Result<bool> next() override {
        if (placed_)
            it_->Next();
        else
            it_->Seek(slice(start_));
        placed_ = true;
        if (it_->Valid()) return true;
        if (!it_->status().ok()) return fail(to_error(it_->status(), "reading"));
        placed_ = false;  // stays at the end when asked again
        start_ = to_.empty() ? Bytes(kEndKeyBytes, '\xff') : to_;
        return false;
    }
    void seek(BytesView key) override {
        start_ = Bytes(std::max(key, BytesView(from_)));
        placed_ = false;
    }
    BytesView key() const override { return view(it_->key()); }
    BytesView value() const override { return view(it_->value()); }

 private:
    std::shared_ptr<Database> db_;
    SnapshotPtr at_;
    Bytes from_, to_;
    rocksdb::Slice upper_;
    Bytes start_;
    std::unique_ptr<rocksdb::Iterator> it_;  // after what it refers to
    bool placed_ = false;
};

Result<std::unique_ptr<RocksStore>> RocksStore::open(World& world, RocksOptions options) {
    auto* base = options.env ? options.env : rocksdb::Env::Default();
    auto order = order_wal_files(base->GetFileSystem());
    auto env = rocksdb::NewCompositeEnv(order);
    auto db_options = database_options(options);
    db_options.env = env.get();
    // It makes the folder by itself, but calls it an error first that there is none.
    env->CreateDirIfMissing(options.folder).PermitUncheckedError();
    ICL_TRY(refuse_unknown_families(db_options, options.folder));
    // One shard: by default so small a cache has shards of half a megabyte, and the filter of a
    // full table, which is larger, would be read anew for each key.
    const auto cache = rocksdb::NewLRUCache(options.cache_bytes, 0);
    std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
    auto want = [&](const std::string& name) {
        wanted.emplace_back(name, family_options(options, cache, name));
    };
    want(rocksdb::kDefaultColumnFamilyName);
    for (std::size_t i = 0; i < kFamilyCount; ++i)
        want(std::string(family_name(static_cast<Family>(i))));
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const auto status = rocksdb::DB::Open(db_options, options.folder, wanted, &handles, &raw);
    if (!status.ok()) return fail(to_error(status, "opening " + options.folder));
    auto db = std::make_shared<Database>(std::move(env), std::move(order), raw);
    db->owned = handles;
    std::copy(handles.begin() + 1, handles.end(), db->families.begin());
    return std::unique_ptr<RocksStore>(new RocksStore(world, std::move(db), options.sync_pool));
}

RocksStore::RocksStore(World& world, std::shared_ptr<Database> db, Pool sync_pool)
    : world_(world),
      db_(std::move(db)),
      sync_pool_(sync_pool),
      commits_(world, {.sync = [base = db_]() -> Result<> {
                           const auto status = base->db->SyncWAL();
                           if (!status.ok()) return fail(to_error(status, "syncing"));
                           return ok();
                       },
                       .synced = nullptr,
                       .pool = sync_pool}) {}

RocksStore::~RocksStore() = default;

Result<> RocksStore::usable() const {
    if (closed_) return fail(Kind::shutting_down, "the database is closed");
    if (const auto failed = commits_.failure()) return fail(*failed);
    return ok();
}

Result<std::optional<Bytes>> RocksStore::get(Family family, BytesView key, const SnapshotPtr& at) {
    if (closed_) return fail(Kind::shutting_down, "the database is closed");
    rocksdb::ReadOptions read;
    if (at) read.snapshot = static_cast<const Frozen&>(*at).snapshot;
    rocksdb::PinnableSlice value;
    const auto status = db_->db->Get(read, db_->handle(family), slice(key), &value);
    if (status.IsNotFound()) return std::optional<Bytes>{};
    if (!status.ok()) return fail(to_error(status, "reading"));
    return std::optional<Bytes>(std::in_place, value.data(), value.size());
}

Result<> RocksStore::apply(const Batch& batch) {
    ICL_TRY(usable());
    rocksdb::WriteBatch out(batch.size_bytes() + 64);
    for (const auto& change : batch.changes()) {
        auto* family = db_->handle(change.family);
        using Change = Batch::Change::Kind;
        rocksdb::Status added;
        if (change.kind == Change::put)
            added = out.Put(family, slice(change.key), slice(change.value));
        else if (change.kind == Change::del)
            added = out.Delete(family, slice(change.key));
        else
            added = out.DeleteRange(
                family, slice(change.key),
                slice(change.value.empty() ? Bytes(kEndKeyBytes, '\xff') : change.value));
        if (!added.ok()) return fail(to_error(added, "batch"));
    }
    rocksdb::WriteOptions at_once;
    at_once.no_slowdown = true;
    auto status = db_->db->Write(at_once, &out);
    if (status.IsIncomplete()) {
        // Better late than lost; nothing of it was written.
        if (stalled_writes_++ == 0)
            logger("storage")->warn("the disk is too slow: a write waits for it");
        status = db_->db->Write(rocksdb::WriteOptions(), &out);
    }
    if (!status.ok()) {
        auto error = to_error(status, "writing");
        commits_.poison(error);
        return fail(std::move(error));
    }
    commits_.wrote();
    if (db_->order->holding()) commits_.begin();
    return ok();
}

bool RocksStore::pressed() const {
    if (db_->order->holding()) return true;
    for (auto* family : db_->families) {
        std::uint64_t full = 0;
        db_->db->GetIntProperty(family, rocksdb::DB::Properties::kNumImmutableMemTable, &full);
        if (full >= kFullBuffersRoom) return true;
        std::string files;
        db_->db->GetProperty(family, rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0", &files);
        if (std::strtoull(files.c_str(), nullptr, 10) >= kLevel0FilesRoom) return true;
    }
    return false;
}

Result<> RocksStore::write(Batch batch) {
    return apply(batch);
}

Async<> RocksStore::write_synced(Batch batch) {
    auto written = apply(batch);
    if (!written) co_return fail(written.error());
    auto done = co_await commits_.wait(commits_.last_ticket());
    co_return done;
}

Async<> RocksStore::sync() {
    auto can = usable();
    if (!can) co_return fail(can.error());
    auto done = co_await commits_.wait(commits_.last_ticket());
    co_return done;
}

Async<> RocksStore::room() {
    while (true) {
        ICL_CO_TRY(usable());
        if (!pressed()) co_return ok();
        ICL_CO_TRY(co_await world_.sleep_for(kRoomPause));
    }
}

std::unique_ptr<Iterator> RocksStore::iterate(Family family, Bytes from, Bytes to,
                                              const SnapshotPtr& at) {
    ICL_ASSERT(!closed_, "the database is closed");
    return std::make_unique<Walk>(db_, family, std::move(from), std::move(to), at);
}

SnapshotPtr RocksStore::snapshot() {
    ICL_ASSERT(!closed_, "the database is closed");
    return std::make_shared<Frozen>(db_);
}

Async<> RocksStore::close() {
    if (closed_) co_return ok();
    const auto failed = commits_.failure();
    closed_ = true;
    auto drained = co_await commits_.drain();
    if (!drained) co_return fail(drained.error());
    auto flush = [base = db_]() -> Result<> {
        const auto status = base->db->Flush(rocksdb::FlushOptions(),
                                            {base->families.begin(), base->families.end()});
        if (!status.ok()) return fail(to_error(status, "flushing"));
        return ok();
    };
    auto flushed = co_await offload(world_, sync_pool_, std::move(flush));
    if (failed) co_return fail(*failed);
    co_return flushed;
}

std::uint64_t RocksStore::disk_bytes() const {
    std::uint64_t total = 0;
    for (auto* family : db_->families) {
        std::uint64_t bytes = 0;
        if (db_->db->GetIntProperty(family, rocksdb::DB::Properties::kTotalSstFilesSize, &bytes))
            total += bytes;
    }
    return total;
}

}  // namespace ipfscluster::storage
