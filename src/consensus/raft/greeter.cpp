#include "consensus/raft/greeter.hpp"

namespace ipfscluster::raft {

Async<Greeted> Greeter::member(PeerId member, Purpose purpose, NodeId wanted) {
    auto greeted =
        co_await greet(world_, host_, std::move(member), roster_.hello(purpose, wanted), limit_);
    if (!greeted && greeted.error().kind == Kind::conflict) life_.end_removed(greeted.error());
    co_return greeted;
}

Async<HelloReply> Greeter::probe(PeerId peer) {
    return ask(std::move(peer), roster_.hello(Purpose::probe), limit_);
}

Async<HelloReply> Greeter::about(PeerId member, NodeId node) {
    auto question = roster_.hello(Purpose::probe);
    question.about = node;
    return ask(std::move(member), std::move(question), std::min(limit_, kAskLimit));
}

Async<HelloReply> Greeter::ask(PeerId peer, Hello hello, Duration limit) {
    ICL_CO_TRY(auto greeted,
               co_await greet(world_, host_, std::move(peer), std::move(hello), limit));
    greeted.stream->reset();
    co_return std::move(greeted.reply);
}

}  // namespace ipfscluster::raft
