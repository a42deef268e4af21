#pragma once
#include <optional>

#include "consensus/raft/wire.hpp"

namespace ipfscluster::raft {

/// What the acceptor of a stream knows when it is greeted.
struct DoorFacts {
    // Of itself.
    bool over = false;    ///< it ends
    bool runs = false;    ///< it has an engine
    bool member = false;  ///< of a cluster
    NodeId node = 0;
    Bytes cluster_id;  ///< or that of the cluster it is about to found
    std::uint32_t feature_level = 0;
    std::uint32_t level_in_force = 0;
    std::size_t added_again = 0;  ///< peers that are being taken in anew
    // Of the opener, as the connection names it, and of the node it says it is.
    PeerId opener;
    bool opener_is_member = false;
    bool opener_known = false;   ///< it was added, or messages of it have been accepted
    bool opener_listed = false;  ///< a node of it is in the table, removed or not
    std::optional<NodeRecord> record;
    bool coming = false;       ///< an entry that is not applied yet adds that node for that peer
    bool seen = false;         ///< messages of that node have been accepted before
    bool lost = false;         ///< its log is not what it had acknowledged
    bool being_added = false;  ///< that node is among those taken in anew
    bool vouched = false;      ///< a member says that it is one
    Bytes about;               ///< the peer of the node that the hello asks about; empty: unknown
};

struct DoorAnswer {
    /// What has to happen for the answer: before it is given, except `add_again`.
    enum class Act {
        none,
        write_seen,  ///< on the disk: this founder may not found again
        note,        ///< who it is, to be able to answer it
        vouch,       ///< ask a member about it, and ask the doorkeeper again
        add_again,   ///< take it in anew
    };
    HelloReply reply;
    Act act = Act::none;
};

/// Peers without their data that are being added again at once; more are told to come later.
inline constexpr std::size_t kAddedAgainMax = 16;

/// Who may open which stream (README.md, "Who may speak"). A pure function: no state, no I/O.
DoorAnswer answer_hello(const Hello& said, const DoorFacts& facts);

/// Whether a newcomer's build knows what is in force; `conflict` says what is missing.
Result<> level_suffices(std::uint32_t known, std::uint32_t demanded);

}  // namespace ipfscluster::raft
