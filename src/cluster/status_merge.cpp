#include "cluster/status_merge.hpp"

#include <algorithm>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <deque>

#include "base/log.hpp"
#include "runtime/join.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::cluster {

namespace {

class StatusMerge final : public Source<GlobalPinInfo> {
 public:
    StatusMerge(World& world, std::vector<StatusBranch> branches) : world_(world) {
        for (auto& branch : branches) branches_.emplace_back(std::move(branch));
    }

    Async<std::optional<GlobalPinInfo>> next() override {
        ICL_CO_TRY(co_await fill_all());
        const Cid* first = nullptr;
        for (const auto& branch : branches_)
            if (!branch.rows.empty() && (first == nullptr || branch.rows.front().cid < *first))
                first = &branch.rows.front().cid;
        if (first == nullptr) {
            if (fallen_.empty()) co_return std::optional<GlobalPinInfo>{};
            auto text = "the list is incomplete: " + fallen_;
            fallen_.clear();
            co_return fail(Kind::unavailable, std::move(text));
        }
        co_return take_row(*first);
    }

 private:
    struct Branch {
        explicit Branch(StatusBranch branch) : in(std::move(branch)) {}
        StatusBranch in;
        std::deque<PinInfo> rows;  ///< read ahead; at most kStatusBatchMax
        std::size_t batch =
            1;  ///< how many to read next: few at first, so that the first row is out at once
        Cid last;
        SteadyTime moved{};
        std::optional<Error> failed;  ///< after `rows`
    };

    bool needs_rows(const Branch& branch) const { return branch.rows.empty() && branch.in.rows; }

    /// Reads on in each branch that has no row, side by side: several silent peers cost one
    /// deadline together.
    Async<> fill_all() {
        std::vector<std::size_t> empty;
        for (std::size_t i = 0; i < branches_.size(); ++i)
            if (needs_rows(branches_[i])) empty.push_back(i);
        if (empty.empty()) co_return ok();
        co_await asio::this_coro::throw_if_cancelled(false);
        ICL_CO_TRY(co_await check_cancelled());
        if (empty.size() == 1) {
            auto filled = co_await fill(empty[0]);
            co_return filled;
        }
        cancelled_.reset();
        using Fill = decltype(asio::co_spawn(world_.executor(), fill_kept(0), asio::deferred));
        std::vector<Fill> fills;
        for (const auto i : empty)
            fills.push_back(asio::co_spawn(world_.executor(), fill_kept(i), asio::deferred));
        auto group = asio::experimental::make_parallel_group(std::move(fills));
        auto ended =
            co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
        for (const auto& exception : std::get<1>(ended))
            if (exception) co_return fail(Kind::cancelled, "the status list was given up");
        if (cancelled_) co_return fail(*cancelled_);
        co_return ok();
    }

    asio::awaitable<void> fill_kept(std::size_t i) {
        auto filled = co_await fill(i);
        if (!filled) cancelled_ = filled.error();
    }

    /// Reads the branch's next rows; a failure turns the branch into an absent peer once they are
    /// given out.
    Async<> fill(std::size_t i) {
        auto& branch = branches_[i];
        if (!branch.failed) {
            Result<> read = ok();
            if (branch.in.own)
                read = co_await read_rows(i);
            else
                read = co_await read_watched(i);
            if (read) co_return ok();
            if (read.error().kind == Kind::cancelled) co_return read;
            branch.failed = read.error();
            if (!branch.rows.empty()) co_return ok();
        }
        branch.in.error = branch.failed->text;
        branch.in.rows.reset();
        logger("cluster")->warn("a peer fell out of a status list peer={} error=\"{}\"",
                                branch.in.peer.to_string(), branch.in.error);
        if (!fallen_.empty()) fallen_ += "; ";
        fallen_ += branch.in.peer.to_string() + ": " + branch.in.error;
        co_return ok();
    }

    /// One batch. A deadline for each row would cost more than the row.
    Async<> read_rows(std::size_t i) {
        auto& branch = branches_[i];
        for (std::size_t n = branch.batch; n > 0; --n) {
            auto row = co_await branch.in.rows->next();
            if (!row) co_return fail(row.error());
            if (!row.value()) {
                branch.in.rows.reset();
                break;
            }
            if (branch.last.defined() && !(branch.last < row.value()->cid))
                co_return fail(Kind::corrupt, "the peer's list is not sorted");
            branch.last = row.value()->cid;
            branch.rows.push_back(std::move(*row.value()));
            branch.moved = world_.steady_now();
        }
        branch.batch = std::min(branch.batch * 4, kStatusBatchMax);
        co_return ok();
    }

    Async<> read_watched(std::size_t i) {
        using namespace asio::experimental::awaitable_operators;
        branches_[i].moved = world_.steady_now();
        auto first = co_await (detail::as_optional<void>(read_rows(i)) ||
                               detail::as_optional<void>(wait_for_silence(i)));
        if (first.index() == 0) co_return std::move(*std::get<0>(first));
        co_return std::move(*std::get<1>(first));
    }

    /// Returns when the branch has been silent for too long, or with `cancelled`.
    Async<> wait_for_silence(std::size_t i) {
        const auto silence_max = branches_[i].in.silence_max;
        while (world_.steady_now() < branches_[i].moved + silence_max) {
            ICL_CO_TRY(co_await world_.sleep_until(branches_[i].moved + silence_max));
        }
        co_return fail(Kind::timeout,
                       "status list: no answer within " + format_go_duration(silence_max));
    }

    std::optional<GlobalPinInfo> take_row(Cid cid) {
        GlobalPinInfo global;
        for (auto& branch : branches_) {
            if (branch.rows.empty() || branch.rows.front().cid != cid) continue;
            global.add(branch.rows.front());
            branch.rows.pop_front();
        }
        for (const auto& branch : branches_) {
            if (branch.in.error.empty() || global.peer_map.contains(branch.in.peer)) continue;
            global.peer_map[branch.in.peer] = {.peername = branch.in.peername,
                                               .status = TrackerStatus::cluster_error,
                                               .timestamp = world_.system_now(),
                                               .error = branch.in.error};
        }
        return global;
    }

    World& world_;
    std::vector<Branch> branches_;
    std::string fallen_;
    std::optional<Error> cancelled_;
};

}  // namespace

SourcePtr<GlobalPinInfo> merge_status(World& world, std::vector<StatusBranch> branches) {
    return std::make_unique<StatusMerge>(world, std::move(branches));
}

}  // namespace ipfscluster::cluster
