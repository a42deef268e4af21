#include "consensus/raft/engine.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "support/raft_messages.hpp"
#include "unit/consensus_raft/memory_log.hpp"

namespace ipfscluster::raft {
namespace {

std::vector<Bytes> data_of(const StepNode& node) {
    std::vector<Bytes> out;
    for (const auto& entry : node.committed)
        if (entry.type == EntryType::normal && !entry.data.empty()) out.push_back(entry.data);
    return out;
}

TEST(raft_engine, a_proposal_is_committed_by_all) {
    StepCluster cluster({1, 2, 3});
    cluster.elect(2);
    EXPECT_EQ(cluster.node(2).status().role, Role::leader);
    ASSERT_TRUE(cluster.node(2).engine->propose("a"));
    cluster.deliver();
    // A follower forwards to the leader it knows.
    ASSERT_TRUE(cluster.node(1).engine->propose("b"));
    cluster.deliver();
    for (auto& [id, node] : cluster.nodes)
        EXPECT_EQ(data_of(*node), (std::vector<Bytes>{"a", "b"})) << id;
}

TEST(raft_engine, without_a_leader_a_proposal_is_refused_as_retryable) {
    StepCluster cluster({1, 2, 3});
    auto refused = cluster.node(1).engine->propose("a");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::retryable);
}

TEST(raft_engine, a_follower_that_missed_appends_never_acknowledges_what_it_does_not_have) {
    // Trap 1: glued appends. The follower misses some of many appends and hears later ones.
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(cluster.node(1).engine->propose("x" + std::to_string(i)));
        if (i % 3 == 0) cluster.deaf = {3};
        if (i % 5 == 0) cluster.deaf.clear();
        while (cluster.node(1).round().value()) {
        }
        cluster.deliver();
        EXPECT_LE(cluster.node(3).hard_state.commit, cluster.node(3).log.last_index());
    }
    cluster.deaf.clear();
    for (int tick = 0; tick < 8; ++tick) {
        ASSERT_TRUE(cluster.node(1).engine->tick());
        cluster.deliver();
    }
    EXPECT_EQ(data_of(cluster.node(3)), data_of(cluster.node(1)));
}

TEST(raft_engine, losses_and_reordering_break_no_invariant) {
    // Trap 1, where it bites: a late rejection makes the leader go back while an append that starts
    // further on still waits in its round.
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        StepCluster cluster({1, 2, 3}, seed);
        cluster.elect(1);
        std::mt19937_64 random(seed);
        auto below = [&random](std::uint64_t end) { return random() % end; };
        std::vector<OutMessage> travelling;
        auto deliver_one = [&] {
            const auto at =
                travelling.begin() + static_cast<std::ptrdiff_t>(below(travelling.size()));
            const auto message = std::move(*at);
            travelling.erase(at);
            if (below(100) < 10) return Result<>(ok());
            return cluster.node(message.to).engine->step(message.bytes);
        };
        for (int step = 0; step < 2500; ++step) {
            auto& node = cluster.node(1 + below(3));
            Result<> outcome = ok();
            const auto what = below(100);
            if (what < 20 && node.status().role == Role::leader) {
                outcome = node.engine->propose("x");
            } else if (what < 24) {
                outcome = node.engine->tick();
            } else if (what < 64 && !travelling.empty()) {
                outcome = deliver_one();
            } else {
                auto worked = node.round();
                if (!worked) outcome = fail(worked.error());
                for (auto& message : std::exchange(node.outbox, {}))
                    travelling.push_back(std::move(message));
            }
            ASSERT_TRUE(outcome || outcome.error().kind == Kind::retryable)
                << "seed " << seed << ": " << outcome.error().text;
        }
        EXPECT_GT(data_of(cluster.node(1)).size(), 0u) << seed;
    }
}

TEST(raft_engine, the_leader_cannot_be_removed) {
    // Trap 2, rule a, at the leader, at a follower and for a forwarded change.
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    for (const NodeId asker : {1, 2}) {
        auto refused = cluster.node(asker).engine->propose_change(ChangeOp::remove, 1, {});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, Kind::conflict);
        auto demoted = cluster.node(asker).engine->propose_change(ChangeOp::add_learner, 1, {});
        ASSERT_FALSE(demoted);
    }
    ASSERT_TRUE(cluster.node(1).engine->propose("still here"));
    cluster.deliver();
    EXPECT_EQ(data_of(cluster.node(3)), (std::vector<Bytes>{"still here"}));
}

