#include "blockstore/pin_table.hpp"

#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"

namespace ipfscluster::blockstore {
namespace {

using namespace std::chrono_literals;
using test::cid;

TEST(PinTableTest, who_hears_that_a_pin_is_gone_can_rely_on_it) {
    // Two removals of one pin: the second finds nothing, but the first is not on the disk yet.
    int acknowledged = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SimWorld world(seed);
        world.set_blocking_delay(1ms, 2ms);
        auto disk = std::make_shared<storage::MemoryDisk>();
        bool told = false;
        {
            storage::MemoryStore store(world, disk);
            PinTable pins(store);
            ICL_EXPECT_OK(test::drive(world, pins.complete({cid(1), -1, true})));
            auto first = test::start(world, pins.remove(cid(1)));
            auto second = test::start(world, pins.remove(cid(1)));
            world.run_for(std::chrono::microseconds(world.random_between(0, 3000)));
            told = second->has_value();
            store.crash();
            world.run_for(1s);
            told = told && second->value();
        }
        storage::MemoryStore store(world, disk);
        const auto left = PinTable(store).get(cid(1));
        ASSERT_TRUE(left);
        EXPECT_FALSE(told && left.value()) << "seed " << seed;
        acknowledged += told ? 1 : 0;
    }
    EXPECT_GT(acknowledged, 10);
    EXPECT_LT(acknowledged, 100);
}

}  // namespace
}  // namespace ipfscluster::blockstore
