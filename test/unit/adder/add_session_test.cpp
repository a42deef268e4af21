#include "adder/add_session.hpp"

#include <gtest/gtest.h>

#include "support/drive.hpp"
#include "support/fake_blocks.hpp"
#include "support/pins.hpp"

namespace ipfscluster::adder {
namespace {

using namespace std::chrono_literals;
using component::AddParams;
using test::drive;
using test::FakeBlocks;
using test::peer;

/// Three peers, we are the first; each takes blocks unless a test says otherwise.
class FakeBackend final : public AddBackend {
 public:
    explicit FakeBackend(World& world) {
        for (int i = 0; i < 3; ++i) places[peer(i)] = std::make_shared<FakeBlocks>(world);
    }
    PeerId self() const override { return peer(0); }
    Async<std::vector<PeerId>> allocate(Pin pin) override {
        asked = pin;
        ++allocations;
        if (allocate_error) co_return fail(*allocate_error);
        co_return chosen;
    }
    Async<std::unique_ptr<component::BlockSession>> open_blocks(PeerId to) override {
        if (unreachable.contains(to)) co_return fail(Kind::unavailable, unreachable.at(to));
        co_return std::unique_ptr<component::BlockSession>(
            std::make_unique<test::FakeBlockSession>(places.at(to)));
    }
    Async<Pin> commit_pin(Pin pin) override {
        if (commit_error) co_return fail(*commit_error);
        pinned.push_back(pin);
        co_return pin;
    }
    std::pair<int, int> default_replication() const override { return defaults; }

    std::pair<int, int> defaults{2, 3};
    std::vector<PeerId> chosen{peer(1), peer(2)};
    std::map<PeerId, std::shared_ptr<FakeBlocks>> places;
    std::map<PeerId, std::string> unreachable;
    std::optional<Error> allocate_error, commit_error;
    int allocations = 0;
    Pin asked;
    std::vector<Pin> pinned;
};

struct AddSessionTest : ::testing::Test {
    ~AddSessionTest() override {
        session.reset();
        world.run_for(1s);
        for (const auto& [id, place] : backend.places)
            EXPECT_EQ(place->sessions, 0) << "a session was left open";
    }
    void open(AddParams params = {}) {
        auto made = make_add_session(world, kept, std::move(params));
        ASSERT_TRUE(made) << made.error().text;
        session = std::move(made.value());
    }
    Result<> add_file(const std::string& path, std::size_t bytes) {
        ICL_TRY(drive<void>(world, session->begin_file(path)));
        // Content that differs from block to block.
        Bytes data;
        for (std::size_t i = 0; data.size() < bytes; ++i)
            data += "line " + std::to_string(i) + "\n";
        data.resize(bytes);
        ICL_TRY(drive<void>(world, session->write(std::move(data))));
        ICL_TRY(drive<void>(world, session->end_file()));
        return ok();
    }
    Result<Cid> finish() { return drive<Cid>(world, session->finish()); }
    std::size_t blocks(int number) { return backend.places.at(peer(number))->blocks.size(); }

