#include "peer/address_keeper.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"
#include "net/memory_host.hpp"
#include "runtime/task_group.hpp"
#include "support/drive.hpp"
#include "support/fake_parts.hpp"

namespace ipfscluster::peer {
namespace {

using namespace std::chrono_literals;
using test::drive;
using test::start;

PeerId id_of(char number) {
    return ed25519_from_seed(Bytes(32, number)).id;
}

/// Remembers; takes a second to save.
class SlowPeerstore final : public Peerstore {
 public:
    explicit SlowPeerstore(World& world) : world_(world) {}
    Async<> remember(std::vector<PeerId> known) override {
        members = std::move(known);
        co_return ok();
    }
    std::vector<Multiaddr> addresses;
    std::vector<PeerId> members;
    std::optional<Error> failure;
    int saves = 0;

    Async<std::vector<Multiaddr>> load() override { co_return addresses; }
    Async<> save(std::vector<Multiaddr> known) override {
        ++saves;
        ICL_CO_TRY(co_await world_.sleep_for(1s));
        if (failure) co_return fail(*failure);
        addresses = std::move(known);
        co_return ok();
    }

 private:
    World& world_;
};

struct AddressKeeperTest : ::testing::Test {
    Multiaddr address(char number, int port) const {
        return Multiaddr::parse("/ip4/10.0.0." + std::to_string(number) + "/tcp/" +
                                std::to_string(port))
            .value()
            .with_peer(id_of(number));
    }

    SimWorld world{1};
    net::MemoryNetwork network{world};
    std::unique_ptr<net::MemoryHost> host = network.add_host(id_of(1));
    SlowPeerstore store{world};
    test::LoneConsensus consensus;
    AddressKeeperTest() { consensus.members = {id_of(2)}; }
    AddressKeeper keeper{world, *host, consensus, store};
};

TEST_F(AddressKeeperTest, members_and_those_of_the_configuration_are_kept_and_saved) {
    store.addresses = {address(2, 4001), address(4, 4001)};
    ICL_EXPECT_OK(drive(world, keeper.load({address(3, 4001)})));
    ICL_EXPECT_OK(drive(world, keeper.save()));
    EXPECT_TRUE(host->known_addresses(id_of(4)).empty()) << "it is no member any more";
    EXPECT_EQ(host->kept_peers().size(), 2u);
    EXPECT_EQ(store.addresses.size(), 2u);
    // A stranger and a member of which nothing was known connect to us.
    for (const char number : {5, 6}) {
        auto other = network.add_host(id_of(number));
        other->add_addresses(id_of(1), {network.address_of(id_of(1))});
        ICL_EXPECT_OK(drive(world, other->connect(id_of(1), {}, 5s)));
        EXPECT_EQ(host->known_addresses(id_of(number)).size(), 1u);
        if (number == 6) consensus.members.push_back(id_of(6));
        ICL_EXPECT_OK(drive(world, keeper.save()));
        EXPECT_EQ(store.addresses.size(), number == 6 ? 3u : 2u);
    }
    world.run_for(1s);
    EXPECT_TRUE(host->known_addresses(id_of(5)).empty()) << "it went with its connection";
    EXPECT_EQ(host->known_addresses(id_of(6)).size(), 1u);
    EXPECT_EQ(store.addresses.size(), 3u);
}

TEST_F(AddressKeeperTest, who_may_be_a_member_is_kept) {
    consensus.knows_all = false;
    host->add_addresses(id_of(3), {address(3, 4001).without_peer()});
    ICL_EXPECT_OK(drive(world, keeper.save()));
    EXPECT_EQ(store.addresses.size(), 1u);
    consensus.knows_all = true;
    ICL_EXPECT_OK(drive(world, keeper.save()));
    EXPECT_TRUE(host->kept_peers().empty());
}

TEST_F(AddressKeeperTest, the_host_learns_what_it_is_told_first_and_then_what_was_saved) {
    store.addresses = {address(2, 4001), address(1, 9)};
    ICL_EXPECT_OK(drive(world, keeper.load({address(2, 5000), address(3, 4001)})));
    ASSERT_EQ(host->known_addresses(id_of(2)).size(), 2u);
    EXPECT_EQ(host->known_addresses(id_of(2)).front(), address(2, 5000).without_peer());
    EXPECT_EQ(host->known_addresses(id_of(3)).size(), 1u);
    EXPECT_TRUE(host->known_addresses(id_of(1)).empty()) << "its own address is no news";
}

TEST_F(AddressKeeperTest, only_what_has_changed_is_saved) {
    ICL_EXPECT_OK(drive(world, keeper.save()));
    EXPECT_EQ(store.saves, 0) << "nothing is known";
    host->add_addresses(id_of(2), {address(2, 4001).without_peer()});
    ICL_EXPECT_OK(drive(world, keeper.save()));
    ICL_EXPECT_OK(drive(world, keeper.save()));
    EXPECT_EQ(store.saves, 1);
    EXPECT_EQ(store.addresses, std::vector<Multiaddr>(1, address(2, 4001)));
}

TEST_F(AddressKeeperTest, saves_follow_each_other) {
    consensus.members.push_back(id_of(3));
    host->add_addresses(id_of(2), {address(2, 4001).without_peer()});
    const auto first = start(world, keeper.save());
    world.run_for(500ms);
    host->add_addresses(id_of(3), {address(3, 4001).without_peer()});
    const auto second = start(world, keeper.save());
    world.run_for(400ms);
    EXPECT_EQ(store.saves, 1) << "the second waits for the first";
    world.run_for(2s);
    ICL_EXPECT_OK(first->value());
    ICL_EXPECT_OK(second->value());
    EXPECT_EQ(store.addresses.size(), 2u);
}

TEST_F(AddressKeeperTest, what_could_not_be_saved_is_tried_again) {
    host->add_addresses(id_of(2), {address(2, 4001).without_peer()});
    store.failure = Error{Kind::disk_full, "no room"};
    TaskGroup tasks(world, "keeper");
    tasks.spawn(keeper.run());
    world.run_for(10s);
    EXPECT_GT(store.saves, 1);
    EXPECT_TRUE(store.addresses.empty());
    store.failure.reset();
    world.run_for(5s);
    EXPECT_EQ(store.addresses.size(), 1u);
    const int saves = store.saves;
    world.run_for(1min);
    EXPECT_EQ(store.saves, saves) << "nothing has changed";
    consensus.members.push_back(id_of(3));
    world.run_for(2s);
    EXPECT_EQ(store.members, consensus.members) << "who the members are is written down as well";
    ICL_EXPECT_OK(drive(world, tasks.stop()));
}

}  // namespace
}  // namespace ipfscluster::peer
