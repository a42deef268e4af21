#pragma once
#include <string>
#include <vector>

#include "config/remembered.hpp"
#include "runtime/signal.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::service {

/// Keeps `members.json` as consensus says who the members are, so that a peer whose data is lost
/// knows whom to wait for (decision 0016). Owned by Peer::Parts; its strand. A file that cannot be
/// read counts as that of a peer that was to join: it founds nothing by itself. Writing may fail;
/// it is tried again with the next call.
class MemberMemory {
 public:
    MemberMemory(World& world, std::string path);

    /// Reads the file. Blocking: at start only. `unsupported` when a newer build wrote it.
    Result<> load();
    const config::Remembered& known() const { return known_; }
    /// Before a start with `--bootstrap` does anything: from here on this peer founds nothing.
    Async<> note_joining();
    /// `members` as consensus knows them; without effect while this peer is none of them.
    Async<> keep(std::vector<PeerId> members, PeerId self);

 private:
    Async<> save(config::Remembered value);

    World& world_;
    std::string path_;
    config::Remembered known_;  ///< what the file says
    bool readable_ = true;
    bool saving_ = false;
    Signal saved_;
};

}  // namespace ipfscluster::service
