#include "storage/group_commit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/planted.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::storage {

struct GroupCommit::Core {
    Core(World& w, Hooks h)
        : world(w), hooks(std::move(h)), changed(w.executor()), synced_at(w.steady_now()) {}
    World& world;
    Hooks hooks;
    Signal changed;
    std::uint64_t written = 0;
    std::uint64_t wanted = 0;
    std::uint64_t synced = 0;
    SteadyTime synced_at;
    bool running = false;
    std::optional<Error> failed;

    static void start(const std::shared_ptr<Core>& core) {
        if (std::exchange(core->running, true)) return;
        asio::co_spawn(core->world.executor(), run(core), asio::detached);
    }

    /// Syncs until every wanted ticket is durable. Spawned by itself, so that a caller that gives
    /// up does not end the sync the others wait for.
    static asio::awaitable<void> run(std::shared_ptr<Core> core) {
        while (!core->failed && core->synced < core->wanted) {
            const auto target = core->written;
            auto sync = core->hooks.sync;
            const auto pool = planted(Bug::syncs_among_names) ? Pool::names : core->hooks.pool;
            auto done = co_await offload(core->world, pool, std::move(sync));
            if (!done) {
                if (!core->failed) core->failed = done.error().in("disk sync");
            } else if (!core->failed) {
                core->synced = planted(Bug::sync_covers_too_much) ? core->written : target;
                core->synced_at = core->world.steady_now();
                if (core->hooks.synced) core->hooks.synced(target);
            }
            core->changed.notify_all();
        }
        core->running = false;
        core->changed.notify_all();
    }
};

GroupCommit::GroupCommit(World& world, Hooks hooks)
    : core_(std::make_shared<Core>(world, std::move(hooks))) {}

std::uint64_t GroupCommit::wrote() {
    return ++core_->written;
}

std::uint64_t GroupCommit::last_ticket() const {
    return core_->written;
}

SteadyTime GroupCommit::synced_at() const {
    return core_->synced_at;
}

std::optional<Error> GroupCommit::failure() const {
    return core_->failed;
}

void GroupCommit::poison(Error error) {
    if (!core_->failed) core_->failed = std::move(error);
    core_->changed.notify_all();
}

void GroupCommit::begin() {
    if (core_->failed) return;
    core_->wanted = core_->written;
    Core::start(core_);
}

Async<> GroupCommit::wait(std::uint64_t ticket) {
    auto core = core_;  // the store may be closed while we wait
    core->wanted = std::max(core->wanted, ticket);
    while (core->synced < ticket) {
        if (core->failed) co_return fail(*core->failed);
        Core::start(core);
        auto woken = co_await core->changed.wait();
        if (!woken && core->synced < ticket) co_return fail(woken.error());
    }
    co_return ok();
}

Async<> GroupCommit::drain() {
    auto core = core_;
    while (core->running) {
        auto woken = co_await core->changed.wait();
        if (!woken) co_return fail(woken.error());
    }
    co_return ok();
}

}  // namespace ipfscluster::storage
