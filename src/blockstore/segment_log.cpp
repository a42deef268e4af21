#include "blockstore/segment_log.hpp"

#include <boost/asio/this_coro.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace ipfscluster::blockstore {

SegmentLog::SegmentLog(World& world, std::string folder, std::uint64_t segment_bytes,
                       SegmentLogEvents& events)
    : world_(world),
      folder_(std::move(folder)),
      segment_bytes_(segment_bytes),
      events_(events),
      wake_(world.executor()),
      changed_(world.executor()),
      tasks_(world, "blockstore") {}

Async<> SegmentLog::start(std::map<std::uint32_t, std::uint64_t> segments,
                          std::optional<Position> end, std::uint32_t first_number) {
    segments_ = std::move(segments);
    next_number_ = std::max(next_number_, first_number);
    if (!segments_.empty()) next_number_ = std::max(next_number_, segments_.rbegin()->first + 1);
    if (end) {
        ICL_ASSERT(segments_.contains(end->segment), "the log's end lies in no segment");
        // Damage may hide records that a later build can read, so only the newest segment is cut.
        auto cut_tail = [folder = folder_, at = *end]() -> Result<std::shared_ptr<SegmentFile>> {
            ICL_TRY(auto file, SegmentFile::open(folder, at.segment, true));
            ICL_TRY(const auto size, file->size());
            if (size > at.offset) {
                ICL_TRY(file->truncate(at.offset));
            }
            return file;
        };
        auto cut = co_await offload(world_, std::move(cut_tail));
        ICL_CO_TRY(file_, std::move(cut));
        segments_[end->segment] = end->offset;
        end_ = written_ = durable_ = sync_wanted_ = *end;
    } else if (!segments_.empty()) {
        // Nothing to append to, but what is there is durable and may be rewritten or removed.
        const auto& [number, bytes] = *segments_.rbegin();
        written_ = durable_ = sync_wanted_ = {number, bytes};
    }
    for (const auto& [number, bytes] : segments_) disk_bytes_ += bytes;
    tasks_.spawn(run());
    co_return ok();
}

Position SegmentLog::append(BytesView multihash, BytesView data) {
    const auto bytes = record_bytes(multihash.size(), data.size());
    if (end_.offset != 0 && end_.offset + bytes > segment_bytes_) roll();
    if (end_.offset == 0) {
        auto chunk = std::make_shared<Chunk>();
        chunk->at = {next_number_++, 0};
        chunk->data.reserve(kLogChunkBytes + bytes);
        chunk->data = encode_segment_header();
        end_ = chunk->end();
        segments_[end_.segment] = kSegmentHeaderBytes;
        disk_bytes_ += kSegmentHeaderBytes;
        buffered_ += kSegmentHeaderBytes;
        chunks_.push_back(std::move(chunk));
    } else if (chunks_.empty() || chunks_.back()->frozen || chunks_.back()->end() != end_ ||
               chunks_.back()->data.size() >= kLogChunkBytes) {
        auto chunk = std::make_shared<Chunk>();
        chunk->at = end_;
        chunk->data.reserve(kLogChunkBytes + bytes);
        chunks_.push_back(std::move(chunk));
    }
    const Position at = end_;
    append_record(chunks_.back()->data, multihash, data);
    end_ = chunks_.back()->end();
    segments_[end_.segment] = end_.offset;
    disk_bytes_ += bytes;
    buffered_ += bytes;
    if (front_ready()) wake_.notify_one();
    return at;
}

Async<> SegmentLog::room() {
    while (buffered_ > kLogBufferedBytesMax) {
        if (closing_) co_return fail(Kind::shutting_down, "the block store is closing");
        ICL_CO_TRY(co_await changed_.wait());
    }
    co_return ok();
}

void SegmentLog::request_sync() {
    const Position last = chunks_.empty() ? written_ : chunks_.back()->end();
    if (last > sync_wanted_) {
        sync_wanted_ = last;
        wake_.notify_one();
    }
}

