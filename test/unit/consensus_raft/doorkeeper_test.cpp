#include "consensus/raft/doorkeeper.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "support/pins.hpp"

namespace ipfscluster::raft {
namespace {

using test::peer;
using Act = DoorAnswer::Act;
using Status = HelloStatus;

const Bytes kCluster(32, 'c');
const Bytes kOther(32, 'o');

/// A member is greeted by another member, node 2 of peer 2.
DoorFacts member() {
    DoorFacts facts;
    facts.runs = facts.member = true;
    facts.node = 1;
    facts.cluster_id = kCluster;
    facts.feature_level = facts.level_in_force = 1;
    facts.opener = peer(2);
    facts.opener_is_member = facts.opener_known = facts.opener_listed = true;
    facts.record = NodeRecord{peer(2), 7, false};
    return facts;
}
/// Somebody nobody has heard of.
DoorFacts stranger() {
    auto facts = member();
    facts.opener_is_member = facts.opener_known = facts.opener_listed = false;
    facts.record.reset();
    return facts;
}
/// Waits to be taken in, and is greeted by whoever leads.
DoorFacts joiner() {
    auto facts = stranger();
    facts.member = false;
    facts.cluster_id.clear();
    return facts;
}
Hello hello(Purpose purpose) {
    Hello said;
    said.purpose = purpose;
    said.node = 2;
    said.cluster_id = kCluster;
    said.feature_level = 1;
    return said;
}

struct Case {
    const char* what;
    Hello said;
    DoorFacts facts;
    Status status;
    Act act = Act::none;
};

template <class T>
T with(T value, const std::function<void(T&)>& change) {
    change(value);
    return value;
}
Hello said(Purpose purpose, const std::function<void(Hello&)>& change) {
    return with<Hello>(hello(purpose), change);
}
DoorFacts but(DoorFacts facts, const std::function<void(DoorFacts&)>& change) {
    return with<DoorFacts>(std::move(facts), change);
}

std::vector<Case> cases() {
    const auto none = [](Hello& h) { h.cluster_id.clear(); };
    const auto other = [](Hello& h) { h.cluster_id = kOther; };
    const auto founder = [](DoorFacts& f) { f.record->added_index = 1; };
    std::vector<Case> out{
        {"it ends", hello(Purpose::probe), but(member(), [](auto& f) { f.over = true; }),
         Status::refused},
        {"version", said(Purpose::probe, [](auto& h) { h.version = 1; }), member(),
         Status::wrong_version},
        {"another cluster", said(Purpose::probe, other), member(), Status::wrong_cluster},
        {"a probe of nobody", said(Purpose::probe, none), stranger(), Status::ok},
        {"a founder asks a founder", said(Purpose::probe, [](auto& h) { h.node = 0; }),
         but(joiner(), [](auto& f) { f.cluster_id = kCluster; }), Status::ok},
        {"a founder asks who founds nothing", said(Purpose::probe, [](auto& h) { h.node = 0; }),
         joiner(), Status::wrong_cluster},
        {"no engine yet", hello(Purpose::messages), but(joiner(), [](auto& f) { f.runs = false; }),
         Status::not_ready},
        {"another node", said(Purpose::messages, [](auto& h) { h.wanted = 9; }), member(),
         Status::another_node},
        {"the node that is meant", said(Purpose::messages, [](auto& h) { h.wanted = 1; }), member(),
         Status::ok},
        {"a founder is heard for the first time", hello(Purpose::messages), but(member(), founder),
         Status::ok, Act::write_seen},
        {"a founder is heard again", hello(Purpose::messages),
         but(member(),
             [](auto& f) {
                 f.record->added_index = 1;
                 f.seen = true;
             }),
         Status::ok},
        {"a joiner hears its leader", hello(Purpose::messages), joiner(), Status::ok, Act::note},
        {"a joiner hears an early build", said(Purpose::messages, none), joiner(), Status::ok,
         Act::note},
        {"who is being added", hello(Purpose::messages),
         but(stranger(), [](auto& f) { f.coming = true; }), Status::ok, Act::note},
        {"a stranger with messages", hello(Purpose::messages), stranger(), Status::refused,
         Act::vouch},
        {"a stranger somebody vouches for", hello(Purpose::messages),
         but(stranger(), [](auto& f) { f.vouched = true; }), Status::ok, Act::note},
        {"a stranger without a node", said(Purpose::messages, [](auto& h) { h.node = 0; }),
         stranger(), Status::refused},
        {"who tells a joiner no node", said(Purpose::messages, [](auto& h) { h.node = 0; }),
         joiner(), Status::refused},
        {"no member asks to join", hello(Purpose::join), stranger(), Status::refused},
        {"a member asks to join anew", hello(Purpose::join),
         but(member(), [](auto& f) { f.record.reset(); }), Status::ok, Act::add_again},
        {"it is being taken in", hello(Purpose::join),
         but(member(),
             [](auto& f) {
                 f.record.reset();
                 f.being_added = true;
             }),
         Status::ok},
        {"too many are being taken in", hello(Purpose::join),
         but(member(),
             [](auto& f) {
                 f.record.reset();
                 f.added_again = kAddedAgainMax;
             }),
         Status::refused},
        {"it is a member already", hello(Purpose::join), member(), Status::ok},
        {"an early build asks to join", said(Purpose::join, [](auto& h) { h.feature_level = 0; }),
         but(member(), [](auto& f) { f.record.reset(); }), Status::refused},
        {"a joiner takes in nobody", hello(Purpose::join), joiner(), Status::refused},
    };
    for (const auto purpose : {Purpose::messages, Purpose::snapshot, Purpose::change}) {
        out.push_back({"a member", hello(purpose), member(), Status::ok});
        out.push_back({"no cluster named", said(purpose, none), member(), Status::wrong_cluster});
        out.push_back(
            {"another cluster named", said(purpose, other), member(), Status::wrong_cluster});
        out.push_back({"a removed node", hello(purpose),
                       but(member(), [](auto& f) { f.record->removed = true; }), Status::removed});
        out.push_back({"another peer's node", hello(purpose),
                       but(member(), [](auto& f) { f.record->peer = peer(3); }), Status::refused});
        out.push_back({"a node that lost its log", hello(purpose),
                       but(member(), [](auto& f) { f.lost = true; }), Status::lost});
    }
    for (const auto purpose : {Purpose::snapshot, Purpose::change})
        out.push_back({"a stranger", hello(purpose), stranger(), Status::refused});
    return out;
}

TEST(raft_doorkeeper, lets_in_whom_it_should) {
    for (const auto& each : cases()) {
        const auto answer = answer_hello(each.said, each.facts);
        const auto purpose = static_cast<int>(each.said.purpose);
        EXPECT_EQ(answer.reply.status, each.status) << each.what << ", purpose " << purpose;
        EXPECT_EQ(answer.act, each.act) << each.what << ", purpose " << purpose;
    }
}

TEST(raft_doorkeeper, introduces_itself_whatever_it_says) {
    const auto reply = answer_hello(hello(Purpose::snapshot), stranger()).reply;
    EXPECT_EQ(reply.node, 1u);
    EXPECT_EQ(reply.cluster_id, kCluster);
    EXPECT_TRUE(reply.has_cluster);
    EXPECT_FALSE(reply.knows_opener);
    EXPECT_FALSE(answer_hello(hello(Purpose::probe), joiner()).reply.has_cluster);
    EXPECT_TRUE(answer_hello(hello(Purpose::probe), member()).reply.lists_opener);
}

TEST(raft_doorkeeper, a_member_says_whose_node_one_is) {
    const auto about = said(Purpose::probe, [](auto& h) { h.about = 5; });
    const auto knows = but(member(), [](auto& f) { f.about = peer(5).bytes(); });
    const auto known = answer_hello(about, knows).reply;
    EXPECT_TRUE(known.answers_about);
    EXPECT_EQ(known.about, peer(5).bytes());
    const auto unknown = answer_hello(about, member()).reply;
    EXPECT_TRUE(unknown.answers_about);
    EXPECT_TRUE(unknown.about.empty());
    EXPECT_FALSE(answer_hello(about, joiner()).reply.answers_about);
    EXPECT_FALSE(answer_hello(hello(Purpose::probe), knows).reply.answers_about);
}

}  // namespace
}  // namespace ipfscluster::raft
