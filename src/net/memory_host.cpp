#include "net/memory_host.hpp"

#include <algorithm>

#include "runtime/task_group.hpp"

namespace ipfscluster::net {

/// A dial or open under way. The other side answers it; nobody waits any more once it is abandoned.
struct MemoryHost::Attempt {
    explicit Attempt(asio::any_io_executor executor) : ended(std::move(executor)) {}
    Signal ended;
    bool abandoned = false;
    bool answered = false;
    Result<> result = ok();
    std::shared_ptr<MemoryPipe> pipe;

    void answer(Result<> how) {
        answered = true;
        result = std::move(how);
        ended.notify_all();
    }
};

namespace {
/// Abandons an attempt whose coroutine ends without having waited for the answer.
template <class Attempt>
struct AbandonAtEnd {
    std::shared_ptr<Attempt> attempt;
    ~AbandonAtEnd() { attempt->abandoned = true; }
};
}  // namespace

MemoryHost::MemoryHost(MemoryNetwork& network, PeerId id, Bytes secret)
    : network_(network),
      id_(std::move(id)),
      secret_(std::move(secret)),
      // As libp2p counts: what a later life says must not look like what an earlier one has said.
      sequence_(
          static_cast<std::uint64_t>(network.world_.steady_now().time_since_epoch().count())) {}

MemoryHost::~MemoryHost() {
    shut();
}

void MemoryHost::shut() {
    if (closed_) return;
    closed_ = true;
    network_.hosts_.erase(id_);
    for (auto& [peer, connection] : connections_) {
        lose_pipes(connection);
        tell_lost(peer, connection.number);
    }
    connections_.clear();
    wake_attempts();
}

Async<> MemoryHost::close() {
    shut();
    co_return ok();
}

Result<> MemoryHost::usable() const {
    if (closed_) return fail(Kind::shutting_down, "the network host is closed");
    return ok();
}

std::vector<Multiaddr> MemoryHost::addresses() const {
    if (closed_) return {};
    return {network_.address_of(id_).with_peer(id_)};
}

std::vector<PeerId> MemoryHost::connected_peers() const {
    std::vector<PeerId> out;
    for (const auto& [peer, connection] : connections_) out.push_back(peer);
    return out;
}

void MemoryHost::add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses) {
    book_.add(peer, addresses);
}

// --- connections

void MemoryHost::establish(const PeerId& peer, std::uint64_t number) {
    // A connection that is still here is one the other side has lost already.
    if (connections_.contains(peer)) lose(peer, 0);
    connections_[peer].number = number;
    book_.learn(peer, {network_.address_of(peer)});
    wake_attempts();
    listeners_.tell({peer, true});
}

void MemoryHost::lose(const PeerId& peer, std::uint64_t number) {
    const auto found = connections_.find(peer);
    if (found == connections_.end() || (number != 0 && found->second.number != number)) return;
    auto connection = std::move(found->second);
    connections_.erase(found);
    book_.connection_ended(peer);
    lose_pipes(connection);
    wake_attempts();
    listeners_.tell({peer, false});
}

void MemoryHost::lose_pipes(Connection& connection) {
    for (const auto& weak : connection.pipes) {
        if (auto pipe = weak.lock()) pipe->lose(pipe->peers[0] == id_ ? 0 : 1);
    }
}

void MemoryHost::tell_lost(const PeerId& peer, std::uint64_t number) {
    network_.lanes_->send(id_, peer, [network = &network_, from = id_, to = peer, number] {
        if (auto* host = network->find(to)) host->lose(from, number);
    });
}

void MemoryHost::disconnect(const PeerId& peer) {
    const auto found = connections_.find(peer);
    if (found == connections_.end()) return;
    const auto number = found->second.number;
    tell_lost(peer, number);
    lose(peer, number);
}

Async<> MemoryHost::connect(PeerId peer, std::vector<Multiaddr> addresses, Duration limit) {
    ICL_CO_TRY(usable());
    book_.add(peer, addresses);
    auto what = "dialing " + peer.to_string();
    co_return co_await with_deadline<void>(network_.world_, limit, std::move(what),
                                           dial(peer, limit));
}

