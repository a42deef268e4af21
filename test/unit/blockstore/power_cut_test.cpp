// What a store has acknowledged outlives a power cut that follows a crash of the process.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <map>
#include <mutex>

#include "segment_fixture.hpp"

namespace {

/// What this process has synced: the length of each file, and each folder.
struct Synced {
    std::mutex mutex;  // syncs come from several threads
    std::map<std::string, std::uint64_t> lengths;
};
Synced& synced() {
    static Synced all;
    return all;
}

void note_sync(int fd) {
    std::array<char, 4096> path{};
    const auto link = "/proc/self/fd/" + std::to_string(fd);
    const auto bytes = ::readlink(link.c_str(), path.data(), path.size());
    if (bytes <= 0) return;
    struct stat st {};
    if (::fstat(fd, &st) != 0) return;
    const std::lock_guard lock(synced().mutex);
    synced().lengths[std::string(path.data(), static_cast<std::size_t>(bytes))] =
        static_cast<std::uint64_t>(st.st_size);
}

}  // namespace

// In place of the C library's for this whole program; they do the same and are noted.
extern "C" int fdatasync(int fd) {
    const auto status = static_cast<int>(::syscall(SYS_fdatasync, fd));
    if (status == 0) note_sync(fd);
    return status;
}
extern "C" int fsync(int fd) {
    const auto status = static_cast<int>(::syscall(SYS_fsync, fd));
    if (status == 0) note_sync(fd);
    return status;
}

namespace ipfscluster::blockstore {
namespace {

namespace fs = std::filesystem;

class PowerCutTest : public SegmentStoreTest {
 protected:
    /// A segment as a killed process leaves it: written, but never synced.
    void leave_unsynced(std::uint32_t number, std::uint64_t first, std::uint64_t count) const {
        Bytes bytes = encode_segment_header();
        for (auto i = first; i < first + count; ++i) {
            const auto block = make_block(i);
            append_record(bytes, block.cid.multihash(), block.data);
        }
        std::ofstream(segment_path(folder.path(), number), std::ios::binary) << bytes;
    }
    /// Takes away what was never synced.
    void cut_power() const {
        const std::lock_guard lock(synced().mutex);
        const auto& lengths = synced().lengths;
        const auto here = fs::canonical(folder.path());
        for (const auto& entry : fs::directory_iterator(here)) {
            if (entry.path().extension() != ".blocks") continue;
            const auto found = lengths.find(entry.path().string());
            if (found == lengths.end() || !lengths.contains(here.string()))
                fs::remove(entry.path());
            else if (found->second < entry.file_size())
                fs::resize_file(entry.path(), found->second);
        }
    }
    void expect_held_blocks_survive() {
        open();
        EXPECT_EQ(readable(1, 10), 10u) << "read again from the segment";
        ASSERT_TRUE(put(1, 10)) << "held, and acknowledged as durable";
        cut_power();
        close();
        open();
        EXPECT_EQ(readable(1, 10), 10u);
    }
};

TEST_F(PowerCutTest,
       blocks_that_a_killed_process_only_wrote_are_synced_before_they_count_as_durable) {
    leave_unsynced(1, 1, 10);
    expect_held_blocks_survive();
}

TEST_F(PowerCutTest, so_are_those_of_a_segment_that_is_full) {
    segment_bytes = kSegmentHeaderBytes + 10 * record_bytes(34, 1000);
    leave_unsynced(1, 1, 10);
    expect_held_blocks_survive();
}

TEST_F(PowerCutTest, the_index_is_never_ahead_of_the_disk) {
    leave_unsynced(1, 1, 10);
    index->fail_write(3, {Kind::internal, "the process dies here"});
    EXPECT_FALSE(real.run(SegmentStore::open(real.world, *index, options())));
    auto disk = index->disk();
    index = std::make_unique<storage::MemoryStore>(real.world, disk);
    cut_power();
    open();
    EXPECT_EQ(readable(1, 10), 10u);
}

}  // namespace
}  // namespace ipfscluster::blockstore