TEST(raft_engine, a_voter_is_not_removed_when_no_live_quorum_would_be_left) {
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    cluster.deaf = {3};
    // The leader notices at its next checks that 3 is silent.
    for (int tick = 0; tick < 23; ++tick) {
        ASSERT_TRUE(cluster.node(1).engine->tick());
        cluster.deliver();
    }
    auto refused = cluster.node(1).engine->propose_change(ChangeOp::remove, 2, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    // The silent one may go.
    EXPECT_TRUE(cluster.node(1).engine->propose_change(ChangeOp::remove, 3, {}));
}

TEST(raft_engine, a_node_that_applies_its_own_removal_ends) {
    // Trap 2, rule b.
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    ASSERT_TRUE(cluster.node(1).engine->propose_change(ChangeOp::remove, 3, {}));
    cluster.deliver();
    for (int tick = 0; tick < 4 && !cluster.node(3).removed; ++tick) {
        ASSERT_TRUE(cluster.node(1).engine->tick());
        cluster.deliver();
    }
    ASSERT_TRUE(cluster.node(3).removed);
    auto after = cluster.node(3).engine->tick();
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().kind, Kind::shutting_down);
    EXPECT_EQ(read_conf_state(cluster.node(1).conf_state).value().size(), 2u);
}

TEST(raft_engine, a_new_commit_index_is_reported_to_be_stored) {
    // Trap 3: a restart with applied > commit is refused with a text instead of a panic; what
    // advance reports keeps it from happening.
    StepCluster cluster({1});
    cluster.elect(1);
    ASSERT_TRUE(cluster.node(1).engine->propose("a"));
    cluster.deliver();
    EXPECT_GE(cluster.node(1).hard_state.commit, cluster.node(1).applied);
    cluster.node(1).start();
    EXPECT_EQ(cluster.node(1).status().applied, cluster.node(1).applied);

    MemoryLog log;
    EngineConfig broken;
    broken.id = 1;
    broken.hard_state = {1, 0, 1};
    broken.applied = 2;
    broken.conf_state = make_conf_state({1}, {});
    auto refused = Engine::make(broken, log);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::invalid);
}

TEST(raft_engine, a_node_restored_from_a_snapshot_can_campaign) {
    // Traps 4 and 8: a joiner gets the configuration by snapshot, and may lead without the entries
    // before it.
    StepCluster cluster({1, 2});
    cluster.elect(1);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(cluster.node(1).engine->propose("x"));
    cluster.deliver();
    auto joiner = std::make_unique<StepNode>();
    joiner->id = 3;
    joiner->log.compacted = {0, 0};
    joiner->hard_state = {};
    joiner->applied = 0;
    joiner->start();
    cluster.nodes[3] = std::move(joiner);
    ASSERT_TRUE(cluster.node(1).engine->propose_change(ChangeOp::add_learner, 3, "peer three"));
    cluster.deliver();
    EXPECT_EQ(cluster.node(3).applied, 0u) << "no entries before the snapshot";
    auto& leader = cluster.node(1);
    leader.log.offer = SnapshotMeta{
        {leader.applied, leader.log.term(leader.applied).value()}, leader.conf_state, "token"};
    for (int tick = 0; tick < 6; ++tick) {
        ASSERT_TRUE(leader.engine->tick());
        cluster.deliver();
    }
    EXPECT_EQ(cluster.node(3).log.compacted.index, leader.applied);
    ASSERT_TRUE(leader.engine->propose_change(ChangeOp::add_voter, 3, "peer three"));
    cluster.deliver();
    ASSERT_TRUE(leader.engine->transfer_leader(3));
    cluster.deliver();
    EXPECT_EQ(cluster.node(3).status().role, Role::leader);
    ASSERT_TRUE(cluster.node(3).engine->propose("by the joiner"));
    cluster.deliver();
    EXPECT_EQ(data_of(cluster.node(1)).back(), "by the joiner");
}

TEST(raft_engine, a_node_can_campaign_right_after_a_snapshot) {
    // Trap 4: nothing but the snapshot has told the engine how far it is applied.
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    cluster.deaf = {3};
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(cluster.node(1).engine->propose("x"));
    cluster.deliver();
    auto& leader = cluster.node(1);
    leader.log.compact(leader.applied);
    leader.log.offer = SnapshotMeta{leader.log.compacted, leader.conf_state, "token"};
    cluster.deaf.clear();
    auto& late = cluster.node(3);
    for (int tick = 0; tick < 6; ++tick) {
        ASSERT_TRUE(leader.engine->tick());
        cluster.deliver();
    }
    ASSERT_EQ(late.log.compacted.index, leader.applied);
    EXPECT_EQ(late.status().applied, leader.applied);
    auto campaigned = late.engine->campaign();
    EXPECT_TRUE(campaigned) << campaigned.error().text;
}

/// Waits to be taken in; in no term yet.
void start_blank(StepNode& blank) {
    blank.id = 9;
    blank.log.compacted = {0, 0};
    blank.hard_state = {};
    blank.applied = 0;
    blank.start();
}

