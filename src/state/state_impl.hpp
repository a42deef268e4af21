#pragma once
#include <map>

#include "state/holding.hpp"
#include "state/kept_writer.hpp"
#include "state/session_window.hpp"
#include "state/state.hpp"
#include "state/work.hpp"

namespace ipfscluster::state {

/// The numbers of the live generation; one row, rewritten by each apply.
struct Counters {
    std::uint32_t generation = 1;
    std::uint64_t pins = 0;
    std::uint64_t sessions = 0;
    std::uint64_t work_added = 0;

    Bytes encode() const;
    static Result<Counters> decode(BytesView bytes);
};

Bytes encode_stored(std::uint64_t modification_index, BytesView pin_bytes);
Result<StoredPin> decode_stored(const Cid& cid, BytesView value);
std::uint64_t expiry_seconds(const Pin& pin);

struct State::Impl {
    storage::Store& store;
    PeerId self;
    Counters counters;  ///< as written
    KeptWriter kept;
    Holding holding;
    std::function<void()> listener;

    /// What apply has put into a batch that is not written yet.
    struct Pending {
        Counters counters;
        std::map<Bytes, std::optional<StoredPin>> pins;
        std::map<Bytes, std::optional<SessionWindow>> sessions;  ///< by origin; nothing: evicted
        bool active = false;
        bool work = false;
        storage::Batch apart;  ///< only for Bug::work_row_apart
    } pending;

    /// The generation being staged.
    struct Staging {
        std::uint32_t generation = 0;
        std::uint64_t pins = 0;
        std::uint64_t sessions = 0;
    };
    std::optional<Staging> staging;

    Impl(storage::Store& s, PeerId id) : store(s), self(std::move(id)), kept(s), holding(s, self) {}

    Result<std::optional<StoredPin>> read(std::uint32_t generation, const Cid& cid);
    void begin_pending();

    Result<std::optional<StoredPin>> current(const Cid& cid);
    Result<ApplyResult> apply_one(storage::Batch& batch, std::uint64_t index,
                                  const LoggedOperation& op);
    /// `row` is the stored form of `after`.
    Result<> write_pin(storage::Batch& batch, const std::optional<StoredPin>& before,
                       StoredPin after, Bytes row);
    Result<> erase_pin(storage::Batch& batch, const StoredPin& before);
    /// What a change of one pin makes this peer do. Null: there is none.
    Result<> change_duty(storage::Batch& batch, const Cid& cid, const StoredPin* before,
                         const StoredPin* after);
    /// For a database of version 1: what was given to others and is not unpinned yet is kept.
    Result<> keep_what_moved();
    void add_work(storage::Batch& batch, WorkLane lane, const Cid& cid);
    /// Adds the work of at most `rows` pins after another word about what this peer holds; the last
    /// CID and whether it was the end.
    Result<std::pair<Bytes, bool>> walk_holding(storage::Batch& batch, std::size_t rows);

    Result<bool> accept(storage::Batch& batch, std::uint64_t index, const OperationId& id);
    Result<> evict_sessions(storage::Batch& batch);

    Result<> stage_row(storage::Batch& batch, BytesView key, BytesView value);
    Result<> drop_stale_expiry();
    Result<> drop_staged_by_a_crash();
};

}  // namespace ipfscluster::state
