// The cluster's side of an add: where blocks go and how the pin is committed.
#include "adder/add_session.hpp"
#include "cluster/cluster.hpp"

namespace ipfscluster::cluster {

namespace {

/// Sends the blocks of an add to this peer's daemon and to other members.
class ClusterAddBackend final : public adder::AddBackend {
 public:
    ClusterAddBackend(const ClusterParts& parts, Pinner& pinner) : parts_(parts), pinner_(pinner) {}
    PeerId self() const override { return parts_.host.id(); }
    Async<std::vector<PeerId>> allocate(Pin pin) override {
        return pinner_.allocate_blocks(std::move(pin));
    }
    Async<std::unique_ptr<component::BlockSession>> open_blocks(PeerId peer) override {
        if (peer == self()) return parts_.ipfs.open_blocks();
        return parts_.peers.block_stream(std::move(peer));
    }
    Async<Pin> commit_pin(Pin pin) override {
        // Others would be given the pin, but nobody the blocks.
        const auto& brought = pin.allocations;
        if (!brought.empty() && std::none_of(brought.begin(), brought.end(),
                                             [this](const PeerId& peer) { return is_here(peer); }))
            co_return fail(Kind::unavailable,
                           "the peers that got the blocks are gone, nothing was pinned");
        auto pinned = co_await pinner_.pin(std::move(pin));
        co_return pinned;
    }
    std::pair<int, int> default_replication() const override {
        return {pinner_.defaults().replication_min, pinner_.defaults().replication_max};
    }

 private:
    bool is_here(const PeerId& peer) const {
        return peer == self() || (parts_.monitor.alive(peer) &&
                                  parts_.members.standing(peer) != component::Standing::left);
    }

    const ClusterParts& parts_;
    Pinner& pinner_;
};

}  // namespace

Async<std::unique_ptr<component::AddSession>> Cluster::add(component::AddParams params) {
    ICL_CO_TRY(pinner_.check_writable());
    const auto& wish = params.pin;
    if (wish.expire_at != kTimeUnset && wish.expire_at < parts_.world.system_now())
        co_return fail(Kind::invalid,
                       "pin.ExpireAt set before current time: " + format_rfc3339(wish.expire_at));
    // A peer that takes no pins keeps no blocks for itself, either.
    if (params.local && parts_.members.cordon(self()).takes_no_pins()) params.local = false;
    co_return adder::make_add_session(
        parts_.world, std::make_shared<ClusterAddBackend>(parts_, pinner_), std::move(params));
}

}  // namespace ipfscluster::cluster