TEST(raft_engine, a_blank_node_that_is_no_founder_never_stands_for_election) {
    StepNode blank;
    start_blank(blank);
    for (int tick = 0; tick < 100; ++tick) {
        ASSERT_TRUE(blank.engine->tick());
        while (blank.round().value()) {
        }
    }
    EXPECT_EQ(blank.status().term, 0u);
    EXPECT_TRUE(blank.outbox.empty());
}

TEST(raft_engine, a_blank_node_survives_candidates_that_it_would_have_to_refuse) {
    StepNode blank;
    start_blank(blank);
    test::RaftMessage ask{test::RaftType::pre_vote, 9, 1, 1};
    ask.priority = -1;
    EXPECT_EQ(blank.engine->step(ask.encode()).error().kind, Kind::corrupt);
    ask.priority = 0;
    EXPECT_TRUE(blank.engine->step(ask.encode()));
    EXPECT_EQ(blank.status().term, 0u);
}

TEST(raft_engine, the_configuration_is_given_with_the_change_and_survives_a_restart) {
    // Trap 5.
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    ASSERT_TRUE(cluster.node(1).engine->propose_change(ChangeOp::add_learner, 4, "four"));
    cluster.deliver();
    cluster.node(1).start();
    EXPECT_EQ(read_conf_state(cluster.node(1).conf_state).value(),
              (std::vector<Member>{{1, false}, {2, false}, {3, false}, {4, true}}));
}

TEST(raft_engine, junk_is_an_error_and_changes_nothing) {
    // Trap 6.
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    EXPECT_EQ(cluster.node(1).engine->step("junk\xff\xff\xff").error().kind, Kind::corrupt);
    // MsgHup (0) is local: an empty message is one.
    EXPECT_FALSE(cluster.node(1).engine->step({}));
    ASSERT_TRUE(cluster.node(1).engine->propose("a"));
    cluster.deliver();
    EXPECT_EQ(data_of(cluster.node(2)), (std::vector<Bytes>{"a"}));
}

/// A ConfChangeV2 that removes a node by way of a joint configuration, left only when told.
Bytes change_by_joint(NodeId id) {
    Bytes single, out;
    test::RaftMessage::number(single, 1, 1);
    test::RaftMessage::number(single, 2, id);
    test::RaftMessage::number(out, 1, 2);
    test::RaftMessage::text(out, 2, single);
    return out;
}

TEST(raft_engine, what_no_engine_would_say_is_refused_and_changes_nothing) {
    // Trap 6: well-formed messages of a member that would break an invariant, most of them with a
    // panic that ends the node.
    using test::RaftMessage;
    using test::RaftType;
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    ASSERT_TRUE(cluster.node(1).engine->propose("a"));
    cluster.deliver();
    const auto term = cluster.node(2).status().term;
    const auto last = cluster.node(2).status().last_index;
    const auto say = [&](NodeId to, NodeId from, RaftType type,
                         const std::function<void(RaftMessage&)>& change) {
        RaftMessage message{type, to, from, term};
        message.log_term = term;
        message.index = last;
        change(message);
        auto& engine = *cluster.node(to).engine;
        const auto outcome = engine.step(message.encode());
        EXPECT_EQ(outcome ? Kind::cancelled : outcome.error().kind, Kind::corrupt)
            << (outcome ? "it was taken" : outcome.error().text);
        const auto status = engine.status();
        ASSERT_TRUE(status) << status.error().text;
        EXPECT_EQ(status.value().term, term);
        EXPECT_EQ(status.value().last_index, last);
    };
    const auto entry = [](std::uint64_t index, std::uint64_t of) {
        return LogEntry{index, of, EntryType::normal, "x"};
    };
    say(2, 1, RaftType::heartbeat, [](auto& m) { m.commit = 100; });
    say(2, 1, RaftType::heartbeat, [](auto& m) { m.term = ~std::uint64_t{0}; });
    say(2, 1, RaftType::heartbeat, [&](auto& m) { m.term = term + kTermJumpMax + 1; });
    say(2, 1, RaftType::heartbeat, [](auto& m) { m.term = 0; });
    say(2, 3, RaftType::heartbeat, [](auto&) {});
    say(1, 3, RaftType::append, [](auto&) {});
    say(2, 1, RaftType::append, [](auto& m) { m.log_term = 0; });
    say(2, 1, RaftType::append, [&](auto& m) { m.log_term = term + 1; });
    say(2, 1, RaftType::append, [&](auto& m) { m.entries = {entry(2, term)}; });
    say(2, 1, RaftType::append, [&](auto& m) {
        m.entries = {entry(last + 1, term), entry(last + 3, term)};
    });
    say(2, 1, RaftType::append, [&](auto& m) { m.entries = {entry(last + 1, term + 1)}; });
    say(2, 1, RaftType::append, [&](auto& m) {
        m.index = ~std::uint64_t{0};
        m.entries = {entry(0, term)};
    });
    say(2, 1, RaftType::propose, [](auto& m) { m.term = 0; });
    say(2, 1, RaftType::propose, [&](auto& m) { m.entries = {entry(0, 0)}; });
    say(1, 2, RaftType::propose, [&](auto& m) {
        m.term = 0;
        m.entries = {{0, 0, EntryType::change, change_by_joint(3)}};
    });
    say(1, 2, RaftType::read_index, [](auto& m) { m.term = 0; });
    say(2, 3, RaftType::transfer_leader, [](auto&) {});
    say(1, 2, RaftType::append_response, [&](auto& m) { m.index = last + 1; });
    say(1, 2, RaftType::append_response, [&](auto& m) {
        m.reject = true;
        m.reject_hint = ~std::uint64_t{0};
    });
    say(2, 1, RaftType::snapshot, [&](auto& m) {
        m.snapshot = {{last + 5, term + 1}, make_conf_state({1, 2}, {}), "token"};
    });
    say(2, 1, RaftType::snapshot, [&](auto& m) {
        m.snapshot = {{last + 5, term}, make_conf_state({1, 2}, {2}), "token"};
    });
    say(2, 1, RaftType::snapshot, [&](auto& m) {
        m.snapshot = {{last + 5, term}, make_conf_state({}, {2}), "token"};
    });
}

