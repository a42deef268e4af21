#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>

#include "component/ipfs_connector.hpp"
#include "runtime/sim_world.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::test {

/// An IPFS daemon for tests, and what a connector knows of it: remembers what it holds, takes its
/// time, and fails as told. A call that it does not take shows that it is away; then one look a
/// second finds out whether it is back. It outlives the peers that talk to it, as a real daemon
/// does.
class FakeIpfs final : public component::IpfsConnector {
 public:
    explicit FakeIpfs(SimWorld& world) : world_(world) {}

    std::map<Cid, Pin> held;
    /// Errors for the next calls about a CID, oldest first.
    std::map<Cid, std::deque<Error>> pin_errors, unpin_errors;
    std::optional<Error> down;  ///< every call fails with it
    std::optional<Error> full;  ///< what is not held yet cannot be
    Duration pin_time = std::chrono::milliseconds(10);
    Duration unpin_time = std::chrono::milliseconds(1);
    std::map<Cid, Duration> slow_pins;
    /// Nobody has these: their pins fetch nothing, and fail after that time.
    std::map<Cid, Duration> dead;
    /// A pin that takes longer tells so often that it has fetched a block more.
    Duration progress_every = std::chrono::seconds(5);
    /// "pin X", "unpin X", "cancelled X" with the CID's number from `names`.
    std::vector<std::string> calls;
    std::map<Cid, std::string> names;
    /// Asked for each pin and unpin that names no time or error of its own: chance, in simulations.
    std::function<Duration()> time_drawn;
    std::function<std::optional<Error>()> fault_drawn;
    std::map<Cid, Bytes> blocks;  ///< what `block_get` gives
    RepoStat repo;
    IpfsId own_id;
    int running_pins = 0;
    int running_pins_max = 0;
    /// Pins taken in one call, which does one after the other; how many came so, the largest call.
    std::size_t together = 16;
    std::size_t told_together = 0, told_together_max = 0;
    int status_calls = 0;
    int list_calls = 0;
    int pins_at_once = std::numeric_limits<int>::max();
    /// Told of each pin, unpin, pin_status and pin_ls, answered or not, and of each look.
    std::function<void()> on_call;
    /// Lists come in an order of their own and take their time; they show what was held when they
    /// began, and with `list_cut` they end with that error after half of it.
    Duration list_time = Duration::zero();
    std::optional<Error> list_cut;

    Async<> start() override { co_return ok(); }
    Async<> stop() override { co_return ok(); }
    bool ready() override { return !down; }
    component::DaemonState daemon() const override {
        return {!away_, away_ && down ? down->text : std::string(), pins_at_once};
    }
    void on_daemon(std::function<void()> changed) override { changed_ = std::move(changed); }
    Async<IpfsId> id() override {
        ICL_CO_TRY(answers());
        co_return own_id;
    }

    Async<> pin(component::PinRequest request, component::ProgressHandler progress) override {
        auto& pin = request.pin;
        if (request.held == component::Held::unknown) {
            ICL_CO_TRY(const auto status, co_await pin_status(pin));
            if (status != IpfsPinStatus::unpinned) co_return ok();
        }
        reached();
        note("pin", pin.cid);
        running_pins_max = std::max(running_pins_max, ++running_pins);
        auto fetched = co_await fetch(pin.cid, std::move(progress));
        --running_pins;
        if (!fetched) {
            if (fetched.error().kind == Kind::cancelled) note("cancelled", pin.cid);
            co_return fetched;
        }
        ICL_CO_TRY(verdict(pin_errors, pin.cid));
        if (full && !held.contains(pin.cid)) co_return fail(*full);
        auto cid = pin.cid;
        held.insert_or_assign(std::move(cid), std::move(pin));
        co_return ok();
    }
    std::size_t together_max() const override { return together; }
    Async<> pin_together(std::vector<Cid> cids, Duration limit) override {
        told_together += cids.size();
        told_together_max = std::max(told_together_max, cids.size());
        auto told = co_await with_deadline<void>(world_, limit, "pins together", pin_each(cids));
        co_return told;
    }
    Async<> unpin(Cid cid) override {
        reached();
        note("unpin", cid);
        auto slept = co_await world_.sleep_for(time_of(unpin_time));
        if (!slept) co_return fail(slept.error());
        ICL_CO_TRY(verdict(unpin_errors, cid));
        held.erase(cid);
        co_return ok();
    }
    Async<IpfsPinStatus> pin_status(Pin pin) override {
        reached();
        ++status_calls;
        auto slept = co_await world_.sleep_for(std::chrono::milliseconds(1));
        if (!slept) co_return fail(slept.error());
        ICL_CO_TRY(answers());
        const auto it = held.find(pin.cid);
        if (it == held.end()) co_return IpfsPinStatus::unpinned;
        if (it->second.max_depth != kDepthDirect) co_return IpfsPinStatus::recursive;
        co_return pin.max_depth == kDepthDirect ? IpfsPinStatus::direct : IpfsPinStatus::unpinned;
    }
    SourcePtr<IpfsPinInfo> pin_ls(std::vector<std::string>) override {
        reached();
        ++list_calls;
        if (auto there = answers(); !there)
            return std::make_unique<ListSource>(*this, std::vector<IpfsPinInfo>{}, there.error());
        std::vector<IpfsPinInfo> rows;
        for (const auto& [cid, pin] : held)
            rows.push_back({cid, pin.max_depth == kDepthDirect ? IpfsPinStatus::direct
                                                               : IpfsPinStatus::recursive});
        // A fixed disorder: the second half first, each half backwards.
        const auto half = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
        std::reverse(rows.begin(), half);
        std::reverse(half, rows.end());
        std::rotate(rows.begin(), half, rows.end());
        if (list_cut) rows.resize(rows.size() / 2);
        return std::make_unique<ListSource>(*this, std::move(rows), list_cut);
    }

