#include "sim/raft/test_network.hpp"

#include <algorithm>

namespace ipfscluster::sim {

namespace {
constexpr std::size_t kPipeBytesMax = 512 * 1024;
}

struct TestNetwork::Pipe {
    explicit Pipe(asio::any_io_executor executor) : changed(std::move(executor)) {}
    std::deque<std::pair<SteadyTime, Bytes>> chunks;
    std::size_t bytes = 0;
    bool closed = false;
    Signal changed;
};

struct TestNetwork::Connection {
    Connection(asio::any_io_executor executor, PeerId opener, PeerId acceptor)
        : a(std::move(opener)), b(std::move(acceptor)), to_b(executor), to_a(executor) {}
    PeerId a;
    PeerId b;
    Pipe to_b;
    Pipe to_a;
    bool broken = false;
    void reset() {
        broken = true;
        to_a.changed.notify_all();
        to_b.changed.notify_all();
    }
};

class TestStream final : public net::Stream {
 public:
    TestStream(TestNetwork& network, std::shared_ptr<TestNetwork::Connection> connection,
               bool opener, std::string protocol)
        : network_(network),
          connection_(std::move(connection)),
          in_(opener ? connection_->to_a : connection_->to_b),
          out_(opener ? connection_->to_b : connection_->to_a),
          remote_(opener ? connection_->b : connection_->a),
          protocol_(std::move(protocol)) {}
    ~TestStream() override {
        if (!(in_.closed && in_.chunks.empty() && out_.closed)) connection_->reset();
    }
    const PeerId& remote() const override { return remote_; }
    const std::string& protocol() const override { return protocol_; }

    Async<Bytes> read(std::size_t max) override {
        while (true) {
            if (connection_->broken) co_return fail(Kind::unavailable, "the stream was reset");
            if (in_.chunks.empty()) {
                if (in_.closed) co_return Bytes{};
                auto woken = co_await in_.changed.wait();
                if (!woken) {
                    connection_->reset();
                    co_return fail(woken.error());
                }
                continue;
            }
            const auto due = in_.chunks.front().first;
            if (due > network_.world().steady_now()) {
                auto slept = co_await network_.world().sleep_until(due);
                if (!slept) {
                    connection_->reset();
                    co_return fail(slept.error());
                }
                continue;
            }
            auto& front = in_.chunks.front().second;
            Bytes out = front.substr(0, max);
            front.erase(0, out.size());
            if (front.empty()) in_.chunks.pop_front();
            in_.bytes -= out.size();
            in_.changed.notify_all();
            co_return out;
        }
    }
    Async<> write(Bytes data) override {
        while (!connection_->broken && out_.bytes > kPipeBytesMax) {
            auto woken = co_await out_.changed.wait();
            if (!woken) {
                connection_->reset();
                co_return fail(woken.error());
            }
        }
        if (connection_->broken) co_return fail(Kind::unavailable, "the stream was reset");
        if (network_.is_silent(connection_->a, connection_->b)) co_return ok();
        const auto low = static_cast<std::uint64_t>(network_.delay_low_.count());
        const auto high = static_cast<std::uint64_t>(network_.delay_high_.count());
        const std::chrono::nanoseconds delay(network_.world().random_between(low, high));
        auto due = network_.world().steady_now() + delay;
        if (!out_.chunks.empty()) due = std::max(due, out_.chunks.back().first);
        if (network_.bandwidth_ != 0)
            due += std::chrono::nanoseconds(data.size() * 1'000'000'000 / network_.bandwidth_);
        network_.sent_ += data.size();
        out_.bytes += data.size();
        if (!data.empty()) out_.chunks.emplace_back(due, std::move(data));
        out_.changed.notify_all();
        co_return ok();
    }
    Async<> close_write() override {
        out_.closed = true;
        out_.changed.notify_all();
        co_return ok();
    }
    void reset() override { connection_->reset(); }

 private:
    TestNetwork& network_;
    std::shared_ptr<TestNetwork::Connection> connection_;
    TestNetwork::Pipe& in_;
    TestNetwork::Pipe& out_;
    PeerId remote_;
    std::string protocol_;
};

void TestNetwork::reset_between(const std::function<bool(const PeerId&, const PeerId&)>& match) {
    std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
    const auto all = connections_;
    for (const auto& weak : all) {
        if (const auto connection = weak.lock(); connection && match(connection->a, connection->b))
            connection->reset();
    }
}

void TestNetwork::cut(const PeerId& a, const PeerId& b, bool cut) {
    if (!cut) {
        cuts_.erase(std::minmax(a, b));
        return;
    }
    cuts_.insert(std::minmax(a, b));
    reset_between(
        [&](const PeerId& x, const PeerId& y) { return std::minmax(x, y) == std::minmax(a, b); });
}

TestHost::TestHost(TestNetwork& network, PeerId id) : network_(network), id_(std::move(id)) {
    network_.hosts_[id_] = this;
}

TestHost::~TestHost() {
    vanish();
}

void TestHost::vanish() {
    gone_ = true;
    handlers_.clear();
    const auto found = network_.hosts_.find(id_);
    if (found != network_.hosts_.end() && found->second == this) network_.hosts_.erase(found);
    network_.reset_between(
        [this](const PeerId& a, const PeerId& b) { return a == id_ || b == id_; });
}

Async<net::StreamPtr> TestHost::open(PeerId peer, std::vector<std::string> protocols,
                                     Duration limit) {
    auto slept = co_await network_.world().sleep_for(std::chrono::milliseconds(1));
    if (!slept) co_return fail(slept.error());
    if (network_.is_silent(id_, peer)) {
        auto waited = co_await network_.world().sleep_for(limit);
        if (!waited) co_return fail(waited.error());
        co_return fail(Kind::timeout, "the peer does not answer");
    }
    const auto found = network_.hosts_.find(peer);
    if (gone_ || found == network_.hosts_.end() || network_.is_cut(id_, peer))
        co_return fail(Kind::unavailable, "the peer cannot be reached");
    const auto handler = found->second->handlers_.find(protocols.front());
    if (handler == found->second->handlers_.end())
        co_return fail(Kind::unsupported, "the peer does not speak " + protocols.front());
    auto connection =
        std::make_shared<TestNetwork::Connection>(network_.world().executor(), id_, peer);
    network_.connections_.push_back(connection);
    handler->second(std::make_unique<TestStream>(network_, connection, false, protocols.front()));
    net::StreamPtr ours =
        std::make_unique<TestStream>(network_, connection, true, protocols.front());
    co_return ours;
}

void TestHost::handle(const std::string& protocol, net::StreamHandler handler) {
    if (handler)
        handlers_[protocol] = std::move(handler);
    else
        handlers_.erase(protocol);
}

}  // namespace ipfscluster::sim
