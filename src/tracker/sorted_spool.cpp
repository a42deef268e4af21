#include "tracker/sorted_spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/assert.hpp"
#include "base/varint.hpp"

namespace ipfscluster::tracker {

namespace {

Error io_error(std::string_view what, const std::string& folder, int code) {
    const auto kind = code == ENOSPC || code == EDQUOT ? Kind::disk_full : Kind::internal;
    return {kind, fmt::format("{} a temporary file in {}: {}", what, folder, std::strerror(code))};
}

}  // namespace

/// One piece while it is read back, front to back.
class SortedSpool::Reader {
 public:
    Reader(int fd, std::pair<std::uint64_t, std::uint64_t> where, std::size_t ahead)
        : fd_(fd), at_(where.first), end_(where.second), ahead_(ahead) {}

    BytesView current() const { return current_; }
    /// False at the end of the piece.
    Result<bool> advance() {
        if (rest().size() < kSpoolRecordMax + kVarintMax && at_ < end_) {
            ICL_TRY(refill());
        }
        auto left = rest();
        if (left.empty()) return false;
        const auto before = left.size();
        ICL_TRY(const auto length, take_uvarint(left));
        if (length > left.size())
            return fail(Kind::corrupt, "a temporary file does not hold what was written to it");
        const auto used = before - left.size();
        current_ = BytesView(buffer_).substr(taken_ + used, static_cast<std::size_t>(length));
        taken_ += used + static_cast<std::size_t>(length);
        return true;
    }

 private:
    static constexpr std::size_t kVarintMax = 10;
    BytesView rest() const { return BytesView(buffer_).substr(taken_); }

    Result<> refill() {
        buffer_.erase(0, taken_);
        taken_ = 0;
        auto have = buffer_.size();
        const auto wanted = std::min<std::uint64_t>(ahead_, end_ - at_);
        buffer_.resize(have + static_cast<std::size_t>(wanted));
        while (have < buffer_.size()) {
            const auto n =
                ::pread(fd_, buffer_.data() + have, buffer_.size() - have, static_cast<off_t>(at_));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0)
                return fail(Kind::internal, std::string("cannot read a temporary file: ") +
                                                (n < 0 ? std::strerror(errno) : "it is cut short"));
            have += static_cast<std::size_t>(n);
            at_ += static_cast<std::uint64_t>(n);
        }
        return ok();
    }

    int fd_;
    std::uint64_t at_, end_;
    std::size_t ahead_;
    Bytes buffer_;
    std::size_t taken_ = 0;
    BytesView current_;  ///< into buffer_
};

SortedSpool::SortedSpool(std::string folder, std::size_t run_bytes)
    : folder_(std::move(folder)), run_bytes_(run_bytes) {}

SortedSpool::~SortedSpool() {
    if (fd_ >= 0) ::close(fd_);
}

bool SortedSpool::add(BytesView record) {
    ICL_ASSERT(record.size() <= kSpoolRecordMax, "a spooled record is small");
    at_.emplace_back(static_cast<std::uint32_t>(arena_.size()),
                     static_cast<std::uint32_t>(record.size()));
    arena_ += record;
    return arena_.size() >= run_bytes_;
}

BytesView SortedSpool::pending(std::size_t i) const {
    return BytesView(arena_).substr(at_[i].first, at_[i].second);
}

void SortedSpool::sort_pending() {
    const BytesView all = arena_;
    std::sort(at_.begin(), at_.end(), [all](const auto& a, const auto& b) {
        return all.substr(a.first, a.second) < all.substr(b.first, b.second);
    });
}

Result<> SortedSpool::open_file() {
    std::string path = folder_ + "/spool-XXXXXX";
    fd_ = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd_ < 0) return fail(io_error("cannot make", folder_, errno));
    ::unlink(path.c_str());
    return ok();
}

Result<> SortedSpool::write_run() {
    if (at_.empty()) return ok();
    if (runs_.size() == kSpoolRunsMax)
        return fail(Kind::unsupported, fmt::format("more than {} MiB of records to sort",
                                                   kSpoolRunsMax * (run_bytes_ / 1024) / 1024));
    if (fd_ < 0) {
        ICL_TRY(open_file());
    }
    sort_pending();
    Bytes out;
    out.reserve(arena_.size() + 2 * at_.size());
    for (std::size_t i = 0; i < at_.size(); ++i) {
        put_uvarint(out, pending(i).size());
        out += pending(i);
    }
    const auto begin = runs_.empty() ? 0 : runs_.back().second;
    std::size_t done = 0;
    while (done < out.size()) {
        const auto n =
            ::pwrite(fd_, out.data() + done, out.size() - done, static_cast<off_t>(begin + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(io_error("cannot write to", folder_, errno));
        done += static_cast<std::size_t>(n);
    }
    runs_.emplace_back(begin, begin + out.size());
    arena_.clear();
    at_.clear();
    return ok();
}

namespace {
/// For std heaps, which keep the greatest first.
constexpr auto kLater = [](const auto& a, const auto& b) { return a->current() > b->current(); };
}  // namespace

Result<> SortedSpool::finish() {
    if (runs_.empty()) {
        sort_pending();
        return ok();
    }
    ICL_TRY(write_run());
    Bytes().swap(arena_);
    decltype(at_)().swap(at_);
    const auto ahead = std::max(kSpoolReadBytes / runs_.size(), kSpoolPieceReadMin);
    for (const auto& run : runs_) {
        auto reader = std::make_unique<Reader>(fd_, run, ahead);
        ICL_TRY(const auto some, reader->advance());
        if (some) heads_.push_back(std::move(reader));
    }
    std::make_heap(heads_.begin(), heads_.end(), kLater);
    return ok();
}

Result<std::vector<Bytes>> SortedSpool::read(std::size_t records_max) {
    std::vector<Bytes> out;
    const auto give = [&](BytesView record) {
        if (any_read_ && record == last_) return;
        any_read_ = true;
        last_ = Bytes(record);
        out.push_back(last_);
    };
    while (out.size() < records_max && next_pending_ < at_.size()) give(pending(next_pending_++));
    while (out.size() < records_max && !heads_.empty()) {
        std::pop_heap(heads_.begin(), heads_.end(), kLater);
        give(heads_.back()->current());
        ICL_TRY(const auto more, heads_.back()->advance());
        if (more)
            std::push_heap(heads_.begin(), heads_.end(), kLater);
        else
            heads_.pop_back();
    }
    return out;
}

}  // namespace ipfscluster::tracker
