#include "consensus/raft/engine.hpp"

#include "base/log.hpp"
#include "icl_bridge.h"
#include "icl_raft.h"

namespace ipfscluster::raft {

namespace {

icl_raft_slice slice(BytesView bytes) {
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

BytesView view(icl_raft_slice bytes) {
    return {reinterpret_cast<const char*>(bytes.ptr), bytes.len};
}

std::string last_error() {
    std::string text(512, '\0');
    const auto length = icl_last_error(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
    text.resize(std::min(length, text.size()));
    return text;
}

Kind kind_of(std::int32_t status) {
    switch (status) {
        case ICL_RAFT_INVALID:
            return Kind::invalid;
        case ICL_RAFT_DROPPED:
            return Kind::retryable;
        case ICL_RAFT_NO_PEER:
            return Kind::not_found;
        case ICL_RAFT_DECODE:
            return Kind::corrupt;
        case ICL_RAFT_DEAD:
            return Kind::shutting_down;
        case ICL_RAFT_BUSY:
        case ICL_RAFT_REFUSED:
            return Kind::conflict;
        default:
            return Kind::internal;
    }
}

Result<> check(std::int32_t status) {
    if (status == ICL_RAFT_OK) return ok();
    return fail(kind_of(status), "raft engine: " + last_error());
}

icl_raft_entry lend(const LogEntry& entry) {
    icl_raft_entry out{};
    out.index = entry.index;
    out.term = entry.term;
    out.type = static_cast<std::uint32_t>(entry.type);
    out.data = slice(entry.data);
    return out;
}

LogEntry take(const icl_raft_entry& entry) {
    return {entry.index, entry.term, static_cast<EntryType>(entry.type), Bytes(view(entry.data))};
}

std::int32_t answer(Kind kind) {
    switch (kind) {
        case Kind::not_found:
            return ICL_RAFT_STORE_COMPACTED;
        case Kind::unavailable:
            return ICL_RAFT_STORE_UNAVAILABLE;
        case Kind::retryable:
            return ICL_RAFT_STORE_SNAPSHOT_LATER;
        default:
            return ICL_RAFT_STORE_FAILED;
    }
}

LogReader& reader(void* ctx) {
    return *static_cast<LogReader*>(ctx);
}

icl_raft_storage storage_table(LogReader& log) {
    icl_raft_storage table{};
    table.ctx = &log;
    table.first_index = [](void* ctx) { return reader(ctx).first_index(); };
    table.last_index = [](void* ctx) { return reader(ctx).last_index(); };
    table.term = [](void* ctx, std::uint64_t index, std::uint64_t* term) -> std::int32_t {
        auto found = reader(ctx).term(index);
        if (!found) return answer(found.error().kind);
        *term = found.value();
        return ICL_RAFT_STORE_OK;
    };
    table.entries = [](void* ctx, std::uint64_t low, std::uint64_t high, std::uint64_t bytes_max,
                       icl_raft_entry_fn push, void* push_ctx) -> std::int32_t {
        auto found = reader(ctx).entries(low, high, bytes_max);
        if (!found) return answer(found.error().kind);
        for (const auto& entry : found.value()) {
            const auto lent = lend(entry);
            push(push_ctx, &lent);
        }
        return ICL_RAFT_STORE_OK;
    };
    table.snapshot = [](void* ctx, std::uint64_t request_index, std::uint64_t to,
                        std::uint64_t* index, std::uint64_t* term, icl_raft_bytes_fn conf_state,
                        icl_raft_bytes_fn token, void* bytes_ctx) -> std::int32_t {
        auto made = reader(ctx).snapshot(request_index, to);
        if (!made) return answer(made.error().kind);
        *index = made.value().at.index;
        *term = made.value().at.term;
        conf_state(bytes_ctx, slice(made.value().conf_state));
        token(bytes_ctx, slice(made.value().token));
        return ICL_RAFT_STORE_OK;
    };
    return table;
}

Ready& ready_of(void* ctx) {
    return *static_cast<Ready*>(ctx);
}

icl_raft_sink sink_into(Ready& out) {
    icl_raft_sink sink{};
    sink.ctx = &out;
    sink.hard_state = [](void* ctx, std::uint64_t term, std::uint64_t vote, std::uint64_t commit) {
        ready_of(ctx).hard_state = HardState{term, vote, commit};
    };
    sink.snapshot = [](void* ctx, std::uint64_t index, std::uint64_t term,
                       icl_raft_slice conf_state, icl_raft_slice token) {
        ready_of(ctx).snapshot =
            SnapshotMeta{{index, term}, Bytes(view(conf_state)), Bytes(view(token))};
    };
    sink.entry = [](void* ctx, const icl_raft_entry* entry) {
        ready_of(ctx).entries.push_back(take(*entry));
    };
    sink.message = [](void* ctx, const icl_raft_message* message) {
        ready_of(ctx).messages.push_back({message->to,
                                          message->type,
                                          message->after_persist != 0,
                                          {message->snapshot_index, message->snapshot_term},
                                          Bytes(view(message->snapshot_token)),
                                          Bytes(view(message->bytes))});
    };
    sink.committed = [](void* ctx, const icl_raft_entry* entry) {
        ready_of(ctx).committed.push_back(take(*entry));
    };
    sink.read_state = [](void* ctx, std::uint64_t index, icl_raft_slice request) {
        ready_of(ctx).read_states.push_back({index, Bytes(view(request))});
    };
    return sink;
}

void append_bytes(void* ctx, icl_raft_slice bytes) {
    static_cast<Bytes*>(ctx)->append(view(bytes));
}

}  // namespace

Result<> tolerate(const Result<>& outcome, const char* what) {
    if (outcome) return ok();
    const auto& error = outcome.error();
    if (error.kind == Kind::internal || error.kind == Kind::shutting_down) return fail(error);
    logger("raft")->debug("{}: {}", what, error.text);
    return ok();
}

struct Engine::Impl {
    icl_raft* node = nullptr;
    ~Impl() { icl_raft_free(node); }
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::make(const EngineConfig& config, LogReader& log) {
    icl_raft_config raw{};
    raw.struct_size = sizeof raw;
    raw.abi = ICL_RAFT_ABI;
    raw.id = config.id;
    raw.term = config.hard_state.term;
    raw.vote = config.hard_state.vote;
    raw.commit = config.hard_state.commit;
    raw.applied = config.applied;
    raw.conf_state = slice(config.conf_state);
    raw.election_ticks = config.election_ticks;
    raw.heartbeat_ticks = config.heartbeat_ticks;
    raw.message_bytes_max = config.message_bytes_max;
    raw.committed_bytes_max = config.committed_bytes_max;
    raw.uncommitted_bytes_max = config.uncommitted_bytes_max;
    raw.inflight_max = config.inflight_max;
    raw.jitter_seed = config.jitter_seed;
    const auto table = storage_table(log);
    auto impl = std::make_unique<Impl>();
    ICL_TRY(check(icl_raft_new(&raw, &table, &impl->node)));
    return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<> Engine::tick() {
    return check(icl_raft_tick(impl_->node));
}
Result<> Engine::campaign() {
    return check(icl_raft_campaign(impl_->node));
}
Result<> Engine::step(BytesView message) {
    return check(icl_raft_step(impl_->node, slice(message)));
}
Result<> Engine::propose(BytesView data) {
    return check(icl_raft_propose(impl_->node, slice(data)));
}

Result<> Engine::propose_change(ChangeOp op, NodeId id, BytesView context) {
    return check(
        icl_raft_propose_change(impl_->node, static_cast<std::uint32_t>(op), id, slice(context)));
}

Result<> Engine::read_index(BytesView request) {
    return check(icl_raft_read_index(impl_->node, slice(request)));
}

Result<> Engine::transfer_leader(NodeId to) {
    return check(icl_raft_transfer_leader(impl_->node, to));
}
Result<> Engine::report_unreachable(NodeId id) {
    return check(icl_raft_report_unreachable(impl_->node, id));
}
Result<> Engine::report_snapshot(NodeId id, bool good) {
    return check(icl_raft_report_snapshot(impl_->node, id, good ? 1 : 0));
}

Result<std::optional<Ready>> Engine::poll() {
    Ready out;
    const auto sink = sink_into(out);
    std::uint32_t has_ready = 0;
    std::uint32_t must_sync = 0;
    ICL_TRY(check(icl_raft_poll(impl_->node, &sink, &has_ready, &must_sync)));
    if (has_ready == 0) return std::optional<Ready>{};
    out.must_sync = must_sync != 0;
    return std::optional<Ready>(std::move(out));
}

Result<Ready> Engine::advance() {
    Ready out;
    const auto sink = sink_into(out);
    ICL_TRY(check(icl_raft_advance(impl_->node, &sink)));
    return out;
}

Result<> Engine::applied(std::uint64_t index) {
    return check(icl_raft_applied(impl_->node, index));
}

namespace {

void put_change(void* ctx, std::uint32_t op, std::uint64_t id) {
    static_cast<AppliedChange*>(ctx)->changes.push_back({static_cast<ChangeOp>(op), id});
}

void put_context(void* ctx, icl_raft_slice bytes) {
    static_cast<AppliedChange*>(ctx)->context = Bytes(view(bytes));
}

void put_conf_state(void* ctx, icl_raft_slice bytes) {
    static_cast<AppliedChange*>(ctx)->conf_state = Bytes(view(bytes));
}

}  // namespace

Result<AppliedChange> Engine::apply_change(const LogEntry& entry) {
    AppliedChange out;
    const auto lent = lend(entry);
    const auto status =
        icl_raft_apply_change(impl_->node, &lent, put_change, put_context, put_conf_state, &out);
    if (status == ICL_RAFT_REMOVED) {
        out.removed_self = true;
        return out;
    }
    ICL_TRY(check(status));
    return out;
}

Result<AppliedChange> read_change(const LogEntry& entry) {
    AppliedChange out;
    const auto lent = lend(entry);
    ICL_TRY(check(icl_raft_change_read(&lent, put_change, put_context, &out)));
    return out;
}

Result<EngineStatus> Engine::status() const {
    icl_raft_status_info raw{};
    raw.struct_size = sizeof raw;
    ICL_TRY(check(icl_raft_status(impl_->node, &raw)));
    EngineStatus out;
    out.role = static_cast<Role>(raw.role);
    out.id = raw.id;
    out.term = raw.term;
    out.leader = raw.leader;
    out.commit = raw.commit;
    out.applied = raw.applied;
    out.last_index = raw.last_index;
    out.transferee = raw.transferee;
    out.voter = raw.promotable != 0;
    out.pending_change = raw.pending_change != 0;
    out.election_timeout_ticks = raw.election_timeout_ticks;
    return out;
}

Result<std::vector<Progress>> Engine::progress() const {
    std::vector<Progress> out;
    ICL_TRY(check(icl_raft_progress(
        impl_->node,
        [](void* ctx, const icl_raft_progress_info* info) {
            static_cast<std::vector<Progress>*>(ctx)->push_back(
                {info->id, info->matched, info->pending_snapshot, info->learner != 0,
                 info->recent_active != 0, info->state == ICL_RAFT_SNAPSHOT});
        },
        &out)));
    return out;
}

Bytes make_conf_state(const std::vector<NodeId>& voters, const std::vector<NodeId>& learners) {
    Bytes out;
    icl_raft_conf_state_make(voters.data(), voters.size(), learners.data(), learners.size(),
                             append_bytes, &out);
    return out;
}

Result<std::vector<Member>> read_conf_state(BytesView conf_state) {
    std::vector<Member> out;
    ICL_TRY(check(icl_raft_conf_state_read(
        slice(conf_state),
        [](void* ctx, std::uint64_t id, std::int32_t learner) {
            static_cast<std::vector<Member>*>(ctx)->push_back({id, learner != 0});
        },
        &out)));
    return out;
}

Result<MessageInfo> read_message(BytesView message) {
    MessageInfo out;
    ICL_TRY(check(icl_raft_message_read(
        slice(message),
        [](void* ctx, const icl_raft_message* info) {
            *static_cast<MessageInfo*>(ctx) = {info->to,
                                               info->from,
                                               info->term,
                                               info->type,
                                               {info->snapshot_index, info->snapshot_term},
                                               Bytes(view(info->snapshot_token)),
                                               info->index,
                                               info->commit,
                                               info->reject_hint,
                                               info->reject != 0};
        },
        &out)));
    return out;
}

Result<std::vector<LogEntry>> read_entries(BytesView message) {
    std::vector<LogEntry> out;
    ICL_TRY(check(icl_raft_message_entries(
        slice(message),
        [](void* ctx, const icl_raft_entry* entry) {
            static_cast<std::vector<LogEntry>*>(ctx)->push_back(take(*entry));
        },
        &out)));
    return out;
}

}  // namespace ipfscluster::raft
