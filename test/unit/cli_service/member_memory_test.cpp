#include "cli/service/member_memory.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/drive.hpp"
#include "support/pins.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::service {
namespace {

using test::drive;
using test::peer;

/// A file, and the memory of one life of a peer after another.
struct MemberMemoryTest : ::testing::Test {
    MemberMemory& next_life() {
        memory = std::make_unique<MemberMemory>(world, path);
        ICL_EXPECT_OK(memory->load());
        return *memory;
    }
    std::vector<PeerId> sorted(std::vector<PeerId> peers) {
        std::sort(peers.begin(), peers.end());
        return peers;
    }

    SimWorld world{3};
    test::TempFolder temp;
    std::string path = temp.path("members.json");
    std::unique_ptr<MemberMemory> memory;
};

TEST_F(MemberMemoryTest, follows_the_members) {
    next_life();
    ICL_EXPECT_OK(drive(world, memory->keep({peer(1), peer(2), peer(3)}, peer(2))));
    EXPECT_EQ(next_life().known().members, sorted({peer(1), peer(3)}));
    ICL_EXPECT_OK(drive(world, memory->keep({peer(3)}, peer(2))));
    EXPECT_EQ(next_life().known().members, sorted({peer(1), peer(3)})) << "it is no member";
    ICL_EXPECT_OK(drive(world, memory->keep({peer(2)}, peer(2))));
    EXPECT_TRUE(next_life().known().members.empty());
}

TEST_F(MemberMemoryTest, a_joiner_is_one_until_it_is_taken_in) {
    next_life();
    ICL_EXPECT_OK(drive(world, memory->note_joining()));
    EXPECT_TRUE(next_life().known().joining);
    ICL_EXPECT_OK(drive(world, memory->keep({}, peer(2))));
    EXPECT_TRUE(next_life().known().joining);
    ICL_EXPECT_OK(drive(world, memory->keep({peer(1), peer(2)}, peer(2))));
    EXPECT_EQ(next_life().known(), (config::Remembered{false, {peer(1)}}));
    // A flag that stays in a unit file does not make it forget whom to wait for.
    ICL_EXPECT_OK(drive(world, memory->note_joining()));
    EXPECT_EQ(next_life().known(), (config::Remembered{false, {peer(1)}}));
}

TEST_F(MemberMemoryTest, a_damaged_file_lets_nobody_found_and_is_written_anew) {
    std::ofstream(path) << "{";
    EXPECT_TRUE(next_life().known().joining);
    ICL_EXPECT_OK(drive(world, memory->keep({peer(2)}, peer(2))));
    EXPECT_EQ(next_life().known(), config::Remembered{});
    std::ofstream(path) << R"({"version": 2})";
    MemberMemory newer(world, path);
    EXPECT_EQ(newer.load().error().kind, Kind::unsupported);
}

}  // namespace
}  // namespace ipfscluster::service
