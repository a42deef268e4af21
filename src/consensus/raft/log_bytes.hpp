#pragma once
#include <cstdint>
#include <deque>

namespace ipfscluster::raft {

/// How many bytes of entries the log holds, and behind which index so many of them stand. Exact to
/// about a mebibyte, with one number per mebibyte. No I/O; part of LogStore.
class LogBytes {
 public:
    /// Entry `index`, the next one, has so many bytes.
    void append(std::uint64_t index, std::uint64_t bytes);
    /// The entries from `index` on are replaced.
    void cut(std::uint64_t index);
    /// The entries up to `index` are dropped.
    void drop_to(std::uint64_t index);
    void clear();
    std::uint64_t total() const { return total_; }
    /// The least index known behind which at most `bytes` of entries stand; 0: all are fewer.
    std::uint64_t index_leaving(std::uint64_t bytes) const;

 private:
    /// Entries that follow each other.
    struct Run {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::uint64_t bytes = 0;
    };
    std::deque<Run> runs_;
    std::uint64_t total_ = 0;
};

}  // namespace ipfscluster::raft
