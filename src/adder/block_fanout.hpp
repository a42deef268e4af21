#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "component/ipfs_connector.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::adder {

/// Bytes that may wait for one destination; the adder stops reading its upload then.
inline constexpr std::size_t kOutstandingBytesMax = 4 << 20;
/// A destination that takes nothing for this long is given up.
inline constexpr Duration kDestinationStallMax = std::chrono::seconds(30);

/// Where blocks go: a peer and its open session.
struct Destination {
    PeerId peer;
    std::unique_ptr<component::BlockSession> session;
};

/// Sends every block to all destinations at once; the bytes are shared. A destination that fails or
/// stalls is dropped and its reason kept. Owned by an add session, one strand. `stop` must be
/// awaited before it is destroyed.
class BlockFanout {
 public:
    BlockFanout(World& world, std::vector<Destination> destinations);
    ~BlockFanout();

    /// Queues a block whose CID was computed here (a session of this process does not hash it
    /// again) everywhere and waits while a live destination is full. `unavailable` once none is
    /// left, with every destination's reason.
    Async<> put(Cid cid, Bytes data);
    /// Waits until each destination has stored everything durably or is given up; those that
    /// confirmed. Fails when none did.
    Async<std::vector<PeerId>> commit();
    /// "PEER: reason; PEER: reason" of the destinations that were dropped.
    std::string failures() const;
    /// Cancels what runs and waits.
    Async<> stop();

 private:
    struct Block {
        Cid cid;
        Bytes data;
    };
    struct Lane {
        explicit Lane(Destination d, asio::any_io_executor executor)
            : destination(std::move(d)), changed(std::move(executor)) {}
        Destination destination;
        std::deque<std::shared_ptr<Block>> queue;
        std::size_t queued_bytes = 0;
        bool closing = false;   ///< commit once the queue is empty
        bool finished = false;  ///< confirmed or failed
        std::string error;
        SteadyTime progress_at{};
        Signal changed;
    };
    asio::awaitable<void> drive(std::shared_ptr<Lane> lane);
    Async<> drive_checked(std::shared_ptr<Lane> lane);
    void drop(Lane& lane, std::string why);
    static bool is_full(const Lane& lane);
    static bool is_running(const Lane& lane);
    bool any_alive() const;
    /// Waits for progress, and gives up those of which `waited_for` holds and that made none for
    /// too long.
    Async<> wait_for_room(bool (*waited_for)(const Lane&));

    World& world_;
    std::vector<std::shared_ptr<Lane>> lanes_;
    Signal room_;
    TaskGroup tasks_;
};

}  // namespace ipfscluster::adder
