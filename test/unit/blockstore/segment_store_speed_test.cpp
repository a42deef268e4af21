// Not part of a normal run: --gtest_also_run_disabled_tests --gtest_filter='*Speed*' prints the
// figures.
#include <chrono>

#include "storage/rocks_store.hpp"
#include "support.hpp"

namespace ipfscluster::blockstore {
namespace {

Async<> put_all(World& world, BlockStore& store, std::uint64_t count, std::size_t bytes,
                std::size_t per_batch) {
    (void)world;
    const auto epoch = store.loss_epoch();
    Bytes multihash("\x12\x20");
    multihash.resize(34);
    for (std::uint64_t i = 0; i < count;) {
        std::vector<dag::Block> batch;
        for (; i < count && batch.size() < per_batch; ++i) {
            // Not the real hash: only the store is measured.
            for (int k = 0; k < 8; ++k)
                multihash[2 + k] = static_cast<char>(i * 0x9e3779b97f4a7c15ull >> 8 * k);
            batch.push_back({Cid::v1(Codec::raw, multihash), Bytes(bytes, static_cast<char>(i))});
        }
        ICL_CO_TRY(co_await store.put(std::move(batch)));
    }
    co_return co_await store.sync(epoch);
}

void measure(std::uint64_t count, std::size_t bytes, std::size_t per_batch) {
    TempFolder folder;
    RealWorld real;
    auto index = storage::RocksStore::open(real.world, {.folder = folder.path() + "/index"});
    ASSERT_TRUE(index) << index.error().text;
    auto opened =
        real.run(SegmentStore::open(real.world, *index.value(), {.folder = folder.path()}));
    ASSERT_TRUE(opened);
    auto& store = *opened.value();
    const auto begin = std::chrono::steady_clock::now();
    auto done = real.run(put_all(real.world, store, count, bytes, per_batch));
    const std::chrono::duration<double> span = std::chrono::steady_clock::now() - begin;
    ASSERT_TRUE(done) << done.error().text;
    std::printf("%llu blocks of %zu bytes, durable: %.3f s\n",
                static_cast<unsigned long long>(count), bytes, span.count());
    EXPECT_TRUE(real.run(store.close()));
    EXPECT_TRUE(real.run(index.value()->close()));
}

TEST(SegmentStoreSpeed, DISABLED_one_gigabyte_in_blocks_of_256_kib) {
    measure(4096, 262'144, 1);
}
TEST(SegmentStoreSpeed, DISABLED_ten_thousand_blocks_of_2_kb) {
    measure(10'000, 2'000, 100);
}

}  // namespace
}  // namespace ipfscluster::blockstore
