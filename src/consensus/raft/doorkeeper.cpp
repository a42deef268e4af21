#include "consensus/raft/doorkeeper.hpp"

#include <fmt/format.h>

namespace ipfscluster::raft {

namespace {

using Act = DoorAnswer::Act;

HelloReply introduce(const DoorFacts& facts) {
    HelloReply reply;
    reply.node = facts.node;
    reply.cluster_id = facts.cluster_id;
    reply.feature_level = facts.feature_level;
    reply.has_cluster = facts.runs && facts.member;
    reply.knows_opener = facts.opener_known;
    reply.lists_opener = facts.opener_listed;
    return reply;
}

DoorAnswer refuse(HelloReply reply, HelloStatus status, std::string text, Act act = Act::none) {
    reply.status = status;
    reply.text = std::move(text);
    return {std::move(reply), act};
}

DoorAnswer answer_probe(const Hello& said, const DoorFacts& facts, HelloReply reply) {
    // A founder asks whether it may found with us.
    const bool asks_founder = said.node == 0 && !said.cluster_id.empty();
    if (asks_founder && !reply.has_cluster && facts.cluster_id.empty())
        return refuse(std::move(reply), HelloStatus::wrong_cluster,
                      "it is no founder of that cluster");
    reply.answers_about = said.about != 0 && reply.has_cluster;
    if (reply.answers_about) reply.about = facts.about;
    return {std::move(reply), Act::none};
}

DoorAnswer answer_join(const Hello& said, const DoorFacts& facts, HelloReply reply) {
    if (!reply.has_cluster || !facts.opener_is_member)
        return refuse(std::move(reply), HelloStatus::refused,
                      "not a member: add it with `peers add`");
    if (auto suffices = level_suffices(said.feature_level, facts.level_in_force); !suffices)
        return refuse(std::move(reply), HelloStatus::refused,
                      suffices.error().in("adding peer " + facts.opener.to_string()).text);
    if (facts.record || facts.being_added) return {std::move(reply), Act::none};
    if (facts.added_again >= kAddedAgainMax)
        return refuse(std::move(reply), HelloStatus::refused,
                      "too many peers are being added: ask again");
    return {std::move(reply), Act::add_again};
}

/// Messages, snapshots and changes: of a cluster that exists, for its nodes alone.
DoorAnswer answer_member(const Hello& said, const DoorFacts& facts, HelloReply reply) {
    // Who waits to be taken in does not know yet who will lead it.
    if (!reply.has_cluster) return {std::move(reply), facts.record ? Act::none : Act::note};
    if (said.cluster_id.empty())
        return refuse(std::move(reply), HelloStatus::wrong_cluster,
                      "the opener does not say which cluster it means");
    if (facts.record) {
        const bool first = facts.record->added_index == 1 && !facts.seen;
        return {std::move(reply), first ? Act::write_seen : Act::none};
    }
    if (facts.coming || facts.vouched) return {std::move(reply), Act::note};
    const bool may_be_newer = said.purpose == Purpose::messages;
    return refuse(std::move(reply), HelloStatus::refused,
                  fmt::format("node {:016x} is not known here to be a member", said.node),
                  may_be_newer ? Act::vouch : Act::none);
}

}  // namespace

Result<> level_suffices(std::uint32_t known, std::uint32_t demanded) {
    if (known >= demanded) return ok();
    return fail(Kind::conflict, "its build knows feature levels up to " + std::to_string(known) +
                                    ", this cluster has level " + std::to_string(demanded) +
                                    ": install a newer build there");
}

DoorAnswer answer_hello(const Hello& said, const DoorFacts& facts) {
    auto reply = introduce(facts);
    if (facts.over) return refuse(std::move(reply), HelloStatus::refused, "consensus is closing");
    if (said.version != kWireVersion)
        return refuse(std::move(reply), HelloStatus::wrong_version, "unknown version");
    if (!said.cluster_id.empty() && !facts.cluster_id.empty() &&
        said.cluster_id != facts.cluster_id)
        return refuse(std::move(reply), HelloStatus::wrong_cluster,
                      "it was founded with other peers, or anew");
    if (said.purpose == Purpose::probe) return answer_probe(said, facts, std::move(reply));
    if (!facts.runs) return refuse(std::move(reply), HelloStatus::not_ready, "not a member yet");
    // Node 0 means "whoever is there": what is noted of it would be taken for everybody's.
    if (said.node == 0)
        return refuse(std::move(reply), HelloStatus::refused,
                      "the opener does not say which node it is");
    if (facts.record && facts.record->removed)
        return refuse(std::move(reply), HelloStatus::removed, "removed");
    if (facts.record && facts.record->peer != facts.opener)
        return refuse(std::move(reply), HelloStatus::refused,
                      "the node id belongs to another peer");
    if (said.wanted != 0 && said.wanted != facts.node)
        return refuse(
            std::move(reply), HelloStatus::another_node,
            fmt::format("it lost the data of node {:016x} or left its cluster, and is node {:016x}",
                        said.wanted, facts.node));
    if (facts.lost)
        return refuse(std::move(reply), HelloStatus::lost,
                      "its log lacks entries that it had acknowledged, or has others there");
    if (said.purpose == Purpose::join) return answer_join(said, facts, std::move(reply));
    return answer_member(said, facts, std::move(reply));
}

}  // namespace ipfscluster::raft