Async<> SegmentLog::sync() {
    const auto losses = losses_;
    const Position target = chunks_.empty() ? written_ : chunks_.back()->end();
    request_sync();
    while (durable_ < target) {
        if (losses_ != losses) co_return fail(last_loss_);
        ICL_CO_TRY(co_await changed_.wait());
    }
    co_return ok();
}

bool SegmentLog::front_ready() const {
    if (chunks_.empty()) return false;
    const auto& front = *chunks_.front();
    return front.data.size() >= kLogChunkBytes || chunks_.size() > 1 || sync_wanted_ > front.at;
}

asio::awaitable<void> SegmentLog::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        if (front_ready()) {
            auto written = co_await write_front();
            if (!written) {
                auto lost = co_await lose(written.error());
                if (!lost) co_return;
            }
        } else if (sync_wanted_ > durable_ && written_ > durable_) {
            auto synced = co_await sync_file();
            if (!synced) {
                auto lost = co_await lose(synced.error());
                if (!lost) co_return;
            }
        } else {
            if (closing_) co_return;
            auto woken = co_await wake_.wait();
            if (!woken) co_return;
        }
    }
}

Async<> SegmentLog::write_front() {
    ChunkPtr chunk = chunks_.front();
    chunk->frozen = true;
    if (!file_ || file_->number() != chunk->at.segment) {
        // A segment is durable before its successor exists, so a torn tail can only be in the
        // newest.
        if (written_ > durable_) {
            ICL_CO_TRY(co_await sync_file());
        }
        auto create = [folder = folder_, number = chunk->at.segment] {
            return SegmentFile::create(folder, number);
        };
        auto created = co_await offload(world_, std::move(create));
        ICL_CO_TRY(file_, std::move(created));
    }
    auto write_work = [file = file_, chunk] { return file->write(chunk->at.offset, chunk->data); };
    auto written = co_await offload(world_, std::move(write_work));
    ICL_CO_TRY(std::move(written));
    written_ = chunk->end();
    chunks_.pop_front();
    buffered_ -= chunk->data.size();
    changed_.notify_all();
    co_return ok();
}

Async<> SegmentLog::sync_file() {
    const Position reached = written_;
    auto sync_work = [file = file_] { return file->sync(); };
    auto synced = co_await offload(world_, std::move(sync_work));
    ICL_CO_TRY(std::move(synced));
    // Told first, so that whoever waited for the sync also finds what the owner does with it.
    ICL_CO_TRY(co_await events_.on_durable(reached));
    durable_ = reached;
    changed_.notify_all();
    co_return ok();
}

Async<> SegmentLog::lose(Error cause) {
    logger("blockstore")->error("written blocks were lost error=\"{}\"", cause.text);
    ++losses_;
    last_loss_ = std::move(cause);
    chunks_.clear();
    buffered_ = 0;
    const Position kept = durable_;
    std::shared_ptr<SegmentFile> file = std::exchange(file_, nullptr);
    roll();
    std::vector<std::uint32_t> gone;
    for (auto it = segments_.upper_bound(kept.segment); it != segments_.end();
         it = segments_.erase(it)) {
        gone.push_back(it->first);
        disk_bytes_ -= it->second;
    }
    if (auto it = segments_.find(kept.segment); it != segments_.end()) {
        disk_bytes_ -= it->second - kept.offset;
        it->second = kept.offset;
    }
    written_ = sync_wanted_ = kept;
    events_.on_lost(kept, last_loss_);
    changed_.notify_all();
    // Only tidies up: the next start cuts an incomplete tail as well.
    auto tidy_work = [folder = folder_, kept, gone, file]() -> Result<> {
        for (const auto number : gone) {
            ICL_TRY(remove_segment(folder, number));
        }
        if (file && file->number() == kept.segment) {
            ICL_TRY(file->truncate(kept.offset));
        }
        return ok();
    };
    auto tidied = co_await offload(world_, std::move(tidy_work));
    if (!tidied && tidied.error().kind == Kind::cancelled) co_return tidied;
    if (!tidied)
        logger("blockstore")->warn("cannot tidy up after a loss error=\"{}\"", tidied.error().text);
    co_return ok();
}

