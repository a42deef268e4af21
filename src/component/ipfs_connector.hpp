#pragma once
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/peer_info.hpp"
#include "model/pin.hpp"
#include "model/status.hpp"
#include "runtime/async.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::component {

/// Bytes and blocks fetched so far by a running pin; they only grow. A connector tells them first
/// when the pin begins (none, then: before that it may have waited for its turn), later only when
/// they have grown.
struct PinProgress {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
};
using ProgressHandler = std::function<void(PinProgress)>;

/// Whether the daemon holds a pin already, as far as the caller knows. Where that is unknown, a
/// daemon that would pin it anew is asked first.
enum class Held : std::uint8_t { unknown, no };

/// A pin and what is known of it.
struct PinRequest {
    // Not explicit: a pin of which nothing is known is a request.
    PinRequest(Pin wanted, Held known = Held::unknown) : pin(std::move(wanted)), held(known) {}
    Pin pin;
    Held held;
};

/// What a connector knows of its daemon without asking it.
struct DaemonState {
    bool available = true;  ///< calls go out to it
    std::string reason;     ///< why not; empty while it is available
    /// Pins that it can work on at once, as far as its answers show. Those that are slow (PinPace)
    /// do not count.
    int pins_at_once = std::numeric_limits<int>::max();
};

/// Blocks being stored for an add or import. Until `commit` nothing of it counts as stored; the
/// blocks are protected from garbage collection by a lease from the first put until some time after
/// commit. Destroying it without commit releases the lease. One caller at a time. A Kubo daemon has
/// no leases: there only the pin that follows protects the blocks.
class BlockSession {
 public:
    virtual ~BlockSession() = default;
    /// `disk_full` names the peer; `invalid` when the bytes do not hash to the CID.
    virtual Async<> put(Cid cid, Bytes data) = 0;
    /// The same for bytes whose CID this process has computed or checked itself: they are not
    /// hashed again. Never for what came with a CID from outside and was only passed on.
    virtual Async<> put_verified(Cid cid, Bytes data) {
        return put(std::move(cid), std::move(data));
    }
    /// Returns once every block put so far is durable.
    virtual Async<> commit() = 0;
};

/// Field of a `block/put` or `dag/put` to an embedded node: the cluster is going to pin what comes,
/// so it is kept for that pin as an add is. A daemon does not know it.
inline constexpr std::string_view kKeepForPinField = "X-Ipfs-Cluster-Keep";

/// Content of one UnixFS file, pulled in order.
struct FileInfo {
    Cid cid;
    bool directory = false;
    std::uint64_t size = 0;  ///< bytes of a file
};
struct DirectoryEntry {
    std::string name;
    Cid cid;
    std::uint64_t size = 0;  ///< cumulative DAG size (Tsize)
    enum class Type : std::uint8_t { file, directory, symlink, unknown } type = Type::unknown;
};

/// The IPFS daemon (or embedded node) this peer tells to pin. Owned by main; one strand. Every call
/// has its own time-outs and may be cancelled. `unavailable` means that the daemon cannot be
/// reached or does not answer: while that lasts, every call says so at once, and the connector
/// itself finds out when it is back. Other errors carry the daemon's own words.
class IpfsConnector {
 public:
    virtual ~IpfsConnector() = default;
    virtual Async<> start() = 0;
    virtual Async<> stop() = 0;
    /// True once the daemon has answered; stays true when it goes away.
    virtual bool ready() = 0;

    /// The one answer to whether the daemon is there: who has work for it waits until it is.
    virtual DaemonState daemon() const { return {}; }
    /// Called whenever `daemon()` may allow more than before; one listener, null: none. It must not
    /// call back.
    virtual void on_daemon(std::function<void()> changed) { (void)changed; }

    /// What the daemon last said of itself, some seconds ago at most.
    virtual Async<IpfsId> id() = 0;
    /// Holds the whole DAG (recursive), the one block (direct) or `max_depth` levels, and says so
    /// only when it does. Cancelling it stops the fetch. `timeout` when nothing arrived for the
    /// configured time.
    virtual Async<> pin(PinRequest request, ProgressHandler progress) = 0;
    /// Pins that `pin_together` takes at most; fewer than two where there is no such call.
    virtual std::size_t together_max() const { return 1; }
    /// Holds the whole DAG of each of them. A failure says nothing of any one of them: each may be
    /// held by then or not. One call to the daemon, which fetches one after the other, so it is for
    /// what can be expected to be had at once; `timeout` once it took longer than `limit`.
    virtual Async<> pin_together(std::vector<Cid> cids, Duration limit) {
        (void)cids;
        (void)limit;
        co_return fail(Kind::unsupported, "pins are told one by one");
    }
    /// ok when it was not pinned; `denied` where unpinning is disabled.
    virtual Async<> unpin(Cid cid) = 0;
    /// Asks the daemon. `recursive` or `direct` when it holds the CID at least as `pin` wants it (a
    /// recursive pin covers a direct one), else `unpinned`.
    virtual Async<IpfsPinStatus> pin_status(Pin pin) = 0;
    /// Whether all of it is here, fetching nothing; where it is, it stays pinned. A daemon knows
    /// that only of what it has pinned.
    virtual Async<bool> hold_if_whole(Pin pin) {
        auto status = co_await pin_status(std::move(pin));
        if (!status) co_return fail(status.error());
        co_return status.value() != IpfsPinStatus::unpinned;
    }
    /// Pins of these types ("recursive", "direct"; none or "all": both) in any order; never
    /// indirect ones. A listing that the daemon broke off, or that came short, ends with an error.
    virtual SourcePtr<IpfsPinInfo> pin_ls(std::vector<std::string> types) = 0;

    virtual Async<RepoStat> repo_stat() = 0;
    virtual SourcePtr<RepoGcKey> repo_gc() = 0;
    virtual Async<> swarm_connect(std::vector<Multiaddr> addresses) = 0;
    virtual Async<std::vector<PeerId>> swarm_peers() = 0;
    /// `/ipfs/<cid>/path` → the CID it leads to.
    virtual Async<Cid> resolve(std::string path) = 0;
    virtual Async<Bytes> block_get(Cid cid) = 0;
    virtual Async<std::unique_ptr<BlockSession>> open_blocks() = 0;

    /// Looks at what `/ipfs/<cid>/path` is. `not_found` when a name is missing.
    virtual Async<FileInfo> stat(std::string path) = 0;
    /// Pieces of a file from `offset`, at most `length` bytes.
    virtual Async<SourcePtr<Bytes>> cat(Cid file, std::uint64_t offset, std::uint64_t length) = 0;
    virtual Async<SourcePtr<DirectoryEntry>> ls(Cid directory) = 0;
    /// Target of a symlink node.
    virtual Async<std::string> read_link(Cid cid) = 0;
};

}  // namespace ipfscluster::component
