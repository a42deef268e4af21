#pragma once
#include <gtest/gtest.h>

#include "state/state.hpp"
#include "state/work.hpp"
#include "storage/memory_store.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"

namespace ipfscluster::state {

using test::cid;
using test::peer;
using test::pin_on;
using Op = LoggedOperation;

inline Op pin_op(Pin pin, std::uint64_t expected = kAnyIndex) {
    return {{.pin = std::move(pin), .expected_index = expected}, {}};
}
inline Op unpin_op(const Cid& c, std::uint64_t expected = kAnyIndex) {
    Op op;
    op.kind = Op::Kind::unpin;
    op.pin.cid = c;
    op.expected_index = expected;
    return op;
}
inline Op from(Op op, Bytes origin, std::uint64_t sequence) {
    op.id = {std::move(origin), sequence};
    return op;
}

/// One peer's state over its own store.
struct Peer {
    explicit Peer(
        World& world, PeerId id,
        std::shared_ptr<storage::MemoryDisk> disk = std::make_shared<storage::MemoryDisk>())
        : store(world, std::move(disk)), state(store, std::move(id)) {
        EXPECT_TRUE(state.open());
    }
    std::vector<ApplyResult> apply(std::uint64_t index, std::vector<Op> ops) {
        storage::Batch batch;
        auto results = state.apply(batch, index, ops);
        EXPECT_TRUE(results);
        EXPECT_TRUE(store.write(std::move(batch)));
        state.applied();
        return results.value();
    }
    ApplyOutcome apply_one(std::uint64_t index, Op op) {
        return apply(index, {std::move(op)})[0].outcome;
    }
    /// Lane and CID of all work rows, in order; removes them.
    std::vector<std::pair<WorkLane, Cid>> take_work() {
        std::vector<std::pair<WorkLane, Cid>> rows;
        auto it = store.iterate(storage::Family::work, "", "");
        while (it->next().value()) {
            const auto row = parse_work_key(it->key()).value();
            rows.emplace_back(row.lane, row.cid);
        }
        storage::Batch batch;
        batch.del_range(storage::Family::work, "", "");
        EXPECT_TRUE(store.write(std::move(batch)));
        return rows;
    }
    std::vector<StoredPin> list(SimWorld& world, std::optional<Cid> after = std::nullopt) {
        auto source = state.list(after);
        std::vector<StoredPin> all;
        for (;;) {
            auto pin = test::drive(world, source->next());
            EXPECT_TRUE(pin);
            if (!pin || !pin.value()) return all;
            all.push_back(std::move(*pin.value()));
        }
    }
    /// All rows of the tables that must be equal on every peer.
    std::string shared_rows() {
        std::string all;
        for (const auto family :
             {storage::Family::pins, storage::Family::pin_index, storage::Family::sessions}) {
            auto it = store.iterate(family, "", "");
            while (it->next().value())
                all.append(it->key()).append("=").append(it->value()).append("\n");
        }
        return all;
    }

    storage::MemoryStore store;
    State state;
};

}  // namespace ipfscluster::state
