// A name server that does not answer, in virtual time.
#include "http/resolve.hpp"

#include <gtest/gtest.h>

#include "runtime/sim_world.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::http {
namespace {

using namespace std::chrono_literals;

struct Names {
    int asked = 0;
    Result<Endpoints> answer = Endpoints{{asio::ip::make_address("192.0.2.1"), 5001}};
    Resolver::LookUp look_up() {
        return [this](const std::string&, std::uint16_t) {
            ++asked;
            return answer;
        };
    }
};

struct Outcome {
    int good = 0, timed_out = 0, other = 0;
};

asio::awaitable<void> ask(SimWorld* world, Resolver* resolver, Duration limit, Outcome* out) {
    auto found =
        co_await with_deadline<Endpoints>(*world, limit, "connecting", resolver->resolve());
    if (found)
        ++out->good;
    else if (found.error().kind == Kind::timeout)
        ++out->timed_out;
    else
        ++out->other;
}

TEST(Resolver, look_ups_that_hang_share_one_thread_and_do_not_pile_up) {
    SimWorld world(1);
    world.pools().set_delay(Pool::names, 30s, 30s);
    Names names;
    Resolver resolver(world, "ipfs0", 5001, names.look_up());
    TaskGroup tasks(world, "test");
    Outcome out;
    for (int second = 0; second < 600; ++second) {
        tasks.spawn(ask(&world, &resolver, 10s, &out));
        world.run_for(1s);
        ASSERT_LE(world.pools().size(Pool::names), 1U);
        ASSERT_LE(tasks.size(), 11U) << "nobody waits beyond its deadline";
    }
    world.run_for(40s);
    EXPECT_EQ(tasks.size(), 0U);
    EXPECT_LE(names.asked, 21);
    EXPECT_GT(out.timed_out, 300);
    EXPECT_GT(out.good, 100) << "who asked in the last third of a look-up gets its answer";
    EXPECT_EQ(out.other, 0);
}

TEST(Resolver, a_name_that_hangs_leaves_a_thread_to_the_others) {
    SimWorld world(1);
    world.pools().set_delay(Pool::names, 1h, 1h);
    Names silent, good;
    Resolver first(world, "silent", 1, silent.look_up());
    Resolver second(world, "good", 1, good.look_up());
    TaskGroup tasks(world, "test");
    Outcome hung, fine;
    for (int i = 0; i < 50; ++i) tasks.spawn(ask(&world, &first, 10s, &hung));
    world.run_for(1ms);
    world.pools().set_delay(Pool::names, 20ms, 20ms);
    tasks.spawn(ask(&world, &second, 10s, &fine));
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1min));
    EXPECT_EQ(fine.good, 1);
    EXPECT_EQ(hung.timed_out, 50);
}

TEST(Resolver, closing_gives_the_look_up_up) {
    SimWorld world(1);
    world.pools().set_delay(Pool::names, 1h, 1h);
    Names names;
    Resolver resolver(world, "ipfs0", 5001, names.look_up());
    TaskGroup tasks(world, "test");
    Outcome out;
    tasks.spawn(ask(&world, &resolver, 2h, &out));
    world.run_for(1s);
    resolver.close();
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1s));
    EXPECT_EQ(out.other, 1);
}

TEST(Resolver, a_refusal_is_told_and_the_next_asker_looks_up_anew) {
    SimWorld world(1);
    Names names;
    names.answer = fail(Kind::unavailable, "ipfs0: no such name");
    Resolver resolver(world, "ipfs0", 5001, names.look_up());
    TaskGroup tasks(world, "test");
    Outcome out;
    tasks.spawn(ask(&world, &resolver, 10s, &out));
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1min));
    EXPECT_EQ(out.other, 1);
    names.answer = Endpoints{{asio::ip::make_address("192.0.2.1"), 5001}};
    tasks.spawn(ask(&world, &resolver, 10s, &out));
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1min));
    EXPECT_EQ(out.good, 1);
    EXPECT_EQ(names.asked, 2);
}

TEST(Resolver, an_address_is_not_looked_up) {
    SimWorld world(1);
    Names names;
    Resolver resolver(world, "127.0.0.1", 5001, names.look_up());
    TaskGroup tasks(world, "test");
    Outcome out;
    tasks.spawn(ask(&world, &resolver, 10s, &out));
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1min));
    EXPECT_EQ(out.good, 1);
    EXPECT_EQ(names.asked, 0);
}

}  // namespace
}  // namespace ipfscluster::http
