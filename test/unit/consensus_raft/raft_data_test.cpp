#include "consensus/raft/raft_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "consensus/raft/log_floor.hpp"
#include "consensus/raft/log_store.hpp"
#include "state/work.hpp"
#include "storage/memory_store.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::raft {
namespace {

using storage::Family;
using test::cid;
using test::drive;
using test::peer;
using test::pin_on;

using Pins = std::vector<Pin>;

Pins pins_of(int from, int to) {
    Pins pins;
    for (int i = from; i < to; ++i) pins.push_back(pin_on(cid(i), {peer(i % 3)}));
    return pins;
}
Pins operator+(Pins a, const Pins& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
/// Gives `pins`, then the end or an error.
component::ConsensusData::NextPin from(Pins pins, std::optional<Error> error = std::nullopt) {
    auto at = std::make_shared<std::size_t>(0);
    return [pins = std::move(pins), error, at]() -> Result<std::optional<Pin>> {
        if (*at < pins.size()) return std::optional(pins[(*at)++]);
        if (error) return fail(*error);
        return std::optional<Pin>();
    };
}

/// A peer's database in memory, with some pins and something of consensus in it.
struct RaftDataTest : ::testing::Test {
    explicit RaftDataTest(std::uint64_t seed = 7) : world(seed) {
        storage::Batch batch;
        LogStore log(*store);
        EXPECT_TRUE(log.open());
        log.set_identity(batch, Bytes(kIncarnationBytes, 'i'));
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
    Result<component::ConsensusData::Imported> import(component::ConsensusData::NextPin next) {
        return drive(world, replace_pinset(*store, *state, std::move(next)));
    }
    auto import(Pins pins) { return import(from(std::move(pins))); }
    /// Opens what a crash has left.
    void restart() {
        store = std::make_unique<storage::MemoryStore>(world, store->disk());
        state = std::make_unique<state::State>(*store, peer(1));
        ASSERT_TRUE(state->open());
    }
    Pins exported() {
        Pins out;
        const auto take = [&out](const Pin& pin) -> Result<> {
            out.push_back(pin);
            return ok();
        };
        const auto given = drive(world, give_pins(*state, take));
        EXPECT_EQ(given.value(), out.size());
        return out;
    }
    Bytes imported_digest() {
        LogStore log(*store);
        EXPECT_TRUE(log.open());
        return log.imported();
    }
    bool has_identity() {
        LogStore log(*store);
        EXPECT_TRUE(log.open());
        return log.has_identity();
    }

    SimWorld world;
    std::unique_ptr<storage::MemoryStore> store = std::make_unique<storage::MemoryStore>(world);
    std::unique_ptr<state::State> state = std::make_unique<state::State>(*store, peer(1));
};

TEST_F(RaftDataTest, an_import_replaces_pins_and_consensus_at_once) {
    const auto imported = import(pins_of(3, 3000) + pins_of(3, 10));
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

TEST_F(RaftDataTest, an_export_imports_as_itself) {
    ASSERT_TRUE(import(pins_of(0, 2500)));
    const auto first = exported();
    EXPECT_EQ(first.size(), 2500U);
    EXPECT_TRUE(std::is_sorted(first.begin(), first.end(),
                               [](const Pin& a, const Pin& b) { return a.cid < b.cid; }));
    const auto digest = imported_digest();
    ASSERT_TRUE(import(first));
    EXPECT_EQ(exported(), first);
    EXPECT_EQ(imported_digest(), digest);
}

TEST_F(RaftDataTest, a_bad_pin_anywhere_changes_nothing) {
    const auto before = exported();
    const Error unreadable{Kind::invalid, "line 4001: nonsense"};
    const auto bad = import(from(pins_of(0, 4000), unreadable));
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error(), unreadable);
    EXPECT_EQ(exported(), before);
    EXPECT_TRUE(has_identity());
    EXPECT_TRUE(imported_digest().empty());
    auto left = store->iterate(Family::pins, Bytes("\0\0\0\2", 4), "");
    EXPECT_FALSE(left->next().value()) << "nothing staged is left behind";
    ASSERT_TRUE(import(pins_of(0, 2)));
    EXPECT_EQ(state->count(), 2U);
}

TEST_F(RaftDataTest, pins_that_name_nobody_are_counted) {
    auto nobody = pin_on(cid(1), {});
    nobody.options.replication_min = nobody.options.replication_max = 2;
    auto everywhere = pin_on(cid(2), {});
    everywhere.options.replication_min = everywhere.options.replication_max = -1;
    EXPECT_EQ(import(Pins{nobody, everywhere}).value().homeless, 1U);
}

TEST_F(RaftDataTest, nothing_is_an_empty_pinset) {
    ASSERT_TRUE(import(Pins{}));
    EXPECT_EQ(state->count(), 0U);
    EXPECT_EQ(imported_digest().size(), 32U);
}

/// Dies at every single write of an import, under several seeds of what the disk keeps.
TEST(RaftDataCrash, a_crash_leaves_the_old_or_the_new_pinset) {
    const auto pins = pins_of(2, 3500);
    int kept_old = 0, kept_new = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (std::uint64_t nth = 1; nth <= 8; ++nth) {
            struct Case : RaftDataTest {
                using RaftDataTest::RaftDataTest;
                void TestBody() override {}
            } peer_under_test(seed);
            auto& p = peer_under_test;
            const auto before = p.exported();
            p.store->fail_write(nth, Error{Kind::internal, "dies here"});
            const auto imported = p.import(pins);
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
            ASSERT_TRUE(p.import(pins)) << "it can be repeated";
            EXPECT_EQ(p.state->count(), 3498U);
        }
    }
    EXPECT_GT(kept_old, 0);
    EXPECT_GT(kept_new, 0);
}

/// The folder of a peer that does not run.
struct RaftDataFolder : ::testing::Test {
    Result<component::ConsensusData::Imported> import(component::ConsensusData::NextPin next) {
        RaftData data(config, peer(1));
        EXPECT_TRUE(data.open());
        auto imported = data.import_pins(next);
        EXPECT_TRUE(data.close());
        return imported;
    }
    test::TempFolder folder;
    config::RaftConfig config{.data_folder = folder.path("raft")};
};

TEST_F(RaftDataFolder, what_was_not_there_before_is_not_left_behind_by_an_import_that_failed) {
    EXPECT_FALSE(RaftData(config, peer(1)).exists());
    ASSERT_FALSE(import(from(pins_of(0, 3), Error{Kind::invalid, "nonsense"})));
    EXPECT_FALSE(RaftData(config, peer(1)).exists());
    ASSERT_TRUE(import(from(pins_of(0, 3))));
    ASSERT_FALSE(import(from(pins_of(5, 9), Error{Kind::invalid, "nonsense"})));
    RaftData data(config, peer(1));
    ASSERT_TRUE(data.exists());
    ASSERT_TRUE(data.open());
    EXPECT_FALSE(data.empty());
    Pins out;
    const auto exported = data.export_pins([&out](const Pin& pin) -> Result<> {
        out.push_back(pin);
        return ok();
    });
    ASSERT_TRUE(exported);
    EXPECT_EQ(exported.value().pins, 3U);
    EXPECT_EQ(exported.value().left_out, 0U);
    EXPECT_EQ(out.size(), 3U);
    ASSERT_TRUE(data.close());
}

TEST_F(RaftDataFolder, a_loss_is_told_until_it_is_accepted) {
    ASSERT_TRUE(import(from(pins_of(0, 3))));
    RaftData data(config, peer(1));
    EXPECT_FALSE(data.loss().value()) << "nothing is known to be lost";
    DiskFloorFile file(floor_path(config));
    ASSERT_TRUE(file.write({.node = 1, .term = 2, .last_index = 7}));
    const auto loss = data.loss();
    ASSERT_TRUE(loss) << loss.error().text;
    ASSERT_TRUE(loss.value());
    EXPECT_NE(loss.value()->find("it had entry 7 in term 2"), std::string::npos) << *loss.value();
    ASSERT_TRUE(data.accept_loss());
    EXPECT_FALSE(data.loss().value());
    ASSERT_TRUE(file.write({.node = 1, .term = 2, .last_index = 7}));
    ASSERT_TRUE(import(from(pins_of(0, 1))));
    EXPECT_FALSE(data.loss().value()) << "an import replaces what the floor speaks of";
}

}  // namespace
}  // namespace ipfscluster::raft