Async<> MemoryHost::dial(PeerId peer, Duration limit) {
    if (connected(peer)) co_return ok();
    if (peer == id_) co_return fail(Kind::invalid, "dialing: that is this peer itself");
    if (book_.of(peer).empty()) {
        auto found = co_await find_peer(peer, limit);
        if (!found && found.error().kind == Kind::cancelled) co_return fail(found.error());
    }
    const auto known = book_.of(peer);
    if (known.empty())
        co_return fail(Kind::unavailable,
                       "dialing " + peer.to_string() + ": no address of it is known");
    if (std::find(known.begin(), known.end(), network_.address_of(peer)) == known.end())
        co_return fail(Kind::unavailable, "dialing " + peer.to_string() + ": " +
                                              known.front().to_string() + ": nobody there");
    if (network_.lanes_->refuses(id_, peer))
        co_return fail(Kind::unavailable,
                       "dialing " + peer.to_string() + ": network is unreachable");
    auto attempt = new_attempt();
    const AbandonAtEnd<Attempt> guard{attempt};
    auto& dialing = dialing_[peer];
    std::erase_if(dialing, [](const auto& weak) { return weak.expired(); });
    dialing.push_back(attempt);
    network_.lanes_->send(
        id_, peer, [network = &network_, from = id_, to = peer, secret = secret_, attempt] {
            auto* host = network->find(to);
            if (host != nullptr && !network->lanes_->refuses(from, to))
                return host->on_dial(from, secret, attempt);
            network->lanes_->send(to, from, [attempt, to] {
                attempt->answer(
                    fail(Kind::unavailable, "dialing " + to.to_string() + ": connection refused"));
            });
        });
    while (!attempt->answered) {
        if (closed_) co_return usable();
        if (connected(peer)) co_return ok();  // it dialed us meanwhile
        auto woken = co_await attempt->ended.wait();
        if (!woken) co_return fail(woken.error());
    }
    co_return attempt->result;
}

/// Waiting attempts look again: their connection may have come or gone.
void MemoryHost::wake_attempts() {
    auto attempts = std::move(attempts_);
    attempts_.clear();
    for (const auto& weak : attempts) {
        if (const auto attempt = weak.lock()) {
            attempt->ended.notify_all();
            attempts_.push_back(weak);
        }
    }
}

std::shared_ptr<MemoryHost::Attempt> MemoryHost::new_attempt() {
    std::erase_if(attempts_, [](const auto& weak) { return weak.expired(); });
    auto attempt = std::make_shared<Attempt>(network_.world_.executor());
    attempts_.push_back(attempt);
    return attempt;
}

bool MemoryHost::dialing(const PeerId& peer) const {
    const auto found = dialing_.find(peer);
    if (found == dialing_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [](const auto& weak) {
        const auto attempt = weak.lock();
        return attempt && !attempt->answered && !attempt->abandoned;
    });
}

void MemoryHost::on_dial(const PeerId& from, const Bytes& secret,
                         std::shared_ptr<Attempt> attempt) {
    auto* network = &network_;
    if (secret != secret_) {
        network->lanes_->send(id_, from, [attempt, me = id_] {
            attempt->answer(
                fail(Kind::denied, "dialing " + me.to_string() +
                                       ": handshake failed (probably a wrong cluster secret)"));
        });
        return;
    }
    // Both dial at once: the dial of the smaller id counts.
    if (dialing(from) && id_ < from) return;
    const auto number = ++network->next_connection_;
    establish(from, number);
    network->lanes_->send(id_, from, [network, attempt, me = id_, from, number] {
        auto* host = network->find(from);
        if (host == nullptr) return;
        if (attempt->abandoned || network->lanes_->refuses(from, me)) {
            // Nobody wants it any more.
            network->lanes_->send(from, me, [network, me, from, number] {
                if (auto* there = network->find(me)) there->lose(from, number);
            });
            return;
        }
        host->establish(me, number);
        attempt->answer(ok());
    });
}

