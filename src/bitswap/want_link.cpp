#include "bitswap/want_link.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"

namespace ipfscluster::bitswap {

WantLink::WantLink(World& world, net::Host& host, TaskGroup& tasks, PeerId peer,
                   std::function<void(const PeerId&)> unreachable)
    : world_(world),
      host_(host),
      tasks_(tasks),
      peer_(std::move(peer)),
      unreachable_(std::move(unreachable)) {}

void WantLink::send(WantEntry entry) {
    auto cid = entry.cid;
    queue_[std::move(cid)] = std::move(entry);
    if (running_) return;
    running_ = true;  // before: the task may end, and clear it, within spawn
    if (!tasks_.spawn(run(shared_from_this()))) running_ = false;
}

void WantLink::reset() {
    queue_.clear();
    stream_.reset();
}

asio::awaitable<void> WantLink::run(std::shared_ptr<WantLink> self) {
    co_await asio::this_coro::throw_if_cancelled(false);
    // What is wanted in the same turn goes out as one message.
    co_await asio::post(self->world_.executor(), asio::use_awaitable);
    while (!self->queue_.empty()) {
        auto delivered = co_await self->deliver();
        if (delivered) continue;
        if (delivered.error().kind == Kind::cancelled || self->tasks_.stopping()) break;
        logger("bitswap")->debug("cannot tell a peer what is wanted peer={} error=\"{}\"",
                                 self->peer_.to_string(), delivered.error().text);
        self->queue_.clear();
        self->paused_until_ = self->world_.steady_now() + kLinkPause;
        self->unreachable_(self->peer_);
    }
    self->running_ = false;
}

Async<> WantLink::deliver() {
    Message message;
    while (!queue_.empty() && message.wants.size() < kWantsPerMessageMax)
        message.wants.push_back(std::move(queue_.extract(queue_.begin()).mapped()));
    Result<> sent = ok();
    // A stream that broke while it was idle gets one more try on a new one.
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (!stream_) {
            std::vector<std::string> protocols{kBitswap120, kBitswap110};
            ICL_CO_TRY(auto opened, co_await host_.open(peer_, std::move(protocols), kLinkOpenMax));
            stream_ = std::move(opened);
            attempt = 1;
        }
        // Held here, so that a reset of the link cannot destroy it under the write.
        auto stream = std::move(stream_);
        auto out = message;
        if (stream->protocol() == kBitswap110)
            for (auto& entry : out.wants) entry.type = WantType::block;
        sent = co_await with_deadline(world_, kLinkWriteMax, "bitswap wants",
                                      stream->write(encode_message(out)));
        if (sent) {
            stream_ = std::move(stream);
            co_return ok();
        }
        if (sent.error().kind == Kind::cancelled) break;
    }
    co_return sent;
}

}  // namespace ipfscluster::bitswap
