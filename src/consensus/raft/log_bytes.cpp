#include "consensus/raft/log_bytes.hpp"

namespace ipfscluster::raft {

namespace {
constexpr std::uint64_t kRunBytes = 1024 * 1024;
}  // namespace

void LogBytes::append(std::uint64_t index, std::uint64_t bytes) {
    if (runs_.empty() || runs_.back().bytes >= kRunBytes) runs_.push_back({index, index, 0});
    runs_.back().last = index;
    runs_.back().bytes += bytes;
    total_ += bytes;
}

void LogBytes::cut(std::uint64_t index) {
    while (!runs_.empty() && runs_.back().first >= index) {
        total_ -= runs_.back().bytes;
        runs_.pop_back();
    }
    // What is replaced of a run is not known and counts until the run goes.
    if (!runs_.empty() && runs_.back().last >= index) runs_.back().last = index - 1;
}

void LogBytes::drop_to(std::uint64_t index) {
    while (!runs_.empty() && runs_.front().last <= index) {
        total_ -= runs_.front().bytes;
        runs_.pop_front();
    }
}

void LogBytes::clear() {
    runs_.clear();
    total_ = 0;
}

std::uint64_t LogBytes::index_leaving(std::uint64_t bytes) const {
    auto left = total_;
    std::uint64_t index = 0;
    for (const auto& run : runs_) {
        if (left <= bytes) break;
        left -= run.bytes;
        index = run.last;
    }
    return index;
}

}  // namespace ipfscluster::raft
