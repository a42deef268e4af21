#include "informer/informers.hpp"

#include <gtest/gtest.h>

#include "runtime/sim_world.hpp"
#include "support/drive.hpp"
#include "support/fake_ipfs.hpp"
#include "support/pins.hpp"

namespace ipfscluster::informer {
namespace {

using namespace std::chrono_literals;

Async<std::vector<Metric>> ask(component::Informer* informer) {
    auto metrics = co_await informer->metrics();
    co_return metrics;
}

struct InformerTest : ::testing::Test {
    std::vector<Metric> metrics(component::Informer& informer) {
        return test::drive<std::vector<Metric>>(world, ask(&informer)).value();
    }
    /// Of an informer that has one.
    Metric metric(component::Informer& informer) {
        auto all = metrics(informer);
        EXPECT_EQ(all.size(), 1u);
        return all.at(0);
    }
    SimWorld world{1};
    test::FakeIpfs ipfs{world};
};

TEST_F(InformerTest, free_space_is_what_the_repository_may_still_grow) {
    DiskInformer disk(ipfs, DiskInformer::Type::freespace, 30s);
    EXPECT_EQ(disk.name(), "freespace");
    EXPECT_EQ(disk.ttl(), Duration(30s));
    struct Case {
        std::uint64_t size, max;
        const char* value;
    };
    for (const auto& c :
         std::vector<Case>{{30, 100, "70"}, {0, 100, "100"}, {100, 100, "0"}, {150, 100, "0"}}) {
        ipfs.repo = {.repo_size = c.size, .storage_max = c.max};
        const auto got = metric(disk);
        EXPECT_EQ(got.name, "freespace");
        EXPECT_EQ(got.value, c.value);
        EXPECT_EQ(std::to_string(got.weight), c.value);
        EXPECT_TRUE(got.valid) << "a full peer goes on holding what it has";
        EXPECT_FALSE(got.partitionable);
    }
}

TEST_F(InformerTest, repository_size_weighs_less_the_larger_it_is) {
    DiskInformer disk(ipfs, DiskInformer::Type::reposize, 30s);
    ipfs.repo = {.repo_size = 150, .storage_max = 100};
    const auto got = metric(disk);
    EXPECT_EQ(got.name, "reposize");
    EXPECT_EQ(got.value, "150");
    EXPECT_EQ(got.weight, -150);
    EXPECT_TRUE(got.valid);
}

TEST_F(InformerTest, a_daemon_that_does_not_answer_makes_the_metric_invalid) {
    ipfs.down = Error{Kind::unavailable, "down"};
    for (const auto type : {DiskInformer::Type::freespace, DiskInformer::Type::reposize}) {
        DiskInformer disk(ipfs, type, 30s);
        EXPECT_FALSE(metric(disk).valid);
    }
}

TEST_F(InformerTest, each_tag_is_a_partitionable_metric) {
    TagsInformer tags({{"group", "a"}, {"region", "eu"}}, 30s);
    const auto all = metrics(tags);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].name, "tag:group");
    EXPECT_EQ(all[0].value, "a");
    EXPECT_EQ(all[1].name, "tag:region");
    for (const auto& m : all) {
        EXPECT_TRUE(m.valid);
        EXPECT_TRUE(m.partitionable);
        EXPECT_EQ(m.weight, 0);
    }
    TagsInformer none({}, 30s);
    EXPECT_EQ(metric(none).name, "tag:none");
    EXPECT_FALSE(metric(none).valid);
}

class QueueOnly final : public component::PinTracker {
 public:
    std::uint64_t queued = 0;
    Async<> start() override { co_return ok(); }
    Async<> stop() override { co_return ok(); }
    Async<PinInfo> status(Cid) override { co_return PinInfo{}; }
    Async<PinInfo> sync(Cid) override { co_return PinInfo{}; }
    SourcePtr<PinInfo> status_all(StatusFilter) override { return nullptr; }
    Async<PinInfo> recover(Cid) override { co_return PinInfo{}; }
    SourcePtr<PinInfo> recover_all() override { return nullptr; }
    SourcePtr<PinInfo> recover_lost() override { return nullptr; }
    Async<component::ReconcileReport> reconcile() override {
        co_return component::ReconcileReport{};
    }
    SourcePtr<PinInfo> sync_all() override { return nullptr; }
    std::uint64_t queue_size() override { return queued; }
    std::vector<Cid> without_room_since(SteadyTime) override { return {}; }
};

TEST_F(InformerTest, the_pin_queue_weighs_by_the_bucket) {
    QueueOnly tracker;
    struct Case {
        std::uint64_t queued;
        std::int64_t bucket, weight;
    };
    for (const auto& c : std::vector<Case>{
             {0, 100, 0}, {99, 100, 0}, {100, 100, -1}, {250, 100, -2}, {250, 0, -250}}) {
        tracker.queued = c.queued;
        PinQueueInformer queue(tracker, c.bucket, 30s);
        const auto got = metric(queue);
        EXPECT_EQ(got.name, "pinqueue");
        EXPECT_EQ(got.value, std::to_string(c.queued));
        EXPECT_EQ(got.weight, c.weight) << c.queued << '/' << c.bucket;
        EXPECT_TRUE(got.valid);
    }
}

TEST_F(InformerTest, pins_are_counted_as_the_daemon_lists_them) {
    NumPinInformer count(ipfs, 10s);
    EXPECT_EQ(metric(count).value, "0");
    for (int i = 0; i < 3; ++i) ipfs.held[test::cid(i)] = test::pin_on(test::cid(i), {});
    EXPECT_EQ(metric(count).value, "3");
    EXPECT_TRUE(metric(count).valid);
    ipfs.down = Error{Kind::unavailable, "down"};
    EXPECT_FALSE(metric(count).valid) << "an incomplete listing is no count";
}

}  // namespace
}  // namespace ipfscluster::informer
