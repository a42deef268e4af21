#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"
#include "runtime/async.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::net {

/// Most bytes one read gives, and the piece in which large writes are handed over.
inline constexpr std::size_t kStreamChunkMax = 64 * 1024;

/// One multiplexed byte stream to a peer. Owned by whoever opened or accepted it; destroying it
/// resets it unless both sides were closed. One read and one write in flight at most. Strand of the
/// host's world. Cancelling the awaiting coroutine resets the stream.
class Stream {
 public:
    virtual ~Stream() = default;
    virtual const PeerId& remote() const = 0;
    /// The protocol negotiated.
    virtual const std::string& protocol() const = 0;
    /// At least one and at most `max` bytes (≤ kStreamChunkMax); empty at the clean end of what the
    /// peer sent. `unavailable` after a reset or a lost connection.
    virtual Async<Bytes> read(std::size_t max = kStreamChunkMax) = 0;
    /// All of `data` has been handed to the flow-controlled connection when this returns.
    virtual Async<> write(Bytes data) = 0;
    /// Ends our direction; reads go on.
    virtual Async<> close_write() = 0;
    /// Ends both directions at once; pending operations answer `unavailable`. Idempotent.
    virtual void reset() = 0;
};
using StreamPtr = std::unique_ptr<Stream>;
/// Called on the strand with an accepted stream. Must not block; usually spawns a task.
using StreamHandler = std::function<void(StreamPtr)>;

/// A message on a topic whose signature has been verified: `from` really sent it.
struct TopicMessage {
    PeerId from;
    Bytes data;
};
using TopicHandler = std::function<void(TopicMessage)>;
/// Whether a message is good: a bad one is neither delivered nor passed on to other peers.
using TopicValidator = std::function<bool(const TopicMessage&)>;

struct ConnectionEvent {
    PeerId peer;
    bool connected = false;  ///< false: the last connection to it has closed
};

struct BandwidthTotals {
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

/// The peer's place on the network: streams, topics, addresses. Twins: BridgeHost (libp2p) and
/// MemoryHost (simulation). Owned by main or the test; outlives all components. One strand.
class Host {
 public:
    virtual ~Host() = default;
    virtual const PeerId& id() const = 0;
    /// Addresses we listen on, each with `/p2p/<id>`.
    virtual std::vector<Multiaddr> addresses() const = 0;

    /// Makes a connection, trying `addresses` and those already known; ok when connected already.
    /// `unavailable` with the reason of each address, `denied` when the handshake under a secret
    /// failed.
    virtual Async<> connect(PeerId peer, std::vector<Multiaddr> addresses, Duration limit) = 0;
    virtual void disconnect(const PeerId& peer) = 0;
    virtual bool connected(const PeerId& peer) const = 0;
    virtual std::vector<PeerId> connected_peers() const = 0;
    /// Remembers addresses for later connects, as `connect` does with those it is given. What a
    /// connection shows is remembered as long as it lasts.
    virtual void add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses) = 0;
    /// Whether what is known of a peer outlives the connections to it.
    virtual void keep_addresses(const PeerId& peer, bool keep) = 0;
    /// Without their `/p2p/<id>` part.
    virtual std::vector<Multiaddr> known_addresses(const PeerId& peer) const = 0;
    virtual std::vector<PeerId> known_peers() const = 0;
    /// Those of them whose addresses are kept.
    virtual std::vector<PeerId> kept_peers() const = 0;
    /// Asks the routing table of the network for a peer's addresses.
    virtual Async<std::vector<Multiaddr>> find_peer(PeerId peer, Duration limit) = 0;

    /// Opens a stream with the first protocol the peer speaks. Connects through known addresses
    /// first if needed. `unavailable` when unreachable, `unsupported` when it speaks none of them.
    virtual Async<StreamPtr> open(PeerId peer, std::vector<std::string> protocols,
                                  Duration limit) = 0;
    /// Accepts streams of a protocol; an empty handler stops accepting.
    virtual void handle(const std::string& protocol, StreamHandler handler) = 0;

    /// Joins a topic; own messages are not delivered back.
    virtual void subscribe(const std::string& topic, TopicHandler handler) = 0;
    virtual void unsubscribe(const std::string& topic) = 0;
    /// Judges each message of a topic before it is delivered; without one every signed message is
    /// good. Must not block. An empty validator ends it.
    virtual void set_topic_validator(const std::string& topic, TopicValidator validator) = 0;
    /// Signed and sent to the mesh; ok also when nobody is subscribed yet.
    virtual Async<> publish(std::string topic, Bytes data) = 0;

    /// Called for each first connection to and last disconnection from a peer. Several may listen;
    /// the returned object ends the subscription when destroyed.
    virtual std::shared_ptr<void> on_connection(std::function<void(ConnectionEvent)> listener) = 0;
    /// Called once when the network layer has failed and the peer must stop.
    virtual void on_failure(std::function<void(Error)> listener) = 0;
    virtual std::map<std::string, BandwidthTotals> bandwidth() const = 0;
    /// Closes listeners and connections and waits. Streams answer `unavailable` afterwards.
    virtual Async<> close() = 0;
};

}  // namespace ipfscluster::net
