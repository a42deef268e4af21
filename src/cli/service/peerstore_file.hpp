#pragma once
#include <string>

#include "cli/service/member_memory.hpp"
#include "peer/address_keeper.hpp"

namespace ipfscluster::service {

/// The peerstore file (config/peerstore.hpp) beside service.json, and the members' file beside
/// that. Owned by Peer; one strand, files are written on a thread for blocking work. A peerstore
/// that cannot be read whole keeps nobody from starting: what fits is taken, the file is put aside
/// as `peerstore.bad`.
class PeerstoreFile final : public peer::Peerstore {
 public:
    PeerstoreFile(World& world, std::string path, MemberMemory& memory, PeerId self)
        : world_(world), path_(std::move(path)), memory_(memory), self_(std::move(self)) {}

    Async<std::vector<Multiaddr>> load() override;
    Async<> save(std::vector<Multiaddr> addresses) override;
    Async<> remember(std::vector<PeerId> members) override {
        return memory_.keep(std::move(members), self_);
    }

 private:
    World& world_;
    std::string path_;
    MemberMemory& memory_;
    PeerId self_;
};

}  // namespace ipfscluster::service