    Async<RepoStat> repo_stat() override {
        ICL_CO_TRY(answers());
        co_return repo;
    }
    SourcePtr<RepoGcKey> repo_gc() override {
        return std::make_unique<VectorSource<RepoGcKey>>(std::vector<RepoGcKey>{});
    }
    Async<> swarm_connect(std::vector<Multiaddr>) override { co_return ok(); }
    Async<std::vector<PeerId>> swarm_peers() override { co_return std::vector<PeerId>{}; }
    Async<Cid> resolve(std::string) override { co_return unsupported(); }
    Async<Bytes> block_get(Cid cid) override {
        ICL_CO_TRY(answers());
        const auto found = blocks.find(cid);
        if (found == blocks.end()) co_return fail(Kind::not_found, "no such block");
        co_return found->second;
    }
    Async<std::unique_ptr<component::BlockSession>> open_blocks() override {
        co_return unsupported();
    }
    Async<component::FileInfo> stat(std::string) override { co_return unsupported(); }
    Async<SourcePtr<Bytes>> cat(Cid, std::uint64_t, std::uint64_t) override {
        co_return unsupported();
    }
    Async<SourcePtr<component::DirectoryEntry>> ls(Cid) override { co_return unsupported(); }
    Async<std::string> read_link(Cid) override { co_return unsupported(); }

 private:
    Async<> pin_each(std::vector<Cid> cids) {
        for (auto& cid : cids) {
            Pin wanted;
            wanted.cid = std::move(cid);
            ICL_CO_TRY(co_await pin({std::move(wanted), component::Held::no}, nullptr));
        }
        co_return ok();
    }
    class ListSource final : public Source<IpfsPinInfo> {
     public:
        ListSource(FakeIpfs& ipfs, std::vector<IpfsPinInfo> rows, std::optional<Error> end)
            : ipfs_(ipfs), rows_(std::move(rows)), end_(std::move(end)) {}
        Async<std::optional<IpfsPinInfo>> next() override {
            if (ipfs_.list_time > Duration::zero()) {
                auto slept = co_await ipfs_.world_.sleep_for(ipfs_.list_time);
                if (!slept) co_return fail(slept.error());
            }
            if (at_ < rows_.size()) co_return std::optional<IpfsPinInfo>(rows_[at_++]);
            if (end_) co_return fail(*end_);
            co_return std::optional<IpfsPinInfo>{};
        }

     private:
        FakeIpfs& ipfs_;
        std::vector<IpfsPinInfo> rows_;
        std::optional<Error> end_;
        std::size_t at_ = 0;
    };
    void reached() const {
        if (on_call) on_call();
    }
    /// Whether the daemon takes a call, which shows whether it is there.
    Result<> answers() {
        if (!down) {
            found();
            return ok();
        }
        if (down->kind == Kind::unavailable && !std::exchange(away_, true)) look_soon();
        return fail(*down);
    }
    void found() {
        if (std::exchange(away_, false) && changed_) changed_();
    }
    void look_soon() {
        const auto look = [this, alive = std::weak_ptr(alive_)] {
            if (alive.expired() || !away_) return;
            reached();
            if (down) return look_soon();
            found();
        };
        world_.call_at(world_.steady_now() + std::chrono::seconds(1), look);
    }
    Async<> fetch(Cid cid, component::ProgressHandler progress) {
        if (const auto found = dead.find(cid); found != dead.end()) {
            if (progress) progress({});
            auto slept = co_await world_.sleep_for(found->second);
            if (!slept) co_return slept;
            co_return fail(Kind::timeout, "no progress: nobody has it");
        }
        const auto slow = slow_pins.find(cid);
        auto left = slow == slow_pins.end() ? time_of(pin_time) : slow->second;
        for (std::uint64_t n = 1;; ++n) {
            if (progress) progress({n, 100 * n});
            const auto step = std::min(left, progress_every);
            auto slept = co_await world_.sleep_for(step);
            if (!slept) co_return slept;
            left -= step;
            if (left <= Duration::zero()) co_return ok();
        }
    }
    static boost::outcome_v2::failure_type<Error> unsupported() {
        return fail(Kind::unsupported, "the fake daemon holds no content");
    }
    Duration time_of(Duration usual) const { return time_drawn ? time_drawn() : usual; }
    void note(const std::string& what, const Cid& cid) {
        const auto it = names.find(cid);
        calls.push_back(what + " " + (it == names.end() ? cid.to_string() : it->second));
    }
    Result<> verdict(std::map<Cid, std::deque<Error>>& errors, const Cid& cid) {
        ICL_TRY(answers());
        const auto it = errors.find(cid);
        if (it == errors.end() || it->second.empty()) {
            auto fault = fault_drawn ? fault_drawn() : std::nullopt;
            if (fault) return fail(std::move(*fault));
            return ok();
        }
        auto error = it->second.front();
        it->second.pop_front();
        return fail(std::move(error));
    }
    SimWorld& world_;
    bool away_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::function<void()> changed_;
};

}  // namespace ipfscluster::test
