#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "runtime/async.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::storage {

/// The column families of a peer's database (docs/formats.md). The numbers are not stored; the
/// names are.
enum class Family : std::uint8_t {
    meta,
    pins,
    pin_index,
    work,
    tracker,
    sessions,
    raft_log,
    raft_meta,
    blocks
};
inline constexpr std::size_t kFamilyCount = 9;
std::string_view family_name(Family family);

/// A list of changes that is applied as a whole, across families. A plain value.
class Batch {
 public:
    void put(Family family, Bytes key, Bytes value);
    void del(Family family, Bytes key);
    /// Removes every key in [from, to); an empty `to` means to the end of the family.
    void del_range(Family family, Bytes from, Bytes to);

    struct Change {
        enum class Kind : std::uint8_t { put, del, del_range } kind;
        Family family;
        Bytes key;
        Bytes value;  ///< value of a put, end of a range
    };
    const std::vector<Change>& changes() const { return changes_; }
    bool empty() const { return changes_.empty(); }
    std::size_t size_bytes() const { return size_bytes_; }
    void clear();
    /// Appends all changes of `other` after ours.
    void append(Batch other);

 private:
    std::vector<Change> changes_;
    std::size_t size_bytes_ = 0;
};

/// A frozen view. Holding one keeps old data on disk: short lived, or with a lease.
class Snapshot {
 public:
    virtual ~Snapshot() = default;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// Walks keys in byte order inside its bounds. Positioned before the first key when made; holds its
/// own frozen view. `key`/`value` are valid until the next move. One strand.
class Iterator {
 public:
    virtual ~Iterator() = default;
    /// Moves to the next (at first: the first) key; false at the end, an error when the data is
    /// damaged.
    virtual Result<bool> next() = 0;
    /// Moves so that the following next() gives the first key ≥ `key`.
    virtual void seek(BytesView key) = 0;
    virtual BytesView key() const = 0;
    virtual BytesView value() const = 0;
};

/// Ordered key-value store with atomic batches over all families. Twins: RocksStore and MemoryStore
/// (which can lose unsynced writes). Owned by main or the test; outlives its users. One strand.
class Store {
 public:
    virtual ~Store() = default;
    virtual Result<std::optional<Bytes>> get(Family family, BytesView key,
                                             const SnapshotPtr& at = nullptr) = 0;
    /// Applies the batch; visible at once, durable only after a later sync (a crash loses a suffix
    /// of writes, never a part of one batch nor an earlier one without the later ones).
    virtual Result<> write(Batch batch) = 0;
    /// Applies the batch and returns once it is on the disk. The sync runs away from the strand;
    /// calls that overlap share one (group commit). The batch is visible from the call on. After an
    /// error the store refuses everything: what reached the disk is unknown.
    virtual Async<> write_synced(Batch batch) = 0;
    /// Makes every earlier write durable.
    virtual Async<> sync() = 0;
    /// For those who write as much as they can, before each piece: returns once the store takes it
    /// without making others wait for the disk. Who writes because somebody waits does not ask.
    virtual Async<> room() = 0;
    /// When the disk last ended a sync; when the store was opened, while it has ended none. A call
    /// of `sync` that finds everything durable asks no disk.
    virtual SteadyTime synced_at() const = 0;
    /// Keys in [from, to); an empty `to` means to the end of the family.
    virtual std::unique_ptr<Iterator> iterate(Family family, Bytes from, Bytes to,
                                              const SnapshotPtr& at = nullptr) = 0;
    virtual SnapshotPtr snapshot() = 0;
    /// Flushes and closes; nothing may be called afterwards.
    virtual Async<> close() = 0;
};

}  // namespace ipfscluster::storage