std::optional<Bytes> SegmentLog::from_memory(Position at, std::size_t bytes) const {
    for (const auto& chunk : chunks_) {
        if (chunk->at.segment != at.segment || at < chunk->at || at >= chunk->end()) continue;
        return chunk->data.substr(at.offset - chunk->at.offset, bytes);
    }
    return std::nullopt;
}

Async<std::shared_ptr<SegmentFile>> SegmentLog::file_for(std::uint32_t segment) {
    if (auto it = open_.find(segment); it != open_.end()) {
        it->second.second = ++uses_;
        co_return it->second.first;
    }
    auto open_work = [folder = folder_, segment] {
        return SegmentFile::open(folder, segment, false);
    };
    auto opened = co_await offload(world_, std::move(open_work));
    ICL_CO_TRY(auto file, std::move(opened));
    if (segments_.contains(segment)) {
        if (open_.size() >= kOpenSegmentsMax) {
            auto oldest = open_.begin();
            for (auto it = open_.begin(); it != open_.end(); ++it)
                if (it->second.second < oldest->second.second) oldest = it;
            open_.erase(oldest);
        }
        open_[segment] = {file, ++uses_};
    }
    co_return file;
}

Async<Bytes> SegmentLog::read_bytes(Position at, std::size_t bytes) {
    if (auto found = from_memory(at, bytes)) co_return std::move(*found);
    ICL_CO_TRY(auto file, co_await file_for(at.segment));
    auto read_work = [file, at, bytes] { return file->read(at.offset, bytes); };
    co_return co_await offload(world_, std::move(read_work));
}

Async<Bytes> SegmentLog::read(Position at, Bytes multihash, std::uint32_t data_bytes) {
    const auto bytes = record_bytes(multihash.size(), data_bytes);
    ICL_CO_TRY(auto piece, co_await read_bytes(at, bytes));
    RecordView record;
    if (read_record(piece, record) != RecordState::good || record.multihash != multihash ||
        record.data.size() != data_bytes)
        co_return fail(Kind::corrupt, "damaged block in " + segment_path(folder_, at.segment) +
                                          " at " + std::to_string(at.offset));
    co_return piece.substr(bytes - data_bytes);
}

Async<Bytes> SegmentLog::read_prefix(Position at, Bytes multihash, std::uint32_t data_bytes,
                                     std::size_t max) {
    const Position data_at{at.segment, at.offset + record_bytes(multihash.size(), 0)};
    co_return co_await read_bytes(data_at, std::min<std::size_t>(data_bytes, max));
}

Async<SegmentScan> SegmentLog::scan(std::uint32_t segment, ScanPlace from) {
    ICL_CO_TRY(auto file, co_await file_for(segment));
    auto scan_work = [file, from] { return scan_segment(*file, from, true); };
    co_return co_await offload(world_, std::move(scan_work));
}

void SegmentLog::roll() {
    end_ = {0, 0};
}

std::optional<std::uint32_t> SegmentLog::active() const {
    if (end_.offset == 0) return std::nullopt;
    return end_.segment;
}

Async<> SegmentLog::remove(std::uint32_t segment) {
    ICL_ASSERT(end_.offset == 0 || end_.segment != segment, "the active segment cannot be removed");
    ICL_ASSERT(segment <= durable_.segment, "only durable segments can be removed");
    if (file_ && file_->number() == segment) file_ = nullptr;
    auto it = segments_.find(segment);
    if (it == segments_.end()) co_return ok();
    disk_bytes_ -= it->second;
    segments_.erase(it);
    open_.erase(segment);
    auto remove_work = [folder = folder_, segment]() -> Result<> {
        ICL_TRY(remove_segment(folder, segment));
        return sync_folder(folder);
    };
    co_return co_await offload(world_, std::move(remove_work));
}

Async<> SegmentLog::close() {
    auto synced = co_await sync();
    closing_ = true;
    wake_.notify_all();
    changed_.notify_all();
    auto drained = co_await tasks_.drain();
    ICL_CO_TRY(std::move(drained));
    co_return synced;
}

}  // namespace ipfscluster::blockstore
