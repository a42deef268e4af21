#pragma once
#include <memory>

#include "component/consensus_data.hpp"
#include "config/sections.hpp"
#include "consensus/raft/types.hpp"
#include "runtime/asio_world.hpp"
#include "state/state.hpp"
#include "storage/rocks_store.hpp"

namespace ipfscluster::raft {

/// Where the peer's database lies in its data folder, and the floor under its log.
std::string database_folder(const config::RaftConfig& config);
std::string floor_path(const config::RaftConfig& config);

/// Pins of an import that become one batch; bounds what is held in memory.
inline constexpr std::size_t kImportBatchMax = 1024;

/// ConsensusData::export_pins and import_pins, on stores that the caller has. The pins of an import
/// count as written by log entry 1, where the founding that follows begins; it is one synced write.
Async<std::uint64_t> give_pins(state::State& state, component::ConsensusData::TakePin take);
Async<component::ConsensusData::Imported> replace_pinset(storage::Store& store, state::State& state,
                                                         component::ConsensusData::NextPin next);

/// The data of a Raft peer: one database, opened on an io loop of its own, and the floor beside it.
class RaftData final : public component::ConsensusData {
 public:
    RaftData(config::RaftConfig config, PeerId self);
    ~RaftData() override;

    const std::string& folder() const override { return config_.data_folder; }
    std::int64_t kept_aside() const override { return config_.backups_rotate; }
    bool exists() const override;
    Result<> open() override;
    Result<> close() override;
    bool empty() override;
    Result<Exported> export_pins(const TakePin& take) override;
    Result<Imported> import_pins(const NextPin& next) override;
    std::string after_import() const override;
    Result<std::optional<std::string>> loss() override;
    Result<> accept_loss() override;

 private:
    template <class T>
    Result<T> wait(Async<T> work);
    Result<> open_stores();
    /// Where the log ends: index of its last entry, and the term the peer was in.
    Result<Position> position();

    config::RaftConfig config_;
    PeerId self_;
    asio::io_context io_{1};
    AsioWorld world_{io_};
    std::unique_ptr<storage::RocksStore> store_;
    std::unique_ptr<state::State> state_;
    bool made_ = false;  ///< by `open`, and nothing is in it yet
};

}  // namespace ipfscluster::raft