// --- streams

std::unique_ptr<MemoryStream> MemoryHost::attach(std::shared_ptr<MemoryPipe> pipe,
                                                 std::size_t end) {
    auto& pipes = connections_[pipe->peers[1 - end]].pipes;
    std::erase_if(pipes, [](const auto& weak) { return weak.expired(); });
    pipes.push_back(pipe);
    auto& totals = totals_[pipe->protocol];
    if (!totals) totals = std::make_shared<BandwidthTotals>();
    return std::make_unique<MemoryStream>(std::move(pipe), end, totals);
}

Async<StreamPtr> MemoryHost::open(PeerId peer, std::vector<std::string> protocols, Duration limit) {
    ICL_CO_TRY(usable());
    auto what = "opening a stream to " + peer.to_string();
    co_return co_await with_deadline<StreamPtr>(network_.world_, limit, std::move(what),
                                                opened(peer, std::move(protocols), limit));
}

Async<StreamPtr> MemoryHost::opened(PeerId peer, std::vector<std::string> protocols,
                                    Duration limit) {
    auto dialed = co_await dial(peer, limit);
    if (!dialed) co_return fail(dialed.error());
    ICL_CO_TRY(usable());
    const auto here = connections_.find(peer);
    if (here == connections_.end())
        co_return fail(Kind::unavailable, "not connected to " + peer.to_string());
    auto attempt = new_attempt();
    const AbandonAtEnd<Attempt> guard{attempt};
    const auto number = here->second.number;
    network_.lanes_->send(id_, peer,
                          [network = &network_, from = id_, peer, number, protocols, attempt] {
                              if (auto* host = network->find(peer))
                                  host->on_open(from, number, protocols, attempt);
                          });
    while (!attempt->answered) {
        const auto still = connections_.find(peer);
        if (still == connections_.end() || still->second.number != number)
            co_return fail(Kind::unavailable, "the connection to " + peer.to_string() + " ended");
        auto woken = co_await attempt->ended.wait();
        if (!woken) co_return fail(woken.error());
    }
    if (!attempt->result) co_return fail(attempt->result.error());
    const auto still = connections_.find(peer);
    if (still == connections_.end() || still->second.number != number) {
        attempt->pipe->reset(0);
        co_return fail(Kind::unavailable, "the connection to " + peer.to_string() + " ended");
    }
    co_return attach(attempt->pipe, 0);
}

void MemoryHost::on_open(const PeerId& from, std::uint64_t connection,
                         const std::vector<std::string>& protocols,
                         std::shared_ptr<Attempt> attempt) {
    const auto here = connections_.find(from);
    if (here == connections_.end() || here->second.number != connection) {
        // As TCP answers to what belongs to no connection: the other side has a half-open one.
        tell_lost(from, connection);
        return;
    }
    const auto spoken = std::find_if(protocols.begin(), protocols.end(),
                                     [this](const auto& name) { return handlers_.contains(name); });
    if (spoken == protocols.end()) {
        std::string names;
        for (const auto& name : protocols) names += (names.empty() ? "" : ", ") + name;
        network_.lanes_->send(id_, from,
                              [attempt, text = id_.to_string() + " speaks none of " + names] {
                                  attempt->answer(fail(Kind::unsupported, text));
                              });
        return;
    }
    auto pipe = std::make_shared<MemoryPipe>(network_.world_, network_.lanes_, from, id_, *spoken);
    network_.lanes_->send(id_, from, [attempt, pipe] {
        if (attempt->abandoned) return pipe->reset(0);
        attempt->pipe = pipe;
        attempt->answer(ok());
    });
    const auto handler = handlers_[*spoken];
    handler(attach(pipe, 1));
}

void MemoryHost::handle(const std::string& protocol, StreamHandler handler) {
    if (handler) {
        handlers_[protocol] = std::move(handler);
    } else {
        handlers_.erase(protocol);
    }
}

// --- routing and gossip