    SimWorld world{1};
    std::shared_ptr<FakeBackend> kept = std::make_shared<FakeBackend>(world);
    FakeBackend& backend = *kept;
    std::unique_ptr<component::AddSession> session;
};

TEST_F(AddSessionTest, blocks_are_on_the_chosen_peers_before_the_pin_is_committed) {
    open();
    ICL_EXPECT_OK(add_file("", 3 << 20));
    const auto root = finish();
    ASSERT_TRUE(root) << root.error().text;
    EXPECT_EQ(blocks(0), 0u) << "nothing stays on a peer that was not chosen";
    EXPECT_EQ(blocks(1), 13u);  // 12 leaves of 256 KiB and their root
    EXPECT_EQ(blocks(2), 13u);
    EXPECT_TRUE(backend.places.at(peer(1))->blocks.contains(root.value()));
    ASSERT_EQ(backend.pinned.size(), 1u);
    const auto& pin = backend.pinned[0];
    EXPECT_EQ(pin.cid, root.value());
    EXPECT_EQ(pin.allocations, backend.chosen);
    EXPECT_EQ(pin.options.replication_min, 2);
    EXPECT_EQ(pin.options.replication_max, 3);
    EXPECT_EQ(pin.max_depth, kDepthRecursive);
    const auto outputs = session->take_outputs();
    ASSERT_FALSE(outputs.empty());
    EXPECT_EQ(outputs.back().cid, root.value());
    EXPECT_EQ(outputs.back().allocations, backend.chosen);
    EXPECT_TRUE(session->take_outputs().empty());
}

TEST_F(AddSessionTest, pieces_of_any_size_give_the_same_root) {
    Bytes data;
    for (std::size_t i = 0; data.size() < (1 << 20) + 77; ++i)
        data += "line " + std::to_string(i) + "\n";
    std::set<Cid> roots;
    for (const std::size_t piece :
         {std::size_t{1000}, kOffloadBytesMin, kWriteBytesMax, kWriteBytesMax + 1, data.size()}) {
        open();
        ICL_EXPECT_OK(drive<void>(world, session->begin_file("f")));
        for (std::size_t at = 0; at < data.size(); at += piece)
            ICL_EXPECT_OK(drive<void>(world, session->write(data.substr(at, piece))));
        ICL_EXPECT_OK(drive<void>(world, session->write(Bytes())));
        ICL_EXPECT_OK(drive<void>(world, session->end_file()));
        roots.insert(finish().value());
    }
    EXPECT_EQ(roots.size(), 1u);
}

TEST_F(AddSessionTest, only_peers_that_confirmed_stand_in_the_pin) {
    backend.chosen = {peer(0), peer(1), peer(2)};
    backend.places.at(peer(1))->commit_error = "no room";
    open();
    ICL_EXPECT_OK(add_file("", 100));
    ASSERT_TRUE(finish());
    ASSERT_EQ(backend.pinned.size(), 1u);
    EXPECT_EQ(backend.pinned[0].allocations, (std::vector<PeerId>{peer(0), peer(2)}));
}

TEST_F(AddSessionTest, fewer_confirmations_than_the_minimum_are_an_error_and_nothing_is_pinned) {
    backend.chosen = {peer(0), peer(1), peer(2)};
    backend.places.at(peer(1))->commit_error = "no room on one";
    backend.unreachable[peer(2)] = "two cannot be reached";
    open();
    ICL_EXPECT_OK(add_file("", 100));
    const auto root = finish();
    ASSERT_FALSE(root);
    EXPECT_EQ(root.error().kind, Kind::unavailable);
    for (const auto& part :
         {peer(1).to_string() + ": no room on one", peer(2).to_string() + ": two cannot be reached",
          std::string("on 1 peers, the minimum is 2")})
        EXPECT_NE(root.error().text.find(part), std::string::npos) << root.error().text;
    EXPECT_TRUE(backend.pinned.empty());
}

TEST_F(AddSessionTest, no_peer_that_takes_blocks_is_an_error_naming_each) {
    backend.unreachable[peer(1)] = "one is away";
    backend.unreachable[peer(2)] = "two is away";
    open();
    auto added = add_file("", 100);
    if (added)
        added = finish() ? Result<>(ok()) : Result<>(fail(Kind::internal, "finish failed instead"));
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().text.find("one is away"), std::string::npos) << added.error().text;
    EXPECT_NE(added.error().text.find("two is away"), std::string::npos) << added.error().text;
    EXPECT_TRUE(backend.pinned.empty());
}

TEST_F(AddSessionTest, too_few_peers_to_allocate_is_the_allocators_error) {
    backend.allocate_error = Error{Kind::unavailable, "not enough peers to allocate CID"};
    open();
    auto added = add_file("", 100);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error(), *backend.allocate_error);
}

TEST_F(AddSessionTest, everywhere_pins_without_allocations_on_whoever_confirmed) {
    backend.defaults = {-1, -1};
    backend.chosen = {peer(0), peer(1), peer(2)};
    backend.places.at(peer(2))->put_error = "full";
    open();
    ICL_EXPECT_OK(add_file("", 1 << 20));
    ASSERT_TRUE(finish());
    ASSERT_EQ(backend.pinned.size(), 1u);
    EXPECT_TRUE(backend.pinned[0].allocations.empty());
    EXPECT_TRUE(backend.pinned[0].everywhere());
}

TEST_F(AddSessionTest, local_keeps_blocks_here_and_makes_us_a_holder) {
    AddParams params;
    params.local = true;
    open(params);
    ICL_EXPECT_OK(add_file("", 1 << 20));
    ASSERT_TRUE(finish());
    EXPECT_EQ(blocks(0), 5u);
    EXPECT_EQ(blocks(1), 0u);
    ASSERT_EQ(backend.pinned.size(), 1u);
    EXPECT_EQ(backend.pinned[0].allocations, (std::vector<PeerId>{peer(1), peer(0)}));
}

TEST_F(AddSessionTest, local_keeps_the_holders_the_user_named) {
    AddParams params;
    params.local = true;
    params.pin.user_allocations = {peer(1), peer(2)};
    open(params);
    ICL_EXPECT_OK(add_file("", 100));
    ASSERT_TRUE(finish());
    EXPECT_EQ(blocks(0), 1u);
    EXPECT_EQ(backend.pinned[0].allocations, backend.chosen);
}

