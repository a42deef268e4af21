#include "net/memory_host.hpp"

#include "base/assert.hpp"

namespace ipfscluster::net {

MemoryNetwork::MemoryNetwork(World& world)
    : world_(world), lanes_(std::make_shared<MemoryLanes>(world)) {}

MemoryNetwork::~MemoryNetwork() {
    ICL_ASSERT(hosts_.empty(), "a simulated network outlives its hosts");
    lanes_->stop();
}

std::unique_ptr<MemoryHost> MemoryNetwork::add_host(const PeerId& id, Bytes secret) {
    ICL_ASSERT(!hosts_.contains(id), "this peer id is in use");
    std::unique_ptr<MemoryHost> host(new MemoryHost(*this, id, std::move(secret)));
    hosts_[id] = host.get();
    return host;
}

Multiaddr MemoryNetwork::address_of(const PeerId& id) {
    const auto number =
        numbers_.emplace(id, static_cast<std::uint32_t>(numbers_.size() + 1)).first->second;
    auto text = "/ip4/10." + std::to_string(number >> 16 & 255) + "." +
                std::to_string(number >> 8 & 255) + "." + std::to_string(number & 255) +
                "/tcp/9096";
    return Multiaddr::parse(text).value();
}

MemoryHost* MemoryNetwork::find(const PeerId& id) const {
    const auto found = hosts_.find(id);
    return found == hosts_.end() ? nullptr : found->second;
}

void MemoryNetwork::cut(const PeerId& a, const PeerId& b) {
    lanes_->cut(b, a);
    cut_one_way(a, b);
}

void MemoryNetwork::cut_one_way(const PeerId& from, const PeerId& to) {
    lanes_->cut(from, to);
    const auto which = lanes_->cuts(from, to);
    lanes_->after(kMemorySilenceMax, [this, from, to, which] {
        if (!lanes_->is_cut(from, to) || lanes_->cuts(from, to) != which) return;
        if (auto* host = find(from)) host->lose(to, 0);
        if (auto* host = find(to)) host->lose(from, 0);
    });
}

void MemoryNetwork::break_link(const PeerId& a, const PeerId& b) {
    lanes_->refuse(a, b);
    if (auto* host = find(a)) host->lose(b, 0);
    if (auto* host = find(b)) host->lose(a, 0);
}

void MemoryNetwork::silence(const PeerId& peer) {
    for (const auto& [other, host] : hosts_)
        if (other != peer) cut(peer, other);
}

void MemoryNetwork::partition(const std::vector<PeerId>& left, const std::vector<PeerId>& right) {
    for (const auto& a : left) {
        for (const auto& b : right) cut(a, b);
    }
}

void MemoryNetwork::heal_all() {
    const auto all = lanes_->all_cut();
    for (const auto& [from, to] : all) lanes_->heal(from, to);
    lanes_->heal_gossip();
    lanes_->accept_all();
}

void MemoryNetwork::crash(const PeerId& id) {
    if (auto* host = find(id)) host->shut();
}

}  // namespace ipfscluster::net
