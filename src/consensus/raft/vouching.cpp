#include "consensus/raft/vouching.hpp"

#include "consensus/raft/next_in_turn.hpp"

namespace ipfscluster::raft {

PeerId Vouching::next_to_ask(const PeerId& about) {
    auto next = next_in_turn(roster_.peers(), last_asked_, [&](const PeerId& peer) {
        return peer != roster_.self() && peer != about;
    });
    if (!next.empty()) last_asked_ = next;
    return next;
}

Async<bool> Vouching::ask(NodeId node, PeerId peer) {
    const auto member = next_to_ask(peer);
    if (member.empty() || asking_.size() >= kVouchedAtOnceMax || !asking_.insert(node).second)
        co_return false;
    auto said = co_await greeter_.about(member, node);
    asking_.erase(node);
    if (!said && said.error().kind == Kind::cancelled) co_return fail(said.error());
    if (!said || !said.value().has_cluster) co_return false;
    co_return !said.value().answers_about || said.value().about == peer.bytes();
}

}  // namespace ipfscluster::raft