TEST(raft_engine, election_timeouts_follow_from_the_seed) {
    // Trap 7.
    auto timeouts = [](std::uint64_t seed) {
        StepCluster cluster({1, 2, 3}, seed);
        std::vector<std::uint32_t> out;
        for (int tick = 0; tick < 200; ++tick) {
            for (auto& [id, node] : cluster.nodes) {
                node->engine->tick().value();
                out.push_back(node->status().election_timeout_ticks);
            }
            if (tick % 50 == 49) {
                // Nobody hears the leader for a while: elections again.
                cluster.deaf = {1, 2, 3};
                for (int silent = 0; silent < 25; ++silent)
                    for (auto& [id, node] : cluster.nodes) node->engine->tick().value();
                cluster.deliver();
                cluster.deaf.clear();
            }
            cluster.deliver();
        }
        return out;
    };
    EXPECT_EQ(timeouts(5), timeouts(5));
    EXPECT_NE(timeouts(5), timeouts(6));
    const auto seen = timeouts(5);
    EXPECT_GT(std::set<std::uint32_t>(seen.begin(), seen.end()).size(), 3u);
    for (const auto ticks : seen) {
        EXPECT_GE(ticks, 10u);
        EXPECT_LT(ticks, 20u);
    }
}

TEST(raft_engine, reads_are_answered_at_the_leader_and_at_a_follower) {
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    ASSERT_TRUE(cluster.node(1).engine->propose("a"));
    cluster.deliver();
    for (const NodeId reader : {1, 3}) {
        ASSERT_TRUE(cluster.node(reader).engine->read_index("r" + std::to_string(reader)));
        cluster.deliver();
        ASSERT_EQ(cluster.node(reader).reads.size(), 1u);
        EXPECT_EQ(cluster.node(reader).reads[0].index, cluster.node(1).hard_state.commit);
        EXPECT_EQ(cluster.node(reader).reads[0].request, "r" + std::to_string(reader));
    }
}

TEST(raft_engine, calls_between_poll_and_advance_are_refused) {
    StepCluster cluster({1});
    auto& engine = *cluster.node(1).engine;
    ASSERT_TRUE(engine.campaign());
    ASSERT_TRUE(engine.poll().value());
    EXPECT_EQ(engine.tick().error().kind, Kind::conflict);
    EXPECT_EQ(engine.propose("a").error().kind, Kind::conflict);
    EXPECT_EQ(engine.poll().error().kind, Kind::conflict);
    ASSERT_TRUE(engine.advance());
    EXPECT_EQ(engine.advance().error().kind, Kind::conflict);
}

TEST(raft_engine, the_envelope_of_a_message_can_be_read) {
    StepCluster cluster({1, 2, 3});
    ASSERT_TRUE(cluster.node(1).engine->campaign());
    ASSERT_TRUE(cluster.node(1).round().value());
    ASSERT_FALSE(cluster.node(1).outbox.empty());
    const auto& message = cluster.node(1).outbox.front();
    const auto info = read_message(message.bytes).value();
    EXPECT_EQ(info.from, 1u);
    EXPECT_EQ(info.to, message.to);
    EXPECT_EQ(info.snapshot.index, 0u);
    EXPECT_FALSE(read_message("\xff\xff"));
}

}  // namespace
}  // namespace ipfscluster::raft
