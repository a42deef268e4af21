#include "net/memory_stream.hpp"

#include <algorithm>

namespace ipfscluster::net {

namespace {
auto lost_error(const char* what) {
    return fail(Kind::unavailable, std::string(what) + ": stream reset or connection lost");
}
}  // namespace

MemoryPipe::MemoryPipe(World& world, std::shared_ptr<MemoryLanes> wires, PeerId opener,
                       PeerId acceptor, std::string name)
    : lanes(std::move(wires)),
      peers{std::move(opener), std::move(acceptor)},
      protocol(std::move(name)),
      ends{End(world.executor()), End(world.executor())} {}

void MemoryPipe::lose(std::size_t end) {
    ends[end].lost = true;
    ends[end].inbox.clear();
    ends[end].readable.notify_all();
    ends[end].writable.notify_all();
}

void MemoryPipe::reset(std::size_t end) {
    if (ends[end].lost) return;
    lose(end);
    send(end, [end](MemoryPipe& pipe) { pipe.lose(1 - end); });
}

void MemoryPipe::send(std::size_t from, std::function<void(MemoryPipe&)> deliver,
                      std::size_t bytes) {
    lanes->send(
        peers[from], peers[1 - from],
        [self = shared_from_this(), deliver = std::move(deliver)] { deliver(*self); }, bytes);
}

MemoryStream::~MemoryStream() {
    const auto& end = pipe_->ends[end_];
    if (!end.write_closed || !end.ended) pipe_->reset(end_);
}

Async<Bytes> MemoryStream::read(std::size_t max) {
    if (max == 0) co_return fail(Kind::invalid, "stream read: no room given");
    const auto pipe = pipe_;
    const auto self = end_;
    auto& end = pipe->ends[self];
    while (end.inbox.empty() && !end.ended && !end.lost) {
        auto woken = co_await end.readable.wait();
        if (!woken) {
            pipe->reset(self);
            co_return fail(woken.error());
        }
    }
    if (end.lost) co_return lost_error("read");
    if (end.inbox.empty()) co_return Bytes();
    auto& front = end.inbox.front();
    const auto count = std::min({max, kStreamChunkMax, front.size()});
    Bytes data = front.substr(0, count);
    front.erase(0, count);
    if (front.empty()) end.inbox.pop_front();
    totals_->bytes_in += count;
    pipe->send(self, [self, count](MemoryPipe& there) {
        there.ends[1 - self].unread -= count;
        there.ends[1 - self].writable.notify_all();
    });
    co_return std::move(data);
}

Async<> MemoryStream::write(Bytes data) {
    const auto pipe = pipe_;
    const auto self = end_;
    auto& end = pipe->ends[self];
    if (end.write_closed) co_return fail(Kind::invalid, "write: our direction is closed already");
    std::size_t sent = 0;
    do {
        while (!end.lost && end.unread >= kMemoryWindowMax) {
            auto woken = co_await end.writable.wait();
            if (!woken) {
                pipe->reset(self);
                co_return fail(woken.error());
            }
        }
        if (end.lost) co_return lost_error("write");
        const auto count =
            std::min({data.size() - sent, kMemoryWindowMax - end.unread, kStreamChunkMax});
        if (count == 0) break;
        end.unread += count;
        totals_->bytes_out += count;
        pipe->send(
            self,
            [self, piece = data.substr(sent, count)](MemoryPipe& there) {
                auto& far = there.ends[1 - self];
                if (far.lost) return;
                far.inbox.push_back(piece);
                far.readable.notify_all();
            },
            count);
        sent += count;
    } while (sent < data.size());
    co_return ok();
}

Async<> MemoryStream::close_write() {
    auto& end = pipe_->ends[end_];
    if (end.lost) co_return lost_error("close");
    if (end.write_closed) co_return ok();
    end.write_closed = true;
    pipe_->send(end_, [self = end_](MemoryPipe& there) {
        there.ends[1 - self].ended = true;
        there.ends[1 - self].readable.notify_all();
    });
    co_return ok();
}

}  // namespace ipfscluster::net
