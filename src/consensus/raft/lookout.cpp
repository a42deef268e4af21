#include "consensus/raft/lookout.hpp"

#include "consensus/raft/next_in_turn.hpp"

namespace ipfscluster::raft {

PeerId Lookout::next_to_ask() const {
    auto known = roster_.peers();
    // Before its first snapshot a joiner knows only who has talked to it.
    if (known.empty()) {
        const auto contacts = roster_.contacts().peers();
        known.assign(contacts.begin(), contacts.end());
    }
    return next_in_turn(known, last_asked_,
                        [this](const PeerId& peer) { return peer != roster_.self(); });
}

asio::awaitable<void> Lookout::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto silence =
        std::chrono::duration_cast<SteadyTime::duration>(kSilentElections * election_timeout_);
    heard();
    while (!life_.over()) {
        auto slept = co_await world_.sleep_for(election_timeout_);
        if (!slept || life_.over()) co_return;
        const bool leads = driver_.status().role == Role::leader;
        if (leads || world_.steady_now() - last_heard_ < silence) continue;
        last_asked_ = next_to_ask();
        if (last_asked_.empty()) continue;
        // Any purpose of members does but their messages, whose stream it would replace.
        auto greeted = co_await greeter_.member(last_asked_, Purpose::change);
        if (!greeted && greeted.error().kind == Kind::cancelled) co_return;
        if (greeted) greeted.value().stream->reset();
    }
}

}  // namespace ipfscluster::raft
