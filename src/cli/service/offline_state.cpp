#include "cli/service/offline_state.hpp"

#include <boost/asio/co_spawn.hpp>
#include <filesystem>

#include "consensus/raft/log_store.hpp"

namespace ipfscluster::service {

namespace {

constexpr std::size_t kWriteBytes = 64 * 1024;
/// Bytes of log entries looked at together.
constexpr std::uint64_t kLogBytesAtOnce = 1U << 20;
/// The log index that founding begins at.
constexpr std::uint64_t kFoundingIndex = 1;

Result<> flush_text(std::ostream& out, std::string& text) {
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    text.clear();
    if (!out) return fail(Kind::internal, "the export cannot be written");
    return ok();
}

/// Operations behind the applied position: agreed or not, nobody told this peer.
Result<std::uint64_t> count_unapplied(const raft::LogStore& log) {
    std::uint64_t operations = 0;
    for (auto next = log.applied().index + 1; next <= log.last_index();) {
        ICL_TRY(const auto entries, log.entries(next, log.last_index() + 1, kLogBytesAtOnce));
        for (const auto& entry : entries) {
            if (entry.type != raft::EntryType::normal || entry.data.empty()) continue;
            ICL_TRY(const auto decoded, state::decode_operations(entry.data));
            operations += decoded.size();
        }
        next += entries.size();
    }
    return operations;
}

Result<> stage_all(state::State& state, PinReader& pins, Imported& imported) {
    std::vector<Pin> batch;
    std::uint64_t read = 0;
    for (bool more = true; more;) {
        ICL_TRY(auto pin, pins.next());
        more = pin.has_value();
        if (pin) {
            ++read;
            if (!pin->everywhere() && pin->allocations.empty() && pin->type != PinType::meta)
                ++imported.homeless;
            batch.push_back(std::move(*pin));
        }
        if (batch.size() < kImportBatchMax && more) continue;
        ICL_TRY(state.stage_pins(batch, kFoundingIndex));
        batch.clear();
    }
    imported.repeated = read;  // until it is known how many are left
    return ok();
}

template <class T>
asio::awaitable<void> keep_result(Async<T> work, std::optional<Result<T>>* result) {
    result->emplace(co_await std::move(work));
}

}  // namespace

std::string database_folder(const config::Config& config) {
    return config.raft.data_folder + "/db";
}

std::string floor_path(const config::Config& config) {
    return config.raft.data_folder + "/floor.json";
}

Async<std::uint64_t> write_pins(state::State& state, std::ostream& out) {
    auto pins = state.list();
    std::string text;
    std::uint64_t count = 0;
    while (true) {
        ICL_CO_TRY(const auto stored, co_await pins->next());
        if (!stored) break;
        append_pin_line(text, stored->pin);
        ++count;
        if (text.size() >= kWriteBytes) {
            ICL_CO_TRY(flush_text(out, text));
        }
    }
    ICL_CO_TRY(flush_text(out, text));
    co_return count;
}

Async<Imported> replace_pinset(storage::Store& store, state::State& state, PinReader& pins) {
    Imported imported;
    ICL_CO_TRY(state.begin_staging());
    if (auto staged = stage_all(state, pins, imported); !staged) {
        auto dropped = state.drop_staging();
        (void)dropped;  // never live; the next staging begins with dropping it
        co_return fail(staged.error());
    }
    ICL_CO_TRY(auto staged, state.staged_pins());
    imported.pins = staged.count;
    imported.repeated -= staged.count;
    storage::Batch batch;
    ICL_CO_TRY(state.finish_staging(batch));
    raft::LogStore::prepare_import(batch, staged.digest);
    auto written = co_await store.write_synced(std::move(batch));
    if (!written) {
        state.dropped();
        co_return fail(written.error());
    }
    state.applied();
    co_return imported;
}

OfflineState::OfflineState() = default;

OfflineState::~OfflineState() {
    world_.join();
}

template <class T>
Result<T> OfflineState::wait(Async<T> work) {
    std::optional<Result<T>> result;
    std::exception_ptr thrown;
    auto ended = [&thrown](std::exception_ptr error) { thrown = error; };
    asio::co_spawn(io_, keep_result(std::move(work), &result), ended);
    io_.restart();
    io_.run();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
}

Result<> OfflineState::open(const config::Config& config, const PeerId& self) {
    std::error_code ec;
    std::filesystem::create_directories(config.raft.data_folder, ec);
    if (ec)
        return fail(Kind::denied, "cannot make " + config.raft.data_folder + ": " + ec.message());
    storage::RocksOptions options;
    options.folder = database_folder(config);
    ICL_TRY(store_, storage::RocksStore::open(world_, options));
    state_ = std::make_unique<state::State>(*store_, self);
    return state_->open();
}

Result<> OfflineState::close() {
    if (!store_) return ok();
    return wait(store_->close());
}

Result<OfflineState::Exported> OfflineState::export_pins(std::ostream& out) {
    Exported exported;
    raft::LogStore log(*store_);
    ICL_TRY(log.open());
    exported.applied = log.applied().index;
    ICL_TRY(exported.unapplied, count_unapplied(log));
    ICL_TRY(exported.pins, wait(write_pins(*state_, out)));
    return exported;
}

Result<Imported> OfflineState::import_pins(PinReader& pins) {
    return wait(replace_pinset(*store_, *state_, pins));
}

Result<raft::Position> OfflineState::position() {
    raft::LogStore log(*store_);
    ICL_TRY(log.open());
    return raft::Position{log.last_index(), log.hard_state().term};
}

bool OfflineState::empty() {
    raft::LogStore log(*store_);
    return log.open() && !log.has_identity() && log.imported().empty() && state_->count() == 0;
}

}  // namespace ipfscluster::service
