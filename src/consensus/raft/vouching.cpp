#include "consensus/raft/vouching.hpp"

#include <algorithm>

namespace ipfscluster::raft {

PeerId Vouching::next_to_ask(const PeerId& about) {
    const auto known = roster_.peers();
    auto next = std::upper_bound(known.begin(), known.end(), last_asked_);
    for (std::size_t i = 0; i < known.size(); ++i, ++next) {
        if (next == known.end()) next = known.begin();
        if (*next != roster_.self() && *next != about) return last_asked_ = *next;
    }
    return {};
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
