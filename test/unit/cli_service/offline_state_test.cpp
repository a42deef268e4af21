#include "cli/service/offline_state.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "consensus/raft/log_store.hpp"
#include "state/work.hpp"
#include "storage/memory_store.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"

namespace ipfscluster::service {
namespace {

using storage::Family;
using test::cid;
using test::drive;
using test::peer;
using test::pin_on;

std::string lines_of(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) append_pin_line(text, pin_on(cid(i), {peer(i % 3)}));
    return text;
}

/// A peer's database in memory, with some pins and something of consensus in it.
struct OfflineTest : ::testing::Test {
    explicit OfflineTest(std::uint64_t seed = 7) : world(seed) {
        storage::Batch batch;
        raft::LogStore log(*store);
        EXPECT_TRUE(log.open());
        log.set_identity(batch, Bytes(raft::kIncarnationBytes, 'i'));
        EXPECT_TRUE(state->open());
        std::vector<state::LoggedOperation> operations;
        for (int i = 0; i < 5; ++i) {
            state::LoggedOperation operation;
            operation.pin = pin_on(cid(i), {peer(1)});
            operations.push_back(operation);
        }
        EXPECT_TRUE(state->apply(batch, 40, operations));
        EXPECT_TRUE(drive(world, store->write_synced(std::move(batch))));
        state->applied();
    }
    Result<Imported> import(const std::string& text) {
        std::istringstream in(text);
        PinReader pins(in, {});
        return drive(world, replace_pinset(*store, *state, pins));
    }
    /// Opens what a crash has left.
    void restart() {
        store = std::make_unique<storage::MemoryStore>(world, store->disk());
        state = std::make_unique<state::State>(*store, peer(1));
        ASSERT_TRUE(state->open());
    }
    std::string exported() {
        std::ostringstream out;
        EXPECT_TRUE(drive(world, write_pins(*state, out)));
        return out.str();
    }
    Bytes imported_digest() {
        raft::LogStore log(*store);
        EXPECT_TRUE(log.open());
        return log.imported();
    }
    bool has_identity() {
        raft::LogStore log(*store);
        EXPECT_TRUE(log.open());
        return log.has_identity();
    }

    SimWorld world;
    std::unique_ptr<storage::MemoryStore> store = std::make_unique<storage::MemoryStore>(world);
    std::unique_ptr<state::State> state = std::make_unique<state::State>(*store, peer(1));
};

TEST_F(OfflineTest, an_import_replaces_pins_and_consensus_at_once) {
    const auto imported = import(lines_of(3, 3000) + lines_of(3, 10));
    ASSERT_TRUE(imported) << imported.error().text;
    EXPECT_EQ(imported.value().pins, 2997U);
    EXPECT_EQ(imported.value().repeated, 7U);
    EXPECT_EQ(imported.value().homeless, 0U);
    EXPECT_EQ(state->count(), 2997U);
    EXPECT_FALSE(state->get(cid(0)).value());
    EXPECT_FALSE(has_identity());
    EXPECT_EQ(imported_digest().size(), 32U);
    store->crash();
    restart();
    EXPECT_EQ(state->count(), 2997U) << "durable when it returns";
    EXPECT_EQ(imported_digest().size(), 32U);
}

TEST_F(OfflineTest, an_export_imports_as_itself) {
    ASSERT_TRUE(import(lines_of(0, 2500)));
    const auto first = exported();
    EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 2500);
    const auto digest = imported_digest();
    ASSERT_TRUE(import(first));
    EXPECT_EQ(exported(), first);
    EXPECT_EQ(imported_digest(), digest);
}

TEST_F(OfflineTest, a_bad_pin_anywhere_changes_nothing) {
    const auto before = exported();
    const auto bad = import(lines_of(0, 4000) + "{\"cid\":\"nonsense\"}\n");
    ASSERT_FALSE(bad);
    EXPECT_TRUE(bad.error().text.starts_with("line 4001: ")) << bad.error().text;
    EXPECT_EQ(exported(), before);
    EXPECT_TRUE(has_identity());
    EXPECT_TRUE(imported_digest().empty());
    auto left = store->iterate(Family::pins, Bytes("\0\0\0\2", 4), "");
    EXPECT_FALSE(left->next().value()) << "nothing staged is left behind";
    ASSERT_TRUE(import(lines_of(0, 2)));
    EXPECT_EQ(state->count(), 2U);
}

TEST_F(OfflineTest, pins_that_name_nobody_are_counted) {
    auto nobody = pin_on(cid(1), {});
    nobody.options.replication_min = nobody.options.replication_max = 2;
    auto everywhere = pin_on(cid(2), {});
    everywhere.options.replication_min = everywhere.options.replication_max = -1;
    std::string text;
    append_pin_line(text, nobody);
    append_pin_line(text, everywhere);
    EXPECT_EQ(import(text).value().homeless, 1U);
}

TEST_F(OfflineTest, an_empty_file_is_an_empty_pinset) {
    ASSERT_TRUE(import(""));
    EXPECT_EQ(state->count(), 0U);
    EXPECT_EQ(imported_digest().size(), 32U);
}

/// Dies at every single write of an import, under several seeds of what the disk keeps.
TEST(OfflineCrash, a_crash_leaves_the_old_or_the_new_pinset) {
    const auto text = lines_of(2, 3500);
    int kept_old = 0, kept_new = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (std::uint64_t nth = 1; nth <= 8; ++nth) {
            struct Case : OfflineTest {
                using OfflineTest::OfflineTest;
                void TestBody() override {}
            } peer_under_test(seed);
            auto& p = peer_under_test;
            const auto before = p.exported();
            p.store->fail_write(nth, Error{Kind::internal, "dies here"});
            const auto imported = p.import(text);
            p.store->crash();
            p.restart();
            if (imported) {
                EXPECT_EQ(p.state->count(), 3498U);
                ++kept_new;
                continue;
            }
            const bool is_new = p.state->count() == 3498U;
            (is_new ? kept_new : kept_old) += 1;
            EXPECT_TRUE(is_new || p.exported() == before) << "seed " << seed << " write " << nth;
            EXPECT_EQ(p.has_identity(), !is_new);
            EXPECT_EQ(p.imported_digest().empty(), !is_new);
            ASSERT_TRUE(p.import(text)) << "it can be repeated";
            EXPECT_EQ(p.state->count(), 3498U);
        }
    }
    EXPECT_GT(kept_old, 0);
    EXPECT_GT(kept_new, 0);
}

}  // namespace
}  // namespace ipfscluster::service
