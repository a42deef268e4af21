#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/pin_operation.hpp"
#include "runtime/source.hpp"
#include "state/feature_level.hpp"
#include "state/holding.hpp"
#include "storage/store.hpp"

namespace ipfscluster::state {

/// The version of a database's layout. Version 1 had no kept copies; it is opened and becomes this
/// one. A newer one is refused.
inline constexpr std::uint32_t kFormatVersion = 2;
/// Origins whose sessions are remembered; beyond it the one not used for the longest time is
/// forgotten.
inline constexpr std::uint64_t kSessionsMax = 4096;
inline constexpr std::size_t kOriginBytesMax = 32;
inline constexpr std::size_t kCidBytesMax = 256;
/// Operations that one log entry may hold.
inline constexpr std::uint64_t kOperationsPerEntryMax = 65536;
/// Rows after which a walk lets others run.
inline constexpr std::size_t kRowsPerTurnMax = 256;

/// A pin and the number, on this peer alone, of the operation that wrote it: later is larger.
struct StoredPin {
    Pin pin;
    std::uint64_t modification_index = 0;
};

/// Who asked, so that a retry that arrives twice or late is refused.
struct OperationId {
    Bytes origin;  ///< 16 random bytes made at each start of the asking peer; empty: never refused
    std::uint64_t sequence = 0;  ///< counts up from 1 per origin
};

/// Kinds of operations that are about the cluster and not about the pinset. Consensus makes them
/// and reads their payload; here they only have a place in a session.
enum class FactKind : std::uint8_t { none = 0, feature_level = 3, cordon = 4 };

/// One operation as it stands in the log (see docs/formats.md for its bytes).
struct LoggedOperation : PinOperation {
    OperationId id;
    /// The pin as it came, and as it is stored: a newer build may have put in what this one does
    /// not know. Empty: it is made from `pin`.
    Bytes pin_bytes = {};
    /// Not `none`: then nothing of the pin and its conditions counts.
    FactKind fact = FactKind::none;
    Bytes payload = {};
    /// The feature level a reader needs.
    std::uint32_t level = 0;
};

enum class ApplyOutcome : std::uint8_t { applied, conflict, not_found, duplicate, not_expired };
struct ApplyResult {
    ApplyOutcome outcome = ApplyOutcome::applied;
    std::uint64_t modification_index = 0;  ///< of the CID after the operation
};

/// Encodes the operations of one log entry and back; `corrupt` or, for an entry that needs more
/// than `known_level` or a kind this build does not know, `unsupported` (which stops the peer).
Bytes encode_operations(const std::vector<LoggedOperation>& operations);
Result<std::vector<LoggedOperation>> decode_operations(BytesView bytes,
                                                       std::uint32_t known_level = kFeatureLevel);

/// Whether decode_operations will read the operation back: asked before it is proposed, since an
/// entry that cannot be read stops every peer. `invalid` says what is wrong.
Result<> check_operation(const LoggedOperation& operation);

/// The pinset of one peer over its database, with indexes, sessions and work rows. Deterministic:
/// the same operations give the same rows on every peer, but for the work rows, which are about
/// `self`. Owned by main, used by consensus (writes) and by cluster and tracker (reads); one
/// strand.
class State {
 public:
    struct Impl;
    State(storage::Store& store, PeerId self);
    /// Reads counters and the live generation; writes the format version of a new or older
    /// database. A newer format is refused by name. Drops what a transfer that a crash has ended
    /// had staged.
    Result<> open();

    /// Adds to `batch` the rows that applying `operations` (one log entry at `index`) writes: pins,
    /// indexes, counters, sessions, work rows. Sees what earlier calls added to the same batch. The
    /// caller adds its own rows and writes the batch, then calls `applied`, or `dropped` when the
    /// write failed.
    Result<std::vector<ApplyResult>> apply(storage::Batch& batch, std::uint64_t index,
                                           const std::vector<LoggedOperation>& operations);
    void applied();
    void dropped();

    Result<std::optional<StoredPin>> get(const Cid& cid);
    /// Pins in CID order from `after` (exclusive; undefined: from the start).
    SourcePtr<StoredPin> list(std::optional<Cid> after = std::nullopt);
    /// Number of pins; exact.
    std::uint64_t count() const;
    /// CIDs that expired by `now`, at most `limit`.
    Result<std::vector<Cid>> expired(Time now, std::size_t limit);

    /// Called (on the strand, after `applied`) when work rows were added.
    void on_work(std::function<void()> listener);
    /// Work rows ever written by this class; the tracker counts those it has done.
    std::uint64_t work_added() const;
    /// Copies that began to be kept since the start (state/kept.hpp); grows before `on_work` tells.
    std::uint64_t kept_added() const;
    /// The peer whose work rows these are.
    const PeerId& self() const;
    /// Which pins this peer is to hold: the one place where that is decided.
    const Holding& holding() const;
    /// Takes over what was told about this peer, with the rows of `batch`, which is written before
    /// anything else happens. True: `reconcile_generations` has the pins to walk that are there
    /// already.
    bool heed(storage::Batch& batch, Told told);
    /// Whether what was applied or installed is still being written.
    bool switching() const;
    /// Adds to `batch` that a copy was let go because others have it.
    void count_moved(storage::Batch& batch);

    // Snapshot transfer. Rows are opaque to the caller; a piece holds whole rows.
    /// Pieces of at most about `piece_bytes` of the state at `at`, from row key `after` ("" =
    /// start).
    struct SnapshotPiece {
        Bytes rows;      ///< length-prefixed key/value rows
        Bytes last_key;  ///< pass as `after` for the next piece
        std::uint64_t row_count = 0;
        bool last = false;
    };
    Result<SnapshotPiece> read_snapshot(const storage::SnapshotPtr& at, BytesView after,
                                        std::size_t piece_bytes);
    /// Drops rows staged earlier and starts a staging generation.
    /// Finishes a comparison that `reconcile_generations` has not ended yet first, all of it at
    /// once: for programs that do nothing else. `retryable` while a switch is being written.
    Result<> begin_staging();
    /// The same, but the comparison is made in turns and others run between them.
    Async<> begin_staging_in_turns();
    /// To be awaited before each piece of what is staged or compared while others are served: the
    /// disk may be busy with the pieces before. What the store says when it fails.
    Async<> room();
    Result<> stage(const SnapshotPiece& piece);
    /// Adds pins to the staging generation, written by an operation at `index` as it were. A CID
    /// that comes again replaces the earlier one. At most a few thousand per call: they become one
    /// batch.
    Result<> stage_pins(const std::vector<Pin>& pins, std::uint64_t index);
    struct StagedPins {
        std::uint64_t count = 0;
        Bytes digest;  ///< 32 bytes; of CIDs and contents, the same in whatever order they came
    };
    /// What is staged; reads all of it. To be called after the last `stage_pins` and before
    /// `finish_staging`: it settles what repeated CIDs have left.
    Result<StagedPins> staged_pins();
    /// Whether something is being staged.
    bool staging() const;
    /// Forgets what is staged.
    Result<> drop_staging();
    /// Adds to `batch` the switch to the staged generation; after the write call `applied`. Work
    /// rows for the differences are then made in bounded steps by `reconcile_generations`, whose
    /// position is durable.
    Result<> finish_staging(storage::Batch& batch);
    /// Compares the old and the live generation for at most `rows` rows, writes work rows, drops
    /// the old one when done; then walks the pins after another word about what this peer holds,
    /// in the same way. True when nothing is left to do. Does nothing (false) while a switch is
    /// being written.
    Result<bool> reconcile_generations(std::size_t rows);

 private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace ipfscluster::state
