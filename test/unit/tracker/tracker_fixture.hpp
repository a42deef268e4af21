#pragma once
#include <gtest/gtest.h>

#include "runtime/sim_peer_world.hpp"
#include "storage/memory_store.hpp"
#include "support/drive.hpp"
#include "support/fake_ipfs.hpp"
#include "support/pins.hpp"
#include "tracker/tracker.hpp"

namespace ipfscluster::tracker {

using test::cid;
using test::drive;
using test::peer;
using test::pin_on;
using namespace std::chrono_literals;

/// A tracker with its store, pinset and daemon, that can be killed and started again.
struct Rig {
    explicit Rig(std::uint64_t seed = 1, TrackerOptions o = {})
        : world(seed), ipfs(world), options(o) {
        for (int i = 0; i < 20; ++i) ipfs.names[cid(i)] = std::to_string(i);
        boot();
    }
    ~Rig() { stop(); }

    void boot() {
        store = std::make_unique<storage::MemoryStore>(world, disk);
        pinset = std::make_unique<state::State>(*store, peer(1));
        EXPECT_TRUE(pinset->open());
        tracker = std::make_unique<Tracker>(machine, *store, *pinset, ipfs, options);
        tracker->set_identity({"the peer", {}});
        if (others_answer) let_others_answer();
        ICL_EXPECT_OK(drive(world, tracker->start()));
    }
    /// From now on peer 2 holds what the pinset gives it, and says so every second time.
    void let_others_answer() {
        others_answer = true;
        tracker->ask_holders_through(
            {.members =
                 [] {
                     return std::vector<PeerId>{peer(1), peer(2)};
                 },
             .alive = [](const PeerId&) { return true; },
             .status = [this](PeerId, Cid item) { return answer(this, std::move(item)); }});
    }
    static Async<PinInfo> answer(Rig* rig, Cid item) {
        auto slept = co_await rig->world.sleep_for(2ms);
        if (!slept) co_return fail(slept.error());
        if (rig->world.random_between(0, 1) == 0) co_return fail(Kind::timeout, "no answer");
        ICL_CO_TRY(const auto stored, rig->pinset->get(item));
        PinInfo row;
        row.cid = std::move(item);
        row.info.status = stored ? TrackerStatus::pinned : TrackerStatus::unpinned;
        if (!stored) co_return row;
        row.allocations = stored->pin.allocations;
        row.created = stored->pin.timestamp;
        co_return row;
    }
    void stop() {
        if (!tracker) return;
        ICL_EXPECT_OK(drive(world, tracker->stop()));
        tracker.reset();
        pinset.reset();
        store.reset();
    }
    void crash() {
        store->crash();
        stop();
    }
    void restart() {
        stop();
        boot();
    }
    Result<> apply(state::LoggedOperation op) {
        storage::Batch batch;
        auto results = pinset->apply(batch, ++index, {op});
        if (!results) return fail(results.error());
        auto written = store->write(std::move(batch));
        if (written)
            pinset->applied();
        else
            pinset->dropped();
        return written;
    }
    Pin fresh_pin(int n) {
        auto pin = pin_on(cid(n), {peer(1)});
        pin.timestamp = truncate_to_seconds(world.system_now());
        return pin;
    }
    Result<> pin(Pin p) { return apply({{.pin = std::move(p)}, {}}); }
    Result<> pin(int n) { return pin(fresh_pin(n)); }
    Result<> unpin(int n) {
        state::LoggedOperation op;
        op.kind = state::LoggedOperation::Kind::unpin;
        op.pin.cid = cid(n);
        return apply(op);
    }
    PinInfo status(int n) {
        auto row = drive(world, tracker->status(cid(n)));
        EXPECT_TRUE(row) << row.error().text;
        return row ? row.value() : PinInfo{};
    }
    std::string status_name(int n) { return std::string(to_string(status(n).info.status)); }
    bool wait_for(int n, TrackerStatus wanted, Duration limit = 1h) {
        const auto end = world.steady_now() + limit;
        while (world.steady_now() < end) {
            if (status(n).info.status == wanted) return true;
            world.run_for(5ms);
        }
        return false;
    }
    std::vector<PinInfo> all(SourcePtr<PinInfo> source) {
        std::vector<PinInfo> rows;
        for (;;) {
            auto row = drive(world, source->next());
            EXPECT_TRUE(row) << row.error().text;
            if (!row || !row.value()) return rows;
            rows.push_back(std::move(*row.value()));
        }
    }
    std::size_t work_rows() {
        std::size_t n = 0;
        auto it = store->iterate(storage::Family::work, "", "");
        while (it->next().value()) ++n;
        return n;
    }

    SimWorld world;
    SimPeerWorld machine{world};  ///< the tracker's: its clock may be off
    test::FakeIpfs ipfs;
    TrackerOptions options;
    std::shared_ptr<storage::MemoryDisk> disk = std::make_shared<storage::MemoryDisk>();
    std::unique_ptr<storage::MemoryStore> store;
    std::unique_ptr<state::State> pinset;
    std::unique_ptr<Tracker> tracker;
    std::uint64_t index = 0;
    bool others_answer = false;
};

}  // namespace ipfscluster::tracker
