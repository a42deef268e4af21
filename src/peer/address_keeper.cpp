#include "peer/address_keeper.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace ipfscluster::peer {

namespace {
/// How often changed addresses are saved, beside the saves before joining and before the peer says
/// that it is ready.
constexpr Duration kSaveInterval = std::chrono::seconds(1);
}  // namespace

AddressKeeper::AddressKeeper(World& world, net::Host& host, component::Membership& members,
                             Peerstore& peerstore)
    : world_(world),
      host_(host),
      members_(members),
      peerstore_(peerstore),
      save_ended_(world.executor()) {}

Async<> AddressKeeper::load(std::vector<Multiaddr> first) {
    for (const auto& address : first)
        if (auto peer = address.peer_id()) named_.insert(std::move(*peer));
    ICL_CO_TRY(saved_, co_await peerstore_.load());
    first.insert(first.end(), saved_.begin(), saved_.end());
    for (const auto& address : first)
        if (const auto peer = address.peer_id(); peer && *peer != host_.id())
            host_.add_addresses(*peer, std::vector<Multiaddr>(1, address.without_peer()));
    co_return ok();
}

void AddressKeeper::choose_kept() {
    const auto members = members_.known();
    for (const auto& peer : host_.known_peers()) {
        const bool member = std::find(members.begin(), members.end(), peer) != members.end();
        if (named_.contains(peer) || member)
            host_.keep_addresses(peer, true);
        else if (members_.standing(peer) == component::Standing::left)
            host_.keep_addresses(peer, false);
    }
}

Async<> AddressKeeper::save() {
    while (saving_) {
        auto woken = co_await save_ended_.wait();
        if (!woken) co_return woken;
    }
    choose_kept();
    std::vector<Multiaddr> known;
    for (const auto& peer : host_.kept_peers())
        if (peer != host_.id())
            for (const auto& address : host_.known_addresses(peer))
                known.push_back(address.with_peer(peer));
    if (known.empty() || known == saved_) co_return ok();
    saving_ = true;
    auto saved = co_await peerstore_.save(known);
    saving_ = false;
    save_ended_.notify_all();
    if (saved) saved_ = std::move(known);
    co_return saved;
}

asio::awaitable<bool> AddressKeeper::try_save() {
    auto saved = co_await save();
    if (saved) co_return true;
    if (saved.error().kind == Kind::cancelled) co_return false;
    logger("pstoremgr")->warn("the peerstore could not be saved error=\"{}\"", saved.error().text);
    co_return true;
}

asio::awaitable<bool> AddressKeeper::try_remember() {
    auto members = members_.known();
    auto kept = co_await peerstore_.remember(std::move(members));
    if (kept) co_return true;
    if (kept.error().kind == Kind::cancelled) co_return false;
    logger("service")->warn("the members could not be written down error=\"{}\"",
                            kept.error().text);
    co_return true;
}

asio::awaitable<void> AddressKeeper::run() {
    while (true) {
        auto slept = co_await world_.sleep_for(kSaveInterval);
        if (!slept) co_return;
        const bool saved = co_await try_save();
        if (!saved) co_return;
        const bool remembered = co_await try_remember();
        if (!remembered) co_return;
    }
}

}  // namespace ipfscluster::peer
