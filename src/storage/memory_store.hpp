#pragma once
#include <array>
#include <deque>
#include <map>
#include <set>

#include "runtime/signal.hpp"
#include "runtime/world.hpp"
#include "storage/group_commit.hpp"
#include "storage/store.hpp"

namespace ipfscluster::storage {

/// What a MemoryStore leaves behind when its peer goes: the simulated disk. Held by the test, used
/// by one MemoryStore at a time. Keeps as many versions of a key as frozen views need.
class MemoryDisk {
 public:
    std::optional<Bytes> get(Family family, BytesView key, std::uint64_t at) const;
    /// First live key ≥ `key` (> when `after`) and < `to` ("" = no bound) in the view `at`, with
    /// its value.
    std::optional<std::pair<Bytes, Bytes>> find(Family family, BytesView key, bool after,
                                                BytesView to, std::uint64_t at) const;
    void apply(const Batch& batch);
    /// All batches up to this number are durable.
    void mark_synced(std::uint64_t sequence);
    std::uint64_t sequence() const { return sequence_; }
    std::size_t unsynced_batches() const { return unsynced_.size(); }
    /// Undoes unsynced batches, newest first, until `keep` of them are left; those become durable.
    void lose_unsynced(std::size_t keep);
    /// From now on that many synced batches can be lost, too.
    void keep_synced(std::size_t count) { kept_ = count; }
    /// A disk that breaks its promise: undoes the newest `count` batches, synced or not, as far as
    /// they are kept. Nobody may use it meanwhile. Gives how many it were.
    std::size_t lose_synced(std::size_t count);

    void hold(std::uint64_t at) { held_.insert(at); }
    void release(std::uint64_t at);

 private:
    struct Version {
        std::uint64_t sequence;
        std::optional<Bytes> value;
    };
    using Versions = std::vector<Version>;
    using Table = std::map<Bytes, Versions, std::less<>>;
    struct Undo {
        Family family;
        Bytes key;
        std::optional<Bytes> before;
    };
    void set(Family family, const Bytes& key, std::optional<Bytes> value, std::vector<Undo>* undo);
    void prune(Family family, const Bytes& key);

    std::array<Table, kFamilyCount> tables_;
    std::uint64_t sequence_ = 0;
    std::multiset<std::uint64_t> held_;
    std::set<std::pair<Family, Bytes>>
        garbage_;  ///< keys with versions that only frozen views need
    using Batches = std::deque<std::pair<std::uint64_t, std::vector<Undo>>>;
    void undo_newest(Batches& batches);
    void now_synced(Batches::value_type batch);
    Batches unsynced_;
    Batches synced_;  ///< the newest `kept_` of them
    std::size_t kept_ = 0;
};

/// The in-memory twin of RocksStore, with faults that tests ask for. Owned by the test, outlives
/// its users.
class MemoryStore final : public Store {
 public:
    explicit MemoryStore(World& world,
                         std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>());
    ~MemoryStore() override;

    Result<std::optional<Bytes>> get(Family family, BytesView key,
                                     const SnapshotPtr& at = nullptr) override;
    Result<> write(Batch batch) override;
    Async<> write_synced(Batch batch) override;
    Async<> sync() override;
    Async<> room() override;
    SteadyTime synced_at() const override {
        return lie_ ? world_.steady_now() : commits_.synced_at();
    }
    std::unique_ptr<Iterator> iterate(Family family, Bytes from, Bytes to,
                                      const SnapshotPtr& at = nullptr) override;
    SnapshotPtr snapshot() override;
    Async<> close() override;

    /// The process dies now: this handle refuses everything, and the disk loses a suffix, drawn
    /// from the World's seed, of the batches that were not synced. A new MemoryStore on `disk()` is
    /// the restart.
    void crash();
    const std::shared_ptr<MemoryDisk>& disk() const { return disk_; }

    /// The `nth` write from now (1 = the next) fails and changes nothing; the store is poisoned
    /// then.
    void fail_write(std::uint64_t nth, Error error);
    /// The `nth` sync from now fails: whether its batches survive a crash is up to the seed.
    void fail_sync(std::uint64_t nth, Error error);
    /// The acknowledgement of the `nth` synced write from now comes this much later.
    void delay_write(std::uint64_t nth, Duration delay);
    /// No sync ends any more, until told otherwise: the disk does not answer.
    void hang(bool on);
    /// Breaks the promise of write_synced and sync on purpose: they return without a sync. For
    /// tests that show that the others would notice.
    void acknowledge_without_sync(bool on);
    std::uint64_t writes() const { return writes_; }
    std::uint64_t syncs() const { return faults_->syncs; }

 private:
    struct Faults {
        std::uint64_t syncs = 0;
        std::map<std::uint64_t, Error> fail_syncs;
    };
    struct Frozen;
    class Walk;
    Result<> usable() const;
    Result<> apply(Batch& batch);
    Async<> wait_while_hanging();

    World& world_;
    std::shared_ptr<MemoryDisk> disk_;
    std::shared_ptr<bool>
        alive_;  ///< shared with running syncs, which must not touch the disk after a crash
    std::shared_ptr<Faults> faults_;
    GroupCommit commits_;
    std::uint64_t writes_ = 0;
    std::uint64_t synced_writes_ = 0;
    bool lie_ = false;
    bool hangs_ = false;
    Signal hang_ended_;
    std::map<std::uint64_t, Error> fail_writes_;
    std::map<std::uint64_t, Duration> delay_writes_;
};

}  // namespace ipfscluster::storage
