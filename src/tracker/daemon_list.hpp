#pragma once
#include "component/ipfs_connector.hpp"
#include "runtime/world.hpp"
#include "tracker/sorted_spool.hpp"

namespace ipfscluster::tracker {

/// Rows of a list between two turns of the strand.
inline constexpr std::size_t kListYieldRows = 256;

/// One CID of the daemon's list.
struct Listed {
    Bytes cid;
    bool recursive = false;
};

/// The daemon's list of pins in the order of CID bytes, in bounded memory: read whole first, as one
/// that breaks off proves nothing, then given one CID at a time. Errors of the daemon and of the
/// disk are passed on. Made for one comparison; one strand, sorting and the file are off it.
class DaemonList {
 public:
    DaemonList(World& world, const std::string& temporary_folder);

    /// Returns how many pins were listed.
    Async<std::uint64_t> read(component::IpfsConnector& ipfs);
    Async<std::optional<Listed>> next();

 private:
    Async<> fill();
    Async<std::optional<Bytes>> take();

    World& world_;
    std::shared_ptr<SortedSpool> spool_;  ///< records: the CID and one letter
    std::vector<Bytes> batch_;
    std::size_t at_ = 0;
    bool ended_ = false;
};

}  // namespace ipfscluster::tracker
