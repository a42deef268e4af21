#include "bitswap/bitswap.hpp"

#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"

namespace ipfscluster::bitswap {

class Bitswap::Session final : public FetchSession {
 public:
    explicit Session(Bitswap& owner) : owner_(owner) {}
    Async<Bytes> fetch(Cid cid, Duration limit) override {
        co_return co_await owner_.client_.fetch(state_, std::move(cid), limit);
    }
    std::string where() const override {
        if (state_->asked.empty()) return "no peer is connected";
        std::string names;
        for (const auto& peer : state_->asked) {
            if (!names.empty()) names += ", ";
            names += peer.to_string();
            if (names.size() > 512) {
                names += ", …";
                break;
            }
        }
        return "asked " + std::to_string(state_->asked.size()) + " connected peer" +
               (state_->asked.size() == 1 ? "" : "s") + " (" + names + ")";
    }

 private:
    Bitswap& owner_;
    std::shared_ptr<SessionState> state_ = std::make_shared<SessionState>();
};

Bitswap::Bitswap(World& world, net::Host& host, BlockSupply& supply)
    : world_(world),
      host_(host),
      tasks_(world, "bitswap"),
      client_(world, host, tasks_),
      server_(world, host, tasks_, supply) {}

void Bitswap::start() {
    for (const auto* protocol : {kBitswap120, kBitswap110})
        host_.handle(protocol, [this](net::StreamPtr stream) { accept(std::move(stream)); });
    connections_ = host_.on_connection([this](const net::ConnectionEvent& event) {
        if (event.connected) {
            client_.on_connected(event.peer);
            return;
        }
        client_.on_disconnected(event.peer);
        server_.on_disconnected(event.peer);
    });
}

Async<> Bitswap::stop() {
    for (const auto* protocol : {kBitswap120, kBitswap110}) host_.handle(protocol, nullptr);
    connections_.reset();
    co_return co_await tasks_.stop();
}

std::unique_ptr<FetchSession> Bitswap::session() {
    return std::make_unique<Session>(*this);
}

void Bitswap::announce(const Cid& cid) {
    server_.announce(cid);
}

void Bitswap::accept(net::StreamPtr stream) {
    const auto at = streams_.try_emplace(stream->remote(), &room_).first;
    if (at->second.open >= kPeerStreamsMax) {
        stream->reset();
        return;
    }
    ++at->second.open;
    if (!tasks_.spawn(read_stream(std::move(stream))) && --at->second.open == 0) streams_.erase(at);
}

asio::awaitable<void> Bitswap::read_stream(net::StreamPtr stream) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto at = streams_.find(stream->remote());
    co_await read_messages(*stream, at->second.room);
    if (--at->second.open == 0) streams_.erase(at);
}

asio::awaitable<void> Bitswap::read_messages(net::Stream& stream, FrameRoom& room) {
    const auto peer = stream.remote();
    FrameReader reader(world_, stream, &room);
    while (true) {
        auto message = co_await reader.next();
        if (!message) {
            const auto kind = message.error().kind;
            if (kind == Kind::corrupt || kind == Kind::retryable)
                logger("bitswap")->warn("a stream of a peer was reset peer={} error=\"{}\"",
                                        peer.to_string(), message.error().text);
            stream.reset();
            break;
        }
        if (!message.value()) {
            auto closed = co_await stream.close_write();
            if (!closed) stream.reset();
            break;
        }
        on_message(peer, std::move(*message.value()));
    }
}

void Bitswap::on_message(const PeerId& from, Message message) {
    for (auto& block : message.blocks) {
        ++(client_.on_block(from, std::move(block)) ? blocks_received_ : blocks_unwanted_);
    }
    for (const auto& presence : message.presences) client_.on_presence(from, presence);
    server_.on_wants(from, message.wants, message.full);
}

}  // namespace ipfscluster::bitswap
