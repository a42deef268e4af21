#include "consensus/raft/log_floor.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "consensus/raft/loss.hpp"
#include "storage/rocks_store.hpp"
#include "support/drive.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::raft {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::drive;

PeerId self() {
    return PeerId::from_bytes(Bytes("\x00\x24\x08\x01\x12\x20", 6) + Bytes(32, 's')).value();
}

/// Counts its writes.
class CountingFile final : public FloorFile {
 public:
    Result<std::optional<Floor>> read() override { return floor; }
    Result<> write(const Floor& value) override {
        ++writes;
        if (error) return fail(*error);
        floor = value;
        return ok();
    }
    Result<> remove() override { return ok(); }
    std::optional<Floor> floor;
    std::optional<Error> error;
    int writes = 0;
};

TEST(LogFloorFile, returns_as_it_went) {
    test::TempFolder temp;
    DiskFloorFile file(temp.path("floor.json"));
    EXPECT_FALSE(file.read().value());
    const Floor floor{0xfedcba9876543210, 1ULL << 63, 7, 1000, "a \"row\""};
    ASSERT_TRUE(file.write(floor));
    EXPECT_EQ(file.read().value(), floor);
    ASSERT_TRUE(file.remove());
    EXPECT_FALSE(file.read().value());
    EXPECT_TRUE(file.remove()) << "it is gone already";
}

TEST(LogFloorFile, what_is_none_is_refused) {
    const auto good = floor_text({1, 2, 3, 4, {}});
    ASSERT_TRUE(parse_floor(good));
    EXPECT_EQ(parse_floor("{\"version\": 2}").error().kind, Kind::unsupported);
    for (const char* key : {"version", "node", "rounds", "term", "last_index", "damage"}) {
        auto text = good;
        text.replace(text.find(key), 1, "_");
        const auto read = parse_floor(text);
        ASSERT_FALSE(read) << key;
        EXPECT_EQ(read.error().kind, Kind::corrupt) << key;
    }
}

struct LogFloorTest : ::testing::Test {
    void start() { asio::co_spawn(world.executor(), floor.run(), asio::detached); }
    static Floor at(std::uint64_t rounds) { return {5, rounds, 1, rounds, {}}; }

    SimWorld world{3};
    std::shared_ptr<CountingFile> file = std::make_shared<CountingFile>();
    LogFloor floor{world, file};
};

TEST_F(LogFloorTest, follows_at_most_once_a_second) {
    start();
    for (std::uint64_t round = 1; round <= 100; ++round) {
        floor.synced(at(round));
        world.run_for(milliseconds(100));
    }
    EXPECT_GE(file->writes, 9);
    EXPECT_LE(file->writes, 11);
    world.run_for(seconds(2));
    EXPECT_EQ(file->floor->rounds, 100u);
    const int writes = file->writes;
    world.run_for(seconds(100));
    EXPECT_EQ(file->writes, writes) << "nothing is new";
}

TEST_F(LogFloorTest, a_write_that_fails_is_tried_again) {
    start();
    file->error = Error{Kind::disk_full, "no room"};
    floor.synced(at(1));
    world.run_for(seconds(3));
    EXPECT_FALSE(file->floor);
    file->error.reset();
    world.run_for(seconds(3));
    EXPECT_EQ(file->floor->rounds, 1u);
}

TEST_F(LogFloorTest, the_end_writes_what_is_left_and_the_damage) {
    floor.synced(at(4));
    ICL_EXPECT_OK(drive(world, floor.finish("row 3")));
    EXPECT_EQ(file->floor->rounds, 4u);
    EXPECT_EQ(file->floor->damage, "row 3");
}

/// A log in RocksDB and its floor, as a peer leaves them at a power cut.
struct LostLogTest : ::testing::Test {
    storage::RocksOptions options() const { return {.folder = temp.path("db")}; }
    Floor write(int rounds) {
        auto store = storage::RocksStore::open(world, options());
        EXPECT_TRUE(store) << store.error().text;
        LogStore log(*store.value());
        EXPECT_TRUE(log.open());
        storage::Batch first;
        if (!log.has_identity()) {
            log.set_identity(first, Bytes(kIncarnationBytes, 'i'));
            log.found(first, {{make_node_id(self(), Bytes(kIncarnationBytes, 'i')),
                               NodeRecord{self(), 1, false}}});
        }
        EXPECT_TRUE(drive(world, store.value()->write_synced(std::move(first))));
        for (int i = 0; i < rounds; ++i) {
            storage::Batch batch;
            log.append(batch, {{log.last_index() + 1, 1, EntryType::normal, Bytes(200, 'x')}});
            log.count_round(batch);
            EXPECT_TRUE(drive(world, store.value()->write_synced(std::move(batch))));
        }
        return {make_node_id(self(), log.incarnation()), log.rounds(), 1, log.last_index(), {}};
    }
    /// What is noticed at the next start.
    std::string reopen(const Floor& floor) {
        auto store = storage::RocksStore::open(world, options());
        if (!store) return store.error().kind == Kind::corrupt ? store.error().text : "";
        LogStore log(*store.value());
        const auto opened = log.open();
        return opened ? what_is_missing(log, floor, self()) : opened.error().text;
    }
    fs::path newest_wal() const {
        fs::path newest;
        for (const auto& entry : fs::directory_iterator(temp.path("db")))
            if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
        return newest;
    }

    SimWorld world{4};
    test::TempFolder temp;
};

TEST_F(LostLogTest, nothing_is_missing_after_a_plain_restart) {
    const auto floor = write(50);
    EXPECT_EQ(reopen(floor), "");
    EXPECT_EQ(reopen(write(10)), "");
    EXPECT_EQ(reopen(floor), "") << "the floor may be older";
}

TEST_F(LostLogTest, a_flipped_byte_inside_what_was_synced_is_noticed) {
    const auto floor = write(50);
    const auto wal = newest_wal();
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(wal) * 3 / 4));
    file.put('\x5a');
    file.close();
    EXPECT_NE(reopen(floor), "");
}

TEST_F(LostLogTest, a_missing_newest_log_file_is_noticed) {
    write(50);
    const auto floor = write(50);
    ASSERT_TRUE(fs::remove(newest_wal()));
    EXPECT_NE(reopen(floor), "");
}

TEST_F(LostLogTest, another_node_or_an_import_begins_anew) {
    auto floor = write(5);
    floor.rounds += 10;
    EXPECT_NE(reopen(floor), "");
    auto other = floor;
    other.node += 1;
    EXPECT_EQ(reopen(other), "");
    auto store = storage::RocksStore::open(world, options());
    ASSERT_TRUE(store);
    storage::Batch batch;
    LogStore::prepare_import(batch, Bytes(32, 'd'));
    ASSERT_TRUE(drive(world, store.value()->write_synced(std::move(batch))));
    store.value().reset();
    EXPECT_EQ(reopen(floor), "");
}

}  // namespace
}  // namespace ipfscluster::raft
