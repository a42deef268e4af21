#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/drain.hpp"
#include "multi/cid.hpp"
#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster {

/// The RPC protocol all Go and C++ peers speak.
inline constexpr std::string_view kRpcProtocol = "/ipfscluster/1.0/rpc";
/// What `version` says: the Go version whose behaviour this build follows.
inline constexpr std::string_view kClusterVersion = "1.1.6";

/// The IPFS daemon (or embedded node) beside a peer.
struct IpfsId {
    PeerId id;
    std::vector<Multiaddr> addresses;
    std::string error;
};

/// A cluster peer as it describes itself; with `error` set only `id` means anything.
struct PeerInfo {
    PeerId id;
    std::vector<Multiaddr> addresses;
    std::vector<PeerId> cluster_peers;
    std::vector<Multiaddr> cluster_peers_addresses;
    std::string version;
    std::string commit;
    std::string rpc_protocol;
    std::string error;
    IpfsId ipfs;
    std::string peername;
    MemberNote note;  ///< by whoever lists it; not sent between peers
};

struct RepoStat {
    std::uint64_t repo_size = 0;    ///< bytes
    std::uint64_t storage_max = 0;  ///< bytes
};

struct RepoGcKey {
    Cid key;
    std::string error;
};
/// Result of a garbage collection on one peer.
struct RepoGc {
    PeerId peer;
    std::string peername;
    std::vector<RepoGcKey> keys;
    std::string error;
};
struct GlobalRepoGc {
    std::map<PeerId, RepoGc> peer_map;
};

struct ConnectGraph {
    PeerId cluster_id;
    std::map<PeerId, std::string> id_to_peername;
    std::map<PeerId, std::vector<PeerId>> ipfs_links;
    std::map<PeerId, std::vector<PeerId>> cluster_links;
    std::map<PeerId, bool> cluster_trust_links;
    std::map<PeerId, PeerId> cluster_to_ipfs;
};

/// A block on its way to a peer (RPC NodeWithMeta).
struct NodeWithMeta {
    Bytes data;
    Cid cid;
    std::uint64_t cumulative_size = 0;
};

/// One line of the answer to an add.
struct AddedOutput {
    std::string name;
    Cid cid;                  ///< undefined in a progress line
    std::uint64_t bytes = 0;  ///< progress: bytes read so far
    std::uint64_t size = 0;   ///< cumulative DAG size
    std::vector<PeerId> allocations;
};

}  // namespace ipfscluster
