#pragma once
#include <memory>
#include <optional>
#include <string>

#include "consensus/raft/types.hpp"
#include "runtime/signal.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::raft {

/// The floor is written this often at most.
inline constexpr Duration kFloorInterval = std::chrono::seconds(1);

/// What the database is known to have had on the disk, said by a file beside it. A database that
/// opens with less has lost synced data: its node may have forgotten a vote or an entry that it
/// acknowledged.
struct Floor {
    NodeId node = 0;
    std::uint64_t rounds = 0;  ///< synced rounds of the consensus component, counted in raft_meta
    std::uint64_t term = 0;    ///< with the next: where the log stood, for people
    std::uint64_t last_index = 0;
    std::string damage;  ///< what could not be read when the peer ran last; empty: nothing
    friend bool operator==(const Floor&, const Floor&) = default;
};

std::string floor_text(const Floor& floor);
/// `corrupt` when it is no floor, `unsupported` for a newer version.
Result<Floor> parse_floor(std::string_view text);

/// Where a floor is kept. Plain blocking calls; `write` and `remove` are on the disk when they
/// return.
class FloorFile {
 public:
    virtual ~FloorFile() = default;
    /// Nothing without a file: folders of earlier builds, data that was just made.
    virtual Result<std::optional<Floor>> read() = 0;
    virtual Result<> write(const Floor& floor) = 0;
    virtual Result<> remove() = 0;
};

class DiskFloorFile final : public FloorFile {
 public:
    explicit DiskFloorFile(std::string path) : path_(std::move(path)) {}
    Result<std::optional<Floor>> read() override;
    Result<> write(const Floor& floor) override;
    Result<> remove() override;

 private:
    std::string path_;
};

/// Writes the floor behind the syncs, away from the strand and not more often than once per
/// interval. Owned by the consensus component; its strand. A write that fails is logged once and
/// tried again: an old floor notices less, but nothing wrong.
class LogFloor {
 public:
    LogFloor(World& world, std::shared_ptr<FloorFile> file);

    /// This much is on the disk now.
    void synced(Floor floor);
    /// Until it is cancelled.
    asio::awaitable<void> run();
    /// Writes what is not written yet; `damage`, when not empty, stays until a later life's floor.
    Async<> finish(std::string damage);

 private:
    /// A write that nobody waits for any more may still be under way: none overtakes a later one.
    struct Turn;
    Async<> write();

    World& world_;
    std::shared_ptr<Turn> turn_;
    std::uint64_t writes_ = 0;
    std::shared_ptr<FloorFile> file_;
    std::optional<Floor> latest_;
    bool written_ = true;
    bool failed_ = false;
    Signal changed_;
};

}  // namespace ipfscluster::raft
