#pragma once
#include "dag/chunker.hpp"

namespace ipfscluster::dag {

/// A content defined chunker around a `Cutter`, which looks at the unfinished chunk from where it
/// last stopped: `std::size_t cut(BytesView chunk, std::size_t from)` answers the length of the
/// chunk, or 0 when it does not end within these bytes; `void reset()` begins a new chunk.
template <class Cutter>
class RollingChunker final : public Chunker {
 public:
    explicit RollingChunker(Cutter cutter) : cutter_(std::move(cutter)) {}

    Result<> feed(BytesView data, const ChunkSink& sink) override {
        pending_ += data;
        std::size_t begin = 0;
        while (true) {
            const auto chunk = BytesView(pending_).substr(begin);
            const auto length = cutter_.cut(chunk, scanned_);
            if (length == 0) {
                scanned_ = chunk.size();
                break;
            }
            ICL_TRY(sink(chunk.substr(0, length)));
            begin += length;
            scanned_ = 0;
            cutter_.reset();
        }
        pending_.erase(0, begin);
        return ok();
    }

    Result<> finish(const ChunkSink& sink) override {
        if (!pending_.empty()) {
            ICL_TRY(sink(pending_));
        }
        pending_.clear();
        scanned_ = 0;
        cutter_.reset();
        return ok();
    }

 private:
    Cutter cutter_;
    Bytes pending_;  // the unfinished chunk, whole
    std::size_t scanned_ = 0;
};

/// The two content defined chunkers; see their sources for the algorithms.
std::unique_ptr<Chunker> make_rabin_chunker(const ChunkerSpec& spec);
std::unique_ptr<Chunker> make_buzhash_chunker();

}  // namespace ipfscluster::dag