TEST_F(AddSessionTest, no_pin_stores_blocks_and_commits_nothing) {
    AddParams params;
    params.no_pin = true;
    open(params);
    ICL_EXPECT_OK(add_file("", 100));
    ASSERT_TRUE(finish());
    EXPECT_EQ(blocks(1), 1u);
    EXPECT_EQ(backend.places.at(peer(1))->committed, 1);
    EXPECT_TRUE(backend.pinned.empty());
}

TEST_F(AddSessionTest, a_pin_that_cannot_be_committed_fails_the_add) {
    backend.commit_error = Error{Kind::unknown_outcome, "the leader is gone"};
    open();
    ICL_EXPECT_OK(add_file("", 100));
    const auto root = finish();
    ASSERT_FALSE(root);
    EXPECT_EQ(root.error().kind, Kind::unknown_outcome);
}

TEST_F(AddSessionTest, aborting_releases_every_session_even_while_one_hangs) {
    backend.places.at(peer(1))->hold_puts = true;
    open();
    ICL_EXPECT_OK(add_file("", 1 << 20));
    EXPECT_EQ(backend.places.at(peer(1))->sessions, 1);
    session.reset();
    world.run_for(1s);
    for (const auto& [id, place] : backend.places) {
        EXPECT_EQ(place->sessions, 0);
        EXPECT_EQ(place->committed, 0);
    }
    EXPECT_TRUE(backend.pinned.empty());
}

TEST_F(AddSessionTest, directories_are_reported_after_their_files_and_the_last_root_is_pinned) {
    open();
    ICL_EXPECT_OK(add_file("d/a", 10));
    ICL_EXPECT_OK(add_file("d/b", 300000));
    ICL_EXPECT_OK(drive<void>(world, session->add_symlink("d/l", "a")));
    ICL_EXPECT_OK(drive<void>(world, session->add_directory("d/empty")));
    const auto root = finish();
    ASSERT_TRUE(root) << root.error().text;
    std::vector<std::string> names;
    for (const auto& output : session->take_outputs()) names.push_back(output.name);
    EXPECT_EQ(names, (std::vector<std::string>{"d/a", "d/b", "d/l", "d/empty", "d"}));
    EXPECT_EQ(backend.pinned.at(0).cid, root.value());
    EXPECT_EQ(backend.allocations, 1) << "one choice for the whole add";
}

TEST_F(AddSessionTest, the_wish_passed_to_the_allocator_is_the_pin) {
    AddParams params;
    params.pin.name = "n";
    params.pin.replication_min = 1;
    params.pin.replication_max = 2;
    params.pin.user_allocations = {peer(2)};
    params.pin.mode = PinMode::direct;
    open(params);
    ICL_EXPECT_OK(add_file("", 100));
    ASSERT_TRUE(finish());
    EXPECT_EQ(backend.asked.options.user_allocations, std::vector<PeerId>{peer(2)});
    EXPECT_EQ(backend.asked.options.replication_min, 1);
    EXPECT_EQ(backend.pinned.at(0).options.name, "n");
    EXPECT_EQ(backend.pinned.at(0).options.mode, PinMode::recursive)
        << "an add always pins the whole DAG";
}

TEST(add_params, what_this_build_does_not_serve_is_refused_by_name) {
    SimWorld world(1);
    const auto kept = std::make_shared<FakeBackend>(world);
    const auto error = [&](const std::function<void(AddParams&)>& set) {
        AddParams params;
        set(params);
        const auto made = make_add_session(world, kept, params);
        return made ? std::string("accepted") : made.error().text;
    };
    EXPECT_NE(error([](auto& p) { p.format = "car"; }).find("car"), std::string::npos);
    EXPECT_NE(error([](auto& p) { p.shard = true; }).find("shard"), std::string::npos);
    EXPECT_NE(error([](auto& p) { p.no_copy = true; }).find("nocopy"), std::string::npos);
    EXPECT_NE(error([](auto& p) { p.chunker = "size-x"; }).find("size-x"), std::string::npos);
    EXPECT_NE(error([](auto& p) { p.layout = "spiral"; }).find("spiral"), std::string::npos);
    EXPECT_NE(error([](auto& p) { p.hash = "md4"; }).find("md4"), std::string::npos);
}

TEST_F(AddSessionTest, an_add_of_nothing_is_an_error) {
    open();
    EXPECT_FALSE(finish());
    EXPECT_TRUE(backend.pinned.empty());
}

}  // namespace
}  // namespace ipfscluster::adder
