#include "coroutine.hpp"
#include "state/state.hpp"
#include "storage/memory_store.hpp"
#include "support/pins.hpp"

// Pieces of a snapshot another peer sends: they are staged or refused; nothing of them is live
// before the switch, and what is live after it can be listed and sent on.
namespace ipfscluster::fuzz {
namespace {

Async<std::uint64_t> count_pins(SourcePtr<state::StoredPin> pins) {
    for (std::uint64_t count = 0;; ++count) {
        auto pin = co_await pins->next();
        if (!pin) co_return fail(pin.error());
        if (!pin.value()) co_return count;
    }
}

struct Peer {
    explicit Peer(int number) : store(world), state(store, test::peer(number)) {
        require(state.open().has_value(), "an empty database opens");
    }
    SimWorld world{1};
    storage::MemoryStore store;
    state::State state;
};
}  // namespace

std::vector<Bytes> seeds() {
    Peer leader(1);
    std::vector<state::LoggedOperation> operations;
    for (int i = 0; i < 4; ++i) {
        state::LoggedOperation op;
        op.id = {"client" + std::to_string(i % 2), 1 + static_cast<std::uint64_t>(i)};
        op.pin = test::pin_on(test::cid(i), {test::peer(2)});
        if (i == 0) op.pin.options.expire_at = Time(std::chrono::seconds(100));
        operations.push_back(op);
    }
    storage::Batch batch;
    require(leader.state.apply(batch, 1, operations).has_value(), "operations apply");
    require(leader.store.write(std::move(batch)).has_value(), "a batch is written");
    leader.state.applied();
    const auto at = leader.store.snapshot();
    std::vector<Bytes> out;
    for (const std::size_t piece_bytes : {100u, 100'000u})
        out.push_back(leader.state.read_snapshot(at, "", piece_bytes).value().rows);
    return out;
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    fuzz::Peer follower(2);
    fuzz::require(follower.state.begin_staging().has_value(), "staging begins");
    state::State::SnapshotPiece piece;
    piece.rows = Bytes(fuzz::view(data, size));
    piece.last = true;
    const auto staged = follower.state.stage(piece);
    fuzz::require(follower.state.count() == 0, "nothing shows before the switch");
    if (!staged) return 0;
    storage::Batch batch;
    if (!follower.state.finish_staging(batch)) return 0;
    fuzz::require(follower.store.write(std::move(batch)).has_value(), "the switch is written");
    follower.state.applied();
    const auto pins = fuzz::run(follower.world, fuzz::count_pins(follower.state.list()));
    fuzz::require(pins && pins.value() == follower.state.count(), "what is counted can be listed");
    const auto on = follower.state.read_snapshot(follower.store.snapshot(), "", 1000);
    fuzz::require(on.has_value(), "what was staged can be sent on");
    return 0;
}
