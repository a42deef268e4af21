#include "bitswap/server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"

namespace ipfscluster::bitswap {

Server::Server(World& world, net::Host& host, TaskGroup& tasks, BlockSupply& supply)
    : world_(world), host_(host), tasks_(tasks), supply_(supply) {}

void Server::on_wants(const PeerId& from, const std::vector<WantEntry>& wants, bool full) {
    if (wants.empty() && !full) return;
    auto& ledger = ledgers_[from];
    if (!ledger) ledger = std::make_shared<Ledger>(world_.executor());
    if (full) {
        ledger->wants.clear();
        ledger->queue.clear();
        ledger->queued.clear();
    }
    for (const auto& entry : wants) {
        const Bytes multihash(entry.cid.multihash());
        if (entry.cancel) {
            ledger->wants.erase(multihash);
            continue;
        }
        if (ledger->wants.size() >= kPeerWantsMax && !ledger->wants.contains(multihash)) {
            if (entry.send_dont_have && ledger->refused.size() < kPeerWantsMax)
                ledger->refused.push_back(entry.cid);
            continue;
        }
        ledger->wants[multihash] = entry;
        enqueue(from, ledger, multihash);
    }
}

void Server::enqueue(const PeerId& peer, const LedgerPtr& ledger, const Bytes& multihash) {
    if (ledger->queued.insert(multihash).second) ledger->queue.push_back(multihash);
    if (!ledger->running) {
        ledger->running = true;  // before: the task may end, and clear it, within spawn
        if (!tasks_.spawn(run(peer, ledger))) ledger->running = false;
    }
    ledger->more.notify_one();
}

void Server::announce(const Cid& cid) {
    const Bytes multihash(cid.multihash());
    for (const auto& [peer, ledger] : ledgers_)
        if (ledger->wants.contains(multihash)) enqueue(peer, ledger, multihash);
}

void Server::on_disconnected(const PeerId& peer) {
    const auto it = ledgers_.find(peer);
    if (it == ledgers_.end()) return;
    // The running task sees an empty queue and ends.
    it->second->queue.clear();
    it->second->wants.clear();
    ledgers_.erase(it);
}

asio::awaitable<void> Server::run(PeerId peer, LedgerPtr ledger) {
    co_await asio::this_coro::throw_if_cancelled(false);
    // The wants of one message share one answer.
    co_await asio::post(world_.executor(), asio::use_awaitable);
    while (!ledger->idle()) {
        auto answered = co_await answer(peer, ledger);
        if (answered) continue;
        // Its next wants, or a repetition of these, try again.
        logger("bitswap")->debug("cannot answer a peer peer={} error=\"{}\"", peer.to_string(),
                                 answered.error().text);
        ledger->queue.clear();
        ledger->queued.clear();
        ledger->refused.clear();
    }
    ledger->running = false;
}

Async<> Server::answer(PeerId peer, LedgerPtr ledger) {
    net::StreamPtr stream;
    while (true) {
        while (!ledger->idle()) {
            ICL_CO_TRY(auto message, co_await next_message(ledger));
            if (message.empty()) continue;
            const auto blocks = message.blocks.size();
            ICL_CO_TRY(co_await send(peer, stream, encode_message(message)));
            blocks_sent_ += blocks;
        }
        if (!stream) co_return ok();
        auto more = co_await with_deadline(world_, kAnswerIdleMax, "bitswap", ledger->more.wait());
        if (!more && more.error().kind == Kind::timeout) break;
        if (!more) co_return more;
    }
    // Destroying the stream before the peer has read to its end would take back what is under way.
    ICL_CO_TRY(co_await stream->close_write());
    auto ended = co_await with_deadline(world_, kAnswerIdleMax, "bitswap", stream->read());
    if (!ended && ended.error().kind == Kind::cancelled) co_return fail(ended.error());
    co_return ok();
}

Async<> Server::send(PeerId peer, net::StreamPtr& stream, Bytes message) {
    const bool kept = stream != nullptr;
    if (kept) {
        auto written = co_await with_deadline(world_, kAnswerWriteMax, "bitswap answer",
                                              stream->write(message));
        if (written || written.error().kind == Kind::cancelled) co_return written;
        stream.reset();  // it broke while it was idle: once more on a new one
    }
    std::vector<std::string> protocols{kBitswap120, kBitswap110};
    ICL_CO_TRY(auto opened, co_await host_.open(peer, std::move(protocols), kAnswerOpenMax));
    stream = std::move(opened);
    co_return co_await with_deadline(world_, kAnswerWriteMax, "bitswap answer",
                                     stream->write(std::move(message)));
}

Async<Message> Server::next_message(LedgerPtr ledger) {
    Message message;
    std::size_t bytes = 0;
    for (const auto& cid : std::exchange(ledger->refused, {}))
        message.presences.push_back({cid, false});
    while (!ledger->queue.empty() && bytes < kAnswerBytes &&
           message.presences.size() < kMessageItemsMax) {
        const Bytes multihash = ledger->queue.front();
        const auto want = ledger->wants.find(multihash);
        if (want == ledger->wants.end()) {  // cancelled meanwhile
            ledger->queue.pop_front();
            ledger->queued.erase(multihash);
            continue;
        }
        const WantEntry entry = want->second;
        ICL_CO_TRY(const auto size, supply_.size(entry.cid));
        if (size && bytes > 0 && bytes + *size > kMessageBytesMax / 2) break;
        ledger->queue.pop_front();
        ledger->queued.erase(multihash);
        std::optional<Bytes> data;
        if (size && (entry.type == WantType::block || *size <= kHaveBlockBytesMax)) {
            auto read = co_await supply_.get(entry.cid);
            if (read) data = std::move(read).value();
        } else if (size) {
            message.presences.push_back({entry.cid, true});
            bytes += entry.cid.bytes().size();
            ledger->wants.erase(multihash);
            continue;
        }
        if (data) {
            bytes += data->size();
            message.blocks.push_back({entry.cid, std::move(*data)});
            ledger->wants.erase(multihash);
        } else if (entry.send_dont_have) {
            // The want stays: the block may come, see announce.
            message.presences.push_back({entry.cid, false});
            bytes += entry.cid.bytes().size();
        }
    }
    co_return message;
}

}  // namespace ipfscluster::bitswap
