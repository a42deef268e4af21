#pragma once
#include <map>
#include <memory>
#include <set>

#include "component/ipfs_connector.hpp"
#include "runtime/signal.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::test {

/// What happened at one destination of an add, and what shall go wrong there. Shared by the test
/// and its sessions.
struct FakeBlocks {
    explicit FakeBlocks(World& w) : world(w), released(w.executor()) {}

    World& world;
    std::set<Cid> blocks;
    std::size_t bytes = 0;
    std::size_t puts_begun = 0;
    int committed = 0;
    int sessions = 0;  ///< open now
    std::optional<std::string> put_error, commit_error;
    std::size_t puts_before_error = 0;
    bool hold_puts = false;  ///< a put waits until `release`
    bool hold_commit = false;
    Duration put_time{0};

    void release() {
        hold_puts = hold_commit = false;
        released.notify_all();
    }
    Signal released;
};

class FakeBlockSession final : public component::BlockSession {
 public:
    explicit FakeBlockSession(std::shared_ptr<FakeBlocks> place) : place_(std::move(place)) {
        ++place_->sessions;
    }
    ~FakeBlockSession() override { --place_->sessions; }

    Async<> put(Cid cid, Bytes data) override {
        ++place_->puts_begun;
        if (place_->put_error && place_->puts_begun > place_->puts_before_error)
            co_return fail(Kind::disk_full, *place_->put_error);
        if (place_->put_time > Duration(0)) {
            ICL_CO_TRY(co_await place_->world.sleep_for(place_->put_time));
        }
        while (place_->hold_puts) {
            ICL_CO_TRY(co_await place_->released.wait());
        }
        place_->bytes += data.size();
        place_->blocks.insert(std::move(cid));
        co_return ok();
    }

    Async<> commit() override {
        while (place_->hold_commit) {
            ICL_CO_TRY(co_await place_->released.wait());
        }
        if (place_->commit_error) co_return fail(Kind::disk_full, *place_->commit_error);
        ++place_->committed;
        co_return ok();
    }

 private:
    std::shared_ptr<FakeBlocks> place_;
};

}  // namespace ipfscluster::test
