#include "consensus/raft/raft_data.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <filesystem>

#include "consensus/raft/log_floor.hpp"
#include "consensus/raft/log_store.hpp"
#include "runtime/turn.hpp"

namespace ipfscluster::raft {

namespace fs = std::filesystem;

namespace {

using component::ConsensusData;

/// Bytes of log entries looked at together.
constexpr std::uint64_t kLogBytesAtOnce = 1U << 20;
/// The log index that founding begins at.
constexpr std::uint64_t kFoundingIndex = 1;

/// Operations behind the applied position: agreed or not, nobody told this peer.
Result<std::uint64_t> count_unapplied(const LogStore& log) {
    std::uint64_t operations = 0;
    for (auto next = log.applied().index + 1; next <= log.last_index();) {
        ICL_TRY(const auto entries, log.entries(next, log.last_index() + 1, kLogBytesAtOnce));
        for (const auto& entry : entries) {
            if (entry.type != EntryType::normal || entry.data.empty()) continue;
            const auto decoded = state::decode_operations(entry.data);
            // Of a newer build: left out as well, and how many it holds is not known.
            if (!decoded && decoded.error().kind != Kind::unsupported) return fail(decoded.error());
            operations += decoded ? decoded.value().size() : 1;
        }
        next += entries.size();
    }
    return operations;
}

/// The next pins of an import; fewer than a batch are the last.
Result<std::vector<Pin>> next_batch(const ConsensusData::NextPin& next,
                                    ConsensusData::Imported& imported) {
    std::vector<Pin> batch;
    while (batch.size() < kImportBatchMax) {
        ICL_TRY(auto pin, next());
        if (!pin) break;
        if (!pin->everywhere() && pin->allocations.empty() && pin->type != PinType::meta)
            ++imported.homeless;
        batch.push_back(std::move(*pin));
    }
    imported.repeated += batch.size();  // until it is known how many are left
    return batch;
}

Async<ConsensusData::Imported> stage_all(state::State& state, ConsensusData::NextPin next) {
    ConsensusData::Imported imported;
    while (true) {
        ICL_CO_TRY(const auto batch, next_batch(next, imported));
        ICL_CO_TRY(state.stage_pins(batch, kFoundingIndex));
        if (batch.size() < kImportBatchMax) co_return imported;
        // Where the store's log has changed its file, the sync of the old one begins now, beside
        // us; else we would have to wait for it.
        ICL_CO_TRY(co_await take_turn());
    }
}

template <class T>
asio::awaitable<void> keep_result(Async<T> work, std::optional<Result<T>>* result) {
    result->emplace(co_await std::move(work));
}

}  // namespace

std::string database_folder(const config::RaftConfig& config) {
    return config.data_folder + "/db";
}

std::string floor_path(const config::RaftConfig& config) {
    return config.data_folder + "/floor.json";
}

Async<std::uint64_t> give_pins(state::State& state, ConsensusData::TakePin take) {
    auto pins = state.list();
    std::uint64_t count = 0;
    while (true) {
        ICL_CO_TRY(const auto stored, co_await pins->next());
        if (!stored) co_return count;
        ICL_CO_TRY(take(stored->pin));
        ++count;
    }
}

Async<ConsensusData::Imported> replace_pinset(storage::Store& store, state::State& state,
                                              ConsensusData::NextPin next) {
    ICL_CO_TRY(state.begin_staging());
    auto all = co_await stage_all(state, std::move(next));
    if (!all) {
        auto dropped = state.drop_staging();
        (void)dropped;  // never live; the next staging begins with dropping it
        co_return fail(all.error());
    }
    auto& imported = all.value();
    ICL_CO_TRY(auto staged, state.staged_pins());
    imported.pins = staged.count;
    imported.repeated -= staged.count;
    storage::Batch batch;
    ICL_CO_TRY(state.finish_staging(batch));
    LogStore::prepare_import(batch, staged.digest);
    auto written = co_await store.write_synced(std::move(batch));
    if (!written) {
        state.dropped();
        co_return fail(written.error());
    }
    state.applied();
    co_return imported;
}

RaftData::RaftData(config::RaftConfig config, PeerId self)
    : config_(std::move(config)), self_(std::move(self)) {}

RaftData::~RaftData() {
    world_.join();
}

template <class T>
Result<T> RaftData::wait(Async<T> work) {
    std::optional<Result<T>> result;
    std::exception_ptr thrown;
    auto ended = [&thrown](std::exception_ptr error) { thrown = error; };
    asio::co_spawn(io_, keep_result(std::move(work), &result), ended);
    io_.restart();
    io_.run();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
}

bool RaftData::exists() const {
    std::error_code ec;
    return fs::exists(database_folder(config_), ec);
}

Result<> RaftData::open() {
    made_ = !exists();
    auto opened = open_stores();
    // The reason counts, not what comes of closing what cannot be used.
    if (!opened) static_cast<void>(close());
    return opened;
}

Result<> RaftData::open_stores() {
    std::error_code ec;
    fs::create_directories(folder(), ec);
    if (ec) return fail(Kind::denied, "cannot make " + folder() + ": " + ec.message());
    storage::RocksOptions options;
    options.folder = database_folder(config_);
    ICL_TRY(store_, storage::RocksStore::open(world_, options));
    state_ = std::make_unique<state::State>(*store_, self_);
    return state_->open();
}

Result<> RaftData::close() {
    const bool useless = std::exchange(made_, false);
    Result<> closed = ok();
    if (store_) closed = wait(store_->close());
    state_.reset();
    store_.reset();
    if (!useless) return closed;
    std::error_code ec;
    fs::remove_all(database_folder(config_), ec);
    fs::remove(folder(), ec);  // only when nothing else is in it
    return closed;
}

bool RaftData::empty() {
    LogStore log(*store_);
    return log.open() && !log.has_identity() && log.imported().empty() && state_->count() == 0;
}

Result<ConsensusData::Exported> RaftData::export_pins(const TakePin& take) {
    Exported exported;
    LogStore log(*store_);
    ICL_TRY(log.open());
    exported.index = log.applied().index;
    ICL_TRY(exported.left_out, count_unapplied(log));
    ICL_TRY(exported.pins, wait(give_pins(*state_, take)));
    return exported;
}

Result<ConsensusData::Imported> RaftData::import_pins(const NextPin& next) {
    ICL_TRY(const auto imported, wait(replace_pinset(*store_, *state_, next)));
    made_ = false;
    // It speaks of the data that the import has replaced.
    ICL_TRY(accept_loss());
    return imported;
}

std::string RaftData::after_import() const {
    if (config_.init_peerset.empty())
        return "at its next start this peer founds a cluster; let others join it with --bootstrap";
    return "the peers of consensus.raft.init_peerset found a cluster once each of them has "
           "imported the same pins";
}

Result<Position> RaftData::position() {
    LogStore log(*store_);
    ICL_TRY(log.open());
    return Position{log.last_index(), log.hard_state().term};
}

Result<std::optional<std::string>> RaftData::loss() {
    DiskFloorFile file(floor_path(config_));
    ICL_TRY(const auto floor, file.read());
    if (!floor) return std::optional<std::string>();
    std::string text;
    if (exists()) {
        const auto opened = open();
        const auto end = opened ? position() : Result<Position>(fail(opened.error()));
        ICL_TRY(close());
        if (!end)
            return fail(end.error().in(
                "what is left cannot be used; `state cleanup` puts it aside, and this peer joins "
                "anew"));
        text = fmt::format(
            "The log ends with entry {} in term {}; it had entry {} in term {} on the disk.\n",
            end.value().index, end.value().term, floor->last_index, floor->term);
        if (!floor->damage.empty()) text += "Damaged: " + floor->damage + "\n";
    }
    return std::optional(std::move(text));
}

Result<> RaftData::accept_loss() {
    DiskFloorFile file(floor_path(config_));
    return file.remove();
}

}  // namespace ipfscluster::raft
