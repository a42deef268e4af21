#pragma once
#include <deque>
#include <map>
#include <set>

#include "bitswap/block_supply.hpp"
#include "bitswap/message.hpp"
#include "net/host.hpp"
#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::bitswap {

/// Wants remembered of one peer; further ones are refused.
inline constexpr std::size_t kPeerWantsMax = 4096;
/// A want-have for a block of at most this size is answered with the block.
inline constexpr std::size_t kHaveBlockBytesMax = 1024;
/// Answers are sent in messages of about this size.
inline constexpr std::size_t kAnswerBytes = 512 * 1024;
inline constexpr std::chrono::seconds kAnswerOpenMax{10};
inline constexpr std::chrono::seconds kAnswerWriteMax{60};
/// The stream for answers is kept this long for more of them; then its end is awaited for as long.
inline constexpr std::chrono::seconds kAnswerIdleMax{5};

/// The answering half of bitswap: what each peer wants from us, and one task per peer that answers
/// it. Owned by Bitswap; one strand.
class Server {
 public:
    Server(World& world, net::Host& host, TaskGroup& tasks, BlockSupply& supply);

    void on_wants(const PeerId& from, const std::vector<WantEntry>& wants, bool full);
    void on_disconnected(const PeerId& peer);
    /// A block is here now: tells who asked for it before.
    void announce(const Cid& cid);

    std::uint64_t blocks_sent() const { return blocks_sent_; }

 private:
    struct Ledger {
        std::map<Bytes, WantEntry> wants;  // by multihash
        std::deque<Bytes> queue;           // of wants to be answered
        std::set<Bytes> queued;
        std::vector<Cid> refused;  // answered DONT_HAVE without a look: the list is full
        bool running = false;
        Signal more;
        explicit Ledger(asio::any_io_executor executor) : more(std::move(executor)) {}
        bool idle() const { return queue.empty() && refused.empty(); }
    };
    using LedgerPtr = std::shared_ptr<Ledger>;

    void enqueue(const PeerId& peer, const LedgerPtr& ledger, const Bytes& multihash);
    asio::awaitable<void> run(PeerId peer, LedgerPtr ledger);
    Async<> answer(PeerId peer, LedgerPtr ledger);
    Async<> send(PeerId peer, net::StreamPtr& stream, Bytes message);
    Async<Message> next_message(LedgerPtr ledger);

    World& world_;
    net::Host& host_;
    TaskGroup& tasks_;
    BlockSupply& supply_;
    std::map<PeerId, LedgerPtr> ledgers_;
    std::uint64_t blocks_sent_ = 0;
};

}  // namespace ipfscluster::bitswap
