#include "tracker/pin_queue.hpp"

#include "storage/memory_store.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"

namespace ipfscluster::tracker {
namespace {

using namespace std::chrono_literals;
using test::cid;
using test::peer;

struct PinQueueTest : testing::Test {
    SimWorld world{1};
    storage::MemoryStore store{world, std::make_shared<storage::MemoryDisk>()};
    state::State pinset{store, peer(1)};
    TrackerOptions options;
    DurableIndex durable{world, store};
    ItemFacts facts{store, pinset, durable};
    Wakeup wakeup{world.executor()};
    PinQueue queue{{.world = world,
                    .store = store,
                    .pinset = pinset,
                    .facts = facts,
                    .wakeup = wakeup,
                    .options = options}};
    std::uint64_t index = 0;

    void SetUp() override {
        ASSERT_TRUE(pinset.open());
        ASSERT_TRUE(queue.rows().open());
    }
    void apply(state::LoggedOperation operation) {
        storage::Batch batch;
        ASSERT_TRUE(pinset.apply(batch, ++index, {std::move(operation)}));
        ASSERT_TRUE(store.write(std::move(batch)));
        pinset.applied();
        queue.rows().rows_added();
        ASSERT_TRUE(queue.fill());
    }
    void pin(int n, Duration age = 0s) {
        state::LoggedOperation operation;
        operation.pin = test::pin_on(cid(n), {peer(1)});
        operation.pin.timestamp = truncate_to_seconds(world.system_now() - age);
        apply(std::move(operation));
    }
    void unpin(int n) {
        state::LoggedOperation operation;
        operation.kind = state::LoggedOperation::Kind::unpin;
        operation.pin.cid = cid(n);
        apply(std::move(operation));
    }
};

TEST_F(PinQueueTest, rows_wait_in_the_line_of_their_kind) {
    pin(1);
    pin(2, 48h);
    unpin(3);
    ASSERT_TRUE(queue.fill());
    EXPECT_EQ(queue.lines().size(Line::fresh), 1u);
    EXPECT_EQ(queue.lines().size(Line::older), 1u);
    EXPECT_EQ(queue.size(), queue.active());
    EXPECT_TRUE(wakeup.pending());
    EXPECT_FALSE(queue.next_due()) << "nothing has failed";
}

TEST_F(PinQueueTest, all_rows_of_a_cid_are_one_task_with_the_newest_of_them) {
    pin(1);
    const auto task = queue.find(cid(1));
    ASSERT_TRUE(task);
    const auto first = task->row;
    unpin(1);
    EXPECT_EQ(queue.find(cid(1)), task);
    EXPECT_EQ(task->row.lane, WorkLane::unpin);
    EXPECT_FALSE(task->row == first);
    EXPECT_EQ(queue.size(), 1u) << "the older row is gone";
}

TEST_F(PinQueueTest, an_unpin_interrupts_the_pin_that_runs) {
    pin(1);
    const auto task = queue.lines().take(Line::fresh);
    queue.runs(task);
    task->step = Step::pin;
    EXPECT_EQ(queue.running(), 1u);
    EXPECT_FALSE(queue.lines().untried_pins());
    unpin(1);
    ASSERT_TRUE(task->interrupt);
    EXPECT_EQ(task->interrupt->kind, Kind::cancelled);
    queue.ended(task);
    EXPECT_EQ(queue.running(), 0u);
    EXPECT_EQ(queue.active(), 0u);
}

TEST_F(PinQueueTest, what_is_to_be_told_alone_is_the_next) {
    pin(1);
    const auto task = queue.lines().next_untried();
    queue.runs(task);
    pin(2);
    task->alone = true;
    queue.tell_alone(task);
    EXPECT_EQ(queue.running(), 0u);
    EXPECT_EQ(queue.lines().next_untried(), task);
}

TEST_F(PinQueueTest, what_failed_waits_for_the_clock_or_for_who_asks) {
    pin(1);
    auto known = facts.read(cid(1)).value();
    known.record.emplace();
    known.record->phase = TrackRecord::Phase::pin_error;
    queue.runs(queue.lines().take(Line::fresh));
    queue.ended(queue.find(cid(1)));
    ASSERT_TRUE(queue.requeue(cid(1), known, world.system_now() + 10s));
    ASSERT_TRUE(queue.fill());
    EXPECT_EQ(queue.active(), 0u);
    ASSERT_TRUE(queue.next_due());
    EXPECT_EQ(*queue.next_due(), world.steady_now() + 10s);
    ASSERT_TRUE(queue.requeue(cid(1), known, kDueAtOnce));
    ASSERT_TRUE(queue.fill());
    ASSERT_TRUE(queue.find(cid(1)));
    EXPECT_EQ(queue.lines().next_retry(), queue.find(cid(1)));
}

}  // namespace
}  // namespace ipfscluster::tracker
