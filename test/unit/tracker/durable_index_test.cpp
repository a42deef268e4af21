#include "tracker/durable_index.hpp"

#include "storage/memory_store.hpp"
#include "support/drive.hpp"

namespace ipfscluster::tracker {
namespace {

using namespace std::chrono_literals;

struct DurableIndexTest : testing::Test {
    SimWorld world{1};
    storage::MemoryStore store{world, std::make_shared<storage::MemoryDisk>()};
    DurableIndex durable{world, store};

    void write() {
        storage::Batch batch;
        batch.put(storage::Family::tracker, "key", "value");
        ASSERT_TRUE(store.write(std::move(batch)));
    }
};

TEST_F(DurableIndexTest, one_sync_covers_all_that_was_read_before_it_and_nothing_read_later) {
    write();
    durable.saw(5);
    durable.saw(7);
    durable.saw(3);
    const auto first = test::start<void>(world, durable.reach(3));
    const auto second = test::start<void>(world, durable.reach(7));
    world.step();
    durable.saw(9);
    ASSERT_TRUE(world.run_until([&] { return first->has_value() && second->has_value(); }, 1s));
    EXPECT_TRUE(**first && **second);
    EXPECT_EQ(store.syncs(), 1u);
    EXPECT_TRUE(durable.covers(7));
    EXPECT_FALSE(durable.covers(9));
    write();
    ICL_EXPECT_OK(test::drive(world, durable.reach(9)));
    EXPECT_EQ(store.syncs(), 2u);
    ICL_EXPECT_OK(test::drive(world, durable.reach(9)));
    EXPECT_EQ(store.syncs(), 2u) << "what is on the disk is not waited for";
}

}  // namespace
}  // namespace ipfscluster::tracker
