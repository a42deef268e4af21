#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "blockstore/segment_file.hpp"
#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::blockstore {

/// Written in pieces of about this size.
inline constexpr std::size_t kLogChunkBytes = 1u << 20;
/// Most bytes appended but not yet handed to the system; `room` waits beyond.
inline constexpr std::size_t kLogBufferedBytesMax = 8u << 20;
/// Open segments kept for reading.
inline constexpr std::size_t kOpenSegmentsMax = 64;

/// What the log tells its owner, on the strand.
class SegmentLogEvents {
 public:
    virtual ~SegmentLogEvents() = default;
    /// Every record before `end` is on the disk. Those who wait in `sync` go on afterwards.
    virtual Async<> on_durable(Position end) = 0;
    /// Every record at or behind `from` that was not durable is gone.
    virtual void on_lost(Position from, const Error& cause) = 0;
};

/// The append-only log of records over numbered segment files, with group commit: one writer task
/// moves what was appended to the file and syncs for all who wait. Readable at once, from memory
/// until written. All segments but the last are durable. Owned by a SegmentStore; one strand; file
/// access on the World's blocking threads.
class SegmentLog {
 public:
    SegmentLog(World& world, std::string folder, std::uint64_t segment_bytes,
               SegmentLogEvents& events);

    /// Takes over the segments of the folder, all durable: their sizes, and the place behind the
    /// last good record of the newest one, where appending goes on (what follows it is cut off;
    /// nothing: a new segment comes next). Then starts the writer. New segments are numbered from
    /// `first_number` on at least.
    Async<> start(std::map<std::uint32_t, std::uint64_t> segments, std::optional<Position> end,
                  std::uint32_t first_number);

    /// Adds a record; never waits. Its place is final.
    Position append(BytesView multihash, BytesView data);
    /// Waits until less than kLogBufferedBytesMax is buffered.
    Async<> room();
    /// Asks for a sync of everything appended, without waiting for it.
    void request_sync();
    bool sync_requested() const { return sync_wanted_ > durable_; }
    /// Waits until everything appended so far is durable; the cause when some of it was lost.
    Async<> sync();
    std::uint64_t losses() const { return losses_; }
    const Error& last_loss() const { return last_loss_; }

    /// A whole record's data, checked against its checksum and hash; `not_found` when its segment
    /// is gone.
    Async<Bytes> read(Position at, Bytes multihash, std::uint32_t data_bytes);
    /// At most the first `max` bytes of a record's data, unchecked.
    Async<Bytes> read_prefix(Position at, Bytes multihash, std::uint32_t data_bytes,
                             std::size_t max);
    /// One step of a scan of a durable segment.
    Async<SegmentScan> scan(std::uint32_t segment, ScanPlace from);

    /// The next append begins a new segment.
    void roll();
    /// The segment appended to; none after a roll.
    std::optional<std::uint32_t> active() const;
    /// Sizes of all segments, what is only buffered included.
    const std::map<std::uint32_t, std::uint64_t>& segments() const { return segments_; }
    std::uint64_t disk_bytes() const { return disk_bytes_; }
    /// Removes a segment that is not active. What reads it keeps its open file.
    Async<> remove(std::uint32_t segment);

    Position durable() const { return durable_; }
    Async<> close();

 private:
    struct Chunk {
        Position at;
        Bytes data;
        bool frozen = false;  ///< being written; a new record needs a new chunk
        Position end() const { return {at.segment, at.offset + data.size()}; }
    };
    using ChunkPtr = std::shared_ptr<Chunk>;  // shared with the thread that writes it

    asio::awaitable<void> run();
    Async<> write_front();
    Async<> sync_file();
    Async<> lose(Error cause);
    bool front_ready() const;
    std::optional<Bytes> from_memory(Position at, std::size_t bytes) const;
    Async<std::shared_ptr<SegmentFile>> file_for(std::uint32_t segment);
    Async<Bytes> read_bytes(Position at, std::size_t bytes);

    World& world_;
    std::string folder_;
    std::uint64_t segment_bytes_;
    SegmentLogEvents& events_;

    std::map<std::uint32_t, std::uint64_t> segments_;
    std::uint64_t disk_bytes_ = 0;
    std::uint32_t next_number_ = 1;
    Position end_;      // behind the last appended record; offset 0: a new segment comes next
    Position written_;  // behind what the file holds
    Position durable_;  // behind what the disk holds
    Position sync_wanted_;
    std::deque<ChunkPtr> chunks_;
    std::size_t buffered_ = 0;
    std::shared_ptr<SegmentFile> file_;  // being written
    std::uint64_t losses_ = 0;
    Error last_loss_;
    bool closing_ = false;

    std::map<std::uint32_t, std::pair<std::shared_ptr<SegmentFile>, std::uint64_t>>
        open_;  // file, last use
    std::uint64_t uses_ = 0;

    Signal wake_;     // the writer
    Signal changed_;  // who waits for room or durability
    TaskGroup tasks_;
};

}  // namespace ipfscluster::blockstore
