#include "bitswap/multi_fetcher.hpp"

#include <gtest/gtest.h>

#include "runtime/task_group.hpp"
#include "support/drive.hpp"

namespace ipfscluster::bitswap {
namespace {

using namespace std::chrono_literals;

Cid some_cid(const std::string& data) {
    return Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, data).value());
}

/// Delivers what it is told to after a while, fails, or stays silent until the limit.
struct FakeSide final : Fetcher {
    explicit FakeSide(World& w, std::string n) : world(w), name(std::move(n)) {}

    struct Session final : FetchSession {
        explicit Session(FakeSide& o) : owner(o) {}
        Async<Bytes> fetch(Cid cid, Duration limit) override {
            ++owner.fetches;
            const auto wait = owner.delay && *owner.delay < limit ? *owner.delay : limit;
            auto slept = co_await owner.world.sleep_for(wait);
            if (!slept) {
                ++owner.cancelled;
                co_return fail(slept.error());
            }
            if (owner.error) co_return fail(*owner.error);
            if (owner.delay && *owner.delay < limit) co_return Bytes(owner.name);
            co_return fail(Kind::timeout, owner.name + " has not delivered " + cid.to_string());
        }
        std::string where() const override { return "asked " + owner.name; }
        FakeSide& owner;
    };
    std::unique_ptr<FetchSession> session() override { return std::make_unique<Session>(*this); }
    void announce(const Cid& cid) override { announced.push_back(cid); }

    World& world;
    std::string name;
    std::optional<Duration> delay;  ///< nothing: silent
    std::optional<Error> error;
    int fetches = 0, cancelled = 0;
    std::vector<Cid> announced;
};

struct MultiFetcherTest : ::testing::Test {
    Result<Bytes> fetch(FetchSession& session, Duration limit = 30s) {
        begin = world.steady_now();
        return test::drive<Bytes>(world, session.fetch(some_cid("block"), limit));
    }
    Duration took() { return world.steady_now() - begin; }

    SimWorld world{5};
    SteadyTime begin{};
    FakeSide near{world, "near"}, far{world, "far"};
    MultiFetcher both{world, near, far, [] { return std::string("3 peers connected"); }};
};

TEST_F(MultiFetcherTest, what_the_near_side_has_never_reaches_the_far_one) {
    near.delay = 100ms;
    far.delay = 1ms;
    auto session = both.session();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch(*session).value(), "near");
    EXPECT_EQ(far.fetches, 0);
}

TEST_F(MultiFetcherTest, the_far_side_comes_in_after_a_moment_and_stays_for_the_session) {
    far.delay = 100ms;
    auto session = both.session();
    EXPECT_EQ(fetch(*session).value(), "far");
    EXPECT_EQ(took(), Duration(kNearFirst + 100ms));
    EXPECT_EQ(fetch(*session).value(), "far");
    EXPECT_EQ(took(), Duration(100ms));
    EXPECT_EQ(near.cancelled, 2);
    near.delay = 50ms;
    EXPECT_EQ(fetch(*session).value(), "near");
    EXPECT_EQ(far.cancelled, 1);
}

TEST_F(MultiFetcherTest, a_failure_of_one_side_waits_for_the_other) {
    near.error = Error{Kind::unavailable, "the near side is broken"};
    near.delay = 10ms;
    far.delay = 3s;
    auto session = both.session();
    EXPECT_EQ(fetch(*session).value(), "far");
    near.error.reset();
    near.delay = 10s;
    far.error = Error{Kind::unavailable, "the far side is broken"};
    far.delay = 10ms;
    EXPECT_EQ(fetch(*session).value(), "near");
}

TEST_F(MultiFetcherTest, when_nobody_delivers_the_limit_holds_and_both_places_are_named) {
    auto session = both.session();
    auto none = fetch(*session, 20s);
    EXPECT_EQ(none.error().kind, Kind::timeout);
    EXPECT_EQ(took(), Duration(20s));
    EXPECT_EQ(session->where(), "asked near; on the public network (3 peers connected) asked far");
    far.error = Error{Kind::corrupt, "a real failure"};
    far.delay = 1s;
    EXPECT_EQ(fetch(*session, 20s).error().text, "a real failure");
    EXPECT_EQ(took(), Duration(20s));
}

asio::awaitable<void> fetch_and_note(FetchSession& session, std::optional<Kind>& ended) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto got = co_await session.fetch(some_cid("block"), 1h);
    ended = got ? Kind::internal : got.error().kind;
}

TEST_F(MultiFetcherTest, a_cancelled_fetch_cancels_both) {
    auto session = both.session();
    TaskGroup group(world, "test");
    std::optional<Kind> ended;
    group.spawn(fetch_and_note(*session, ended));
    world.run_for(5s);
    ICL_EXPECT_OK(test::drive<void>(world, group.stop()));
    EXPECT_EQ(ended, Kind::cancelled);
    EXPECT_EQ(near.cancelled + far.cancelled, 2);
}

TEST_F(MultiFetcherTest, both_are_told_of_new_blocks) {
    both.announce(some_cid("block"));
    EXPECT_EQ(near.announced.size(), 1u);
    EXPECT_EQ(far.announced.size(), 1u);
}

}  // namespace
}  // namespace ipfscluster::bitswap
