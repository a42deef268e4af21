#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "consensus/raft/wire.hpp"
#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::raft {

/// Messages waiting for one peer; more are dropped, which the algorithm bears.
inline constexpr std::size_t kLinkMessagesMax = 4096;
inline constexpr std::size_t kLinkBytesMax = 19 * 1024 * 1024;
/// Bytes handed to the connection at once.
inline constexpr std::size_t kLinkWriteBytesMax = 256 * 1024;
inline constexpr Duration kLinkRetryMin = std::chrono::milliseconds(50);
inline constexpr Duration kLinkRetryMax = std::chrono::seconds(2);

/// Opens a stream and exchanges hellos. Any status but `ok` becomes an error: `denied` for another
/// cluster or version, `conflict` when the acceptor says that we were removed, `not_found` when it
/// is not the node that was wanted, `invalid` when it says that our log has lost something,
/// `unavailable` otherwise.
struct Greeted {
    std::unique_ptr<FrameStream> stream;
    HelloReply reply;
};
Async<Greeted> greet(World& world, net::Host& host, PeerId peer, Hello hello, Duration limit);

/// What a link asks of its owner and tells it.
struct LinkEvents {
    std::function<Hello(NodeId)> hello;       ///< what to say when opening to that node
    std::function<void(NodeId)> unreachable;  ///< messages to it were lost
    /// among them the offer of a snapshot at this index
    std::function<void(NodeId, std::uint64_t)> snapshot_lost;
    /// it does not talk to us: the error says why; `first` that is worth a line in the log since it
    /// last did
    std::function<void(NodeId, const Error&, bool first)> refused;
};

/// Outgoing messages: one ordered stream per node, opened when there is something to say and again
/// after a failure, until the node is no member any more. Owned by the consensus component; its
/// strand.
class Links {
 public:
    Links(World& world, net::Host& host, TaskGroup& tasks, Duration network_timeout,
          LinkEvents events);

    /// Queues a message; a node's first one starts its sender. False when dropped.
    /// `snapshot_index` is that of the snapshot the message offers; 0: it offers none.
    bool send(NodeId to, const PeerId& peer, Bytes message, std::uint64_t snapshot_index = 0);
    /// The node is no member any more: its sender says what waits, if it can be reached, and ends.
    void end(NodeId id);
    /// The feature level that the node announced when the stream we have to it was opened; nothing
    /// while there is none.
    std::optional<std::uint32_t> announced(NodeId id) const;
    std::size_t size() const { return links_.size(); }
    /// Bytes of messages ever given to `send`, dropped ones included.
    std::uint64_t given_bytes() const { return given_bytes_; }

 private:
    struct Link {
        explicit Link(asio::any_io_executor executor) : wake(std::move(executor)) {}
        NodeId id = 0;
        PeerId peer;
        std::deque<Bytes> queue;  ///< encoded frames
        std::size_t bytes = 0;
        std::uint64_t offered =
            0;  ///< snapshot offered by a message not yet given to the connection
        std::optional<std::uint32_t> announced;  ///< while a stream is open
        Signal wake;
        bool ending = false;
        bool refused = false;  ///< and that has been told
    };
    asio::awaitable<void> run(Link* link);
    asio::awaitable<void> run_until_end(Link* link);
    Async<> finish(FrameStream* stream);
    Async<> pump(Link* link, FrameStream* stream);
    void drop_queue(Link& link);

    World& world_;
    net::Host& host_;
    TaskGroup& tasks_;
    Duration network_timeout_;
    LinkEvents events_;
    std::uint64_t given_bytes_ = 0;
    std::map<NodeId, std::unique_ptr<Link>> links_;
};

}  // namespace ipfscluster::raft
