#include "cluster/life_question.hpp"

#include "base/log.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::cluster {

namespace {

asio::awaitable<void> ask(PeerClient* client, PeerId peer, std::set<PeerId>* answered) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto said = co_await client->alive(peer);
    if (said)
        answered->insert(std::move(peer));
    else
        logger("cluster")->debug("a silent peer gives no sign of life peer={} error=\"{}\"",
                                 peer.to_string(), said.error().text);
}

}  // namespace

Async<std::set<PeerId>> who_answers(World& world, PeerClient& client, std::vector<PeerId> peers) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::set<PeerId> answered;
    TaskGroup questions(world, "life questions");
    for (auto& peer : peers) questions.spawn(ask(&client, std::move(peer), &answered));
    auto drained = co_await questions.drain();
    co_await join(questions);
    if (!drained) co_return fail(drained.error());
    co_return answered;
}

}  // namespace ipfscluster::cluster
