#pragma once
#include <memory>
#include <ostream>

#include "cli/service/pin_file.hpp"
#include "config/config.hpp"
#include "consensus/raft/types.hpp"
#include "runtime/asio_world.hpp"
#include "state/state.hpp"
#include "storage/rocks_store.hpp"

namespace ipfscluster::service {

/// Where the peer's database lies.
std::string database_folder(const config::Config& config);
/// The floor under its log.
std::string floor_path(const config::Config& config);

/// Pins of an import that become one batch; bounds what is held in memory.
inline constexpr std::size_t kImportBatchMax = 1024;

/// Writes every pin of `state`, in CID order, as lines of an export; how many.
Async<std::uint64_t> write_pins(state::State& state, std::ostream& out);

struct Imported {
    std::uint64_t pins = 0;
    std::uint64_t repeated = 0;  ///< came more than once; the last one counts
    std::uint64_t homeless = 0;  ///< neither everywhere nor allocated to anybody
};
/// Replaces the pinset by what `pins` gives and removes everything of consensus, in one synced
/// write after all of it has been read; an error before that changes nothing that is live. The pins
/// count as written by log entry 1, where the founding that follows begins.
Async<Imported> replace_pinset(storage::Store& store, state::State& state, PinReader& pins);

/// The database of a peer that does not run, on an io loop of its own. Blocking; one thread.
class OfflineState {
 public:
    OfflineState();
    ~OfflineState();

    /// Opens or creates the database.
    Result<> open(const config::Config& config, const PeerId& self);
    Result<> close();

    struct Exported {
        std::uint64_t pins = 0;
        std::uint64_t applied = 0;    ///< log index the pinset stands at
        std::uint64_t unapplied = 0;  ///< operations in the log behind it
    };
    Result<Exported> export_pins(std::ostream& out);
    Result<Imported> import_pins(PinReader& pins);
    /// Where the log ends: index of its last entry, and the term the peer was in.
    Result<raft::Position> position();
    /// Neither pins nor anything of consensus.
    bool empty();

 private:
    template <class T>
    Result<T> wait(Async<T> work);

    asio::io_context io_{1};
    AsioWorld world_{io_};
    std::unique_ptr<storage::RocksStore> store_;
    std::unique_ptr<state::State> state_;
};

}  // namespace ipfscluster::service
