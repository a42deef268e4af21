#include "tracker/durable_index.hpp"

#include "base/assert.hpp"
#include "base/planted.hpp"

namespace ipfscluster::tracker {

Async<> DurableIndex::reach(std::uint64_t index) {
    ICL_ASSERT(index <= seen_, "only what was read is waited for");
    while (!covers(index) && !planted(Bug::told_before_durable)) {
        if (syncing_) {
            auto woken = co_await synced_.wait();
            if (!woken) co_return fail(woken.error());
            continue;
        }
        syncing_ = true;
        const auto reached = seen_;
        auto done = co_await store_.sync();
        syncing_ = false;
        if (done) durable_ = std::max(durable_, reached);
        synced_.notify_all();
        if (!done) co_return fail(done.error());
    }
    co_return ok();
}

}  // namespace ipfscluster::tracker