Async<std::vector<Multiaddr>> MemoryHost::find_peer(PeerId peer, Duration limit) {
    ICL_CO_TRY(usable());
    auto slept =
        co_await network_.world_.sleep_for(std::min<Duration>(limit, std::chrono::milliseconds(1)));
    if (!slept) co_return fail(slept.error());
    ICL_CO_TRY(usable());
    std::set<PeerId> asked{id_};
    std::deque<PeerId> next{id_};
    while (!next.empty()) {
        const auto* host = network_.find(next.front());
        const auto here = next.front();
        next.pop_front();
        if (host == nullptr) continue;
        const auto known =
            here == peer ? std::vector{network_.address_of(peer)} : host->book_.of(peer);
        if (!known.empty()) {
            book_.add(peer, known);
            co_return book_.of(peer);
        }
        for (const auto& [other, connection] : host->connections_) {
            // A question and its answer pass.
            const bool passes =
                !network_.lanes_->is_cut(here, other) && !network_.lanes_->is_cut(other, here);
            if (passes && asked.insert(other).second) next.push_back(other);
        }
    }
    co_return fail(Kind::not_found, "nobody reachable knows an address of " + peer.to_string());
}

void MemoryHost::subscribe(const std::string& topic, TopicHandler handler) {
    topics_[topic] = std::move(handler);
}

void MemoryHost::unsubscribe(const std::string& topic) {
    topics_.erase(topic);
}

void MemoryHost::set_topic_validator(const std::string& topic, TopicValidator validator) {
    if (validator) {
        validators_[topic] = std::move(validator);
    } else {
        validators_.erase(topic);
    }
}

Async<> MemoryHost::publish(std::string topic, Bytes data) {
    ICL_CO_TRY(usable());
    Gossip message{id_, ++sequence_, std::move(topic), std::move(data)};
    remember({message.from, message.sequence});
    pass_on(id_, message);
    co_return ok();
}

bool MemoryHost::remember(std::pair<PeerId, std::uint64_t> message) {
    if (!seen_.insert(message).second) return false;
    seen_order_.push_back(std::move(message));
    if (seen_order_.size() > kMemorySeenMax) {
        seen_.erase(seen_order_.front());
        seen_order_.pop_front();
    }
    return true;
}

void MemoryHost::pass_on(const PeerId& source, const Gossip& message) {
    for (const auto& [peer, connection] : connections_) {
        if (peer == source || peer == message.from) continue;
        const auto* there = network_.find(peer);
        if (there == nullptr || !there->topics_.contains(message.topic)) continue;
        if (network_.lanes_->loses_gossip(id_, peer)) continue;
        network_.lanes_->send(id_, peer, [network = &network_, from = id_, to = peer, message] {
            if (auto* host = network->find(to)) host->on_gossip(from, message);
        });
    }
}

void MemoryHost::on_gossip(const PeerId& source, const Gossip& message) {
    const auto found = topics_.find(message.topic);
    if (!connected(source) || found == topics_.end() || !remember({message.from, message.sequence}))
        return;
    TopicMessage delivered{message.from, message.data};
    const auto judge = validators_.find(message.topic);
    if (judge != validators_.end() && !judge->second(delivered)) return;
    pass_on(source, message);
    const auto handler = found->second;
    handler(std::move(delivered));
}

// --- listeners

std::shared_ptr<void> MemoryHost::on_connection(std::function<void(ConnectionEvent)> listener) {
    return listeners_.add(std::move(listener));
}

void MemoryHost::on_failure(std::function<void(Error)> listener) {
    failures_.push_back(std::move(listener));
}

void MemoryHost::fail_network(Error error) {
    const auto listeners = failures_;
    for (const auto& listener : listeners) listener(error);
}

std::map<std::string, BandwidthTotals> MemoryHost::bandwidth() const {
    std::map<std::string, BandwidthTotals> out;
    for (const auto& [protocol, totals] : totals_) out[protocol] = *totals;
    return out;
}

}  // namespace ipfscluster::net
