#include "consensus/raft/snapshot_fetch.hpp"

#include "base/log.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::raft {

namespace {
constexpr std::size_t kReconcileRows = 256;
/// Until it is looked again whether a snapshot has reached the disk.
constexpr Duration kSwitchPause = std::chrono::milliseconds(5);
}  // namespace

SnapshotFetch::SnapshotFetch(World& world, net::Host& host, state::State& state,
                             const LogStore& log, const Roster& roster, Life& life,
                             TaskGroup& tasks, const RaftOptions& options, Deliver deliver)
    : world_(world),
      host_(host),
      state_(state),
      log_(log),
      roster_(roster),
      life_(life),
      tasks_(tasks),
      options_(options),
      deliver_(std::move(deliver)),
      other_offer_(world.executor()) {}

bool SnapshotFetch::supersedes(const SnapshotOffer& offer) const {
    // Another leader's, or a transfer that stands still; else what has come so far is worth more.
    return offer.info.from != fetching_->info.from || offer.info.term > fetching_->info.term ||
           world_.steady_now() - progress_.moved >= kFetchStallMax;
}

void SnapshotFetch::offer(SnapshotOffer offer) {
    if (fetched_) {
        // Its rows are staged and wait for the engine: another transfer would replace them.
        if (offer.info.token == fetched_->token) return deliver_(std::move(offer.message));
        next_ = std::move(offer);
        return;
    }
    if (!fetching_) {
        // Nothing to fetch: the engine will say what it has.
        if (offer.info.snapshot.index <= log_.applied().index)
            return deliver_(std::move(offer.message));
        return start(std::move(offer));
    }
    // One at a time, and one of a past leader is worth nothing.
    if (offer.info.term < fetching_->info.term) return;
    if (offer.info.token == fetching_->info.token) {
        // The same again, of a later term perhaps: the engine takes no message of a past one.
        *fetching_ = std::move(offer);
        return;
    }
    next_ = std::move(offer);
    other_offer_.notify_all();
}

Async<> SnapshotFetch::wait_superseded() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!next_ || !supersedes(*next_)) {
        // What was well under way when the offer came may stand still later.
        auto woken = co_await with_deadline<void>(world_, kFetchStallMax / 2, "another offer",
                                                  other_offer_.wait());
        if (!woken && woken.error().kind == Kind::cancelled) co_return fail(woken.error());
    }
    co_return ok();
}

void SnapshotFetch::start(SnapshotOffer offer) {
    fetching_ = std::move(offer);
    progress_.moved = world_.steady_now();
    if (!tasks_.spawn(run())) fetching_.reset();
}

bool SnapshotFetch::level_suffices(const FetchedSnapshot& fetched) {
    const auto level = fetched.facts.feature_level();
    if (level <= options_.feature_level) return true;
    life_.end({Kind::unsupported, "the cluster has feature level " + std::to_string(level) +
                                      ", this build knows levels up to " +
                                      std::to_string(options_.feature_level) +
                                      ": install a newer build"});
    return false;
}

asio::awaitable<void> SnapshotFetch::run() {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto from = fetching_->from;
    const auto info = fetching_->info;
    const auto index = info.snapshot.index;
    logger("raft")->info("fetching a snapshot peer={} index={}", from.to_string(), index);
    auto first =
        co_await (detail::as_optional<FetchedSnapshot>(fetch_snapshot(
                      world_, host_, state_, from, roster_.hello(Purpose::snapshot, info.from),
                      info, options_.network_timeout, &progress_)) ||
                  detail::as_optional<void>(wait_superseded()));
    auto message = std::move(fetching_->message);
    fetching_.reset();
    auto next = std::exchange(next_, std::nullopt);
    if (first.index() == 1) {
        if (!*std::get<1>(first)) co_return;
        logger("raft")->info("a snapshot transfer gives way to a newer offer index={}", index);
    } else {
        auto& fetched = *std::get<0>(first);
        if (fetched && !level_suffices(fetched.value())) co_return;
        if (fetched && !life_.over()) {
            fetched_ = std::move(fetched.value());
            co_return deliver_(std::move(message));
        }
        if (!fetched && fetched.error().kind == Kind::cancelled) co_return;
        if (!fetched)
            logger("raft")->warn("snapshot transfer failed index={} error=\"{}\"", index,
                                 fetched.error().text);
    }
    if (next && !life_.over()) offer(std::move(*next));
}

Result<FetchedSnapshot> SnapshotFetch::take(const SnapshotMeta& snapshot) {
    if (!fetched_ || fetched_->token != snapshot.token || fetched_->at != snapshot.at)
        return fail(Kind::internal, "the engine installs a snapshot that was not fetched");
    auto taken = std::move(*fetched_);
    fetched_.reset();
    return taken;
}

void SnapshotFetch::seen(const Bytes& token) {
    if (fetched_ && fetched_->token == token) fetched_.reset();
    if (!fetched_ && !fetching_ && next_) offer(*std::exchange(next_, std::nullopt));
}

void SnapshotFetch::reconcile() {
    if (!std::exchange(reconciling_, true)) tasks_.spawn(run_reconcile());
}

asio::awaitable<void> SnapshotFetch::run_reconcile() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!life_.over()) {
        auto done = state_.reconcile_generations(kReconcileRows);
        if (!done) {
            life_.end(done.error().in("comparing the pinsets before and after a snapshot"));
            break;
        }
        if (done.value()) break;
        // Nothing can be done before a switch is on the disk.
        auto slept =
            co_await world_.sleep_for(state_.switching() ? kSwitchPause : Duration::zero());
        if (!slept) break;
        auto has_room = co_await state_.room();
        if (!has_room) break;  // a store that failed ends the rounds, too
    }
    reconciling_ = false;
}

}  // namespace ipfscluster::raft
