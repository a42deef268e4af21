#include "unit/rpc/fixture.hpp"

namespace ipfscluster::rpc::test {
namespace {

using CallTest = Fixture;

TEST_F(CallTest, a_call_is_answered_and_leaves_nothing_behind) {
    EXPECT_EQ((call<std::int64_t>("Open", std::int64_t{21}).value()), 42);
    EXPECT_EQ(seen.caller, peer(2));
    world.run_for(1s);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(CallTest, bytes_on_the_wire_are_those_of_gorpc) {
    const auto answer =
        raw(hex("82 a44e616d65 a7436c7573746572 a64d6574686f64 a756657273696f6e") + hex("80"))
            .value();
    EXPECT_EQ(
        hex_encode(answer),
        hex_encode(
            hex("81 a753657276696365 82 a44e616d65 a7436c7573746572 a64d6574686f64 a756657273696f6e"
                "81 a176 a5312e312e36")));
}

TEST_F(CallTest, policy_decides_who_may_call) {
    EXPECT_EQ((call<std::int64_t>("Trusted", std::int64_t{1}).value()), 2);
    trusted = false;
    const auto distrusted = call<std::int64_t>("Trusted", std::int64_t{1});
    ASSERT_FALSE(distrusted);
    EXPECT_EQ(distrusted.error(),
              (Error{Kind::denied,
                     "client does not have permissions to call Cluster.Trusted: not a member"}));
    const auto closed = call<std::int64_t>("Pin", std::int64_t{1});
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error(),
              (Error{Kind::denied, "client does not have permissions to call Cluster.Pin"}));
    EXPECT_EQ(seen.calls, 1);
}

TEST_F(CallTest, a_refused_call_does_not_look_at_its_argument) {
    const auto answer = raw(codec::to_msgpack(ServiceId{"Cluster", "Pin"}) + hex("c1c1")).value();
    EXPECT_NE(answer.find("permissions"), Bytes::npos);
}

TEST_F(CallTest, unknown_names_are_told_as_go_does) {
    EXPECT_EQ((call<Empty>("Nothing", Empty{}).error()),
              (Error{Kind::unsupported, "rpc: can't find method Nothing"}));
    const auto service = drive(world, client.call<Empty>(peer(1), {"None", "X"}, Empty{}));
    EXPECT_EQ(service.error(), (Error{Kind::unsupported, "rpc: can't find service None"}));
}

TEST_F(CallTest, handler_errors_keep_kind_and_text) {
    EXPECT_EQ((call<Empty>("Conflict", Empty{}).error()), (Error{Kind::conflict, "moved on"}));
    EXPECT_FALSE((call<Empty>("Silent", Empty{})));
}

TEST_F(CallTest, an_argument_of_the_wrong_form_is_the_callers_fault) {
    const auto wrong = call<std::int64_t>("Open", std::string("text"));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, Kind::invalid);
    EXPECT_NE(wrong.error().text.find("msgpack decode error"), std::string::npos);
}

TEST_F(CallTest, an_answer_of_the_wrong_form_is_no_success) {
    const auto wrong = call<std::vector<std::string>>("Open", std::int64_t{1});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, Kind::unknown_outcome);
}

TEST_F(CallTest, an_unreachable_peer_is_unavailable) {
    const auto nobody = drive(world, client.call<Empty>(peer(9), {"Cluster", "Long"}, Empty{}));
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().kind, Kind::unavailable) << nobody.error().text;
}

TEST_F(CallTest, silence_after_sending_is_an_unknown_outcome_and_cancels_the_handler) {
    const auto late = call<Empty>("Long", Empty{}, CallOptions{.limit = 5s});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, Kind::unknown_outcome) << late.error().text;
    world.run_for(1s);
    EXPECT_EQ(seen.cancelled, 1);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(CallTest, a_crash_after_sending_is_an_unknown_outcome) {
    auto waiting =
        start(world, client.call<Empty>(peer(1), {"Cluster", "Long"}, Empty{}, {.limit = 10min}));
    world.run_for(1s);
    ASSERT_EQ(seen.calls, 1);
    network.crash(peer(1));
    world.run_for(1s);
    ASSERT_TRUE(waiting->has_value());
    ASSERT_FALSE(**waiting);
    EXPECT_EQ((**waiting).error().kind, Kind::unknown_outcome) << (**waiting).error().text;
}

TEST_F(CallTest, a_caller_that_closes_its_side_cancels_the_handler) {
    (void)raw(codec::to_msgpack(ServiceId{"Cluster", "Long"}) + hex("80"), true);
    world.run_for(1s);
    EXPECT_EQ(seen.calls, 1);
    EXPECT_EQ(seen.cancelled, 1);
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(CallTest, calls_beyond_the_bound_wait_for_earlier_ones) {
    std::vector<std::shared_ptr<std::optional<Result<Empty>>>> waiting;
    for (std::size_t i = 0; i < kRpcStreamsPerPeerMax; ++i)
        waiting.push_back(start(
            world, client.call<Empty>(peer(1), {"Cluster", "Long"}, Empty{}, {.limit = 60s})));
    world.run_for(1s);
    EXPECT_EQ(server.running(), kRpcStreamsPerPeerMax);
    auto refused = start(world, client.call<std::int64_t>(peer(1), {"Cluster", "Open"},
                                                          std::int64_t{1}, {.limit = 5s}));
    auto patient = start(world, client.call<std::int64_t>(peer(1), {"Cluster", "Open"},
                                                          std::int64_t{1}, {.limit = 90s}));
    world.run_for(10s);
    ASSERT_TRUE(refused->has_value());
    EXPECT_EQ((**refused).error().kind, Kind::retryable) << (**refused).error().text;
    EXPECT_FALSE(patient->has_value());
    world.run_for(60s);
    ASSERT_TRUE(patient->has_value());
    EXPECT_EQ((**patient).value(), 2);
    for (const auto& one : waiting) EXPECT_EQ((**one).error().kind, Kind::unknown_outcome);
}

TEST_F(CallTest, stopping_the_server_cancels_what_runs) {
    auto waiting =
        start(world, client.call<Empty>(peer(1), {"Cluster", "Long"}, Empty{}, {.limit = 10min}));
    world.run_for(1s);
    ICL_EXPECT_OK(drive(world, server.stop()));
    world.run_for(1s);
    EXPECT_EQ(seen.cancelled, 1);
    ASSERT_TRUE(waiting->has_value());
    EXPECT_EQ((**waiting).error().kind, Kind::unknown_outcome);
    EXPECT_EQ(server.running(), 0U);
}

}  // namespace
}  // namespace ipfscluster::rpc::test
