#include "ipfs/pubnet/provider_fetcher.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"

namespace ipfscluster::pubnet {

/// One fetch's interest in a block, also when its coroutine is destroyed.
class ProviderFetcher::Hold {
 public:
    Hold(ProviderFetcher& owner, const Cid& cid, std::shared_ptr<Seen> seen)
        : owner_(owner), multihash_(cid.multihash()) {
        auto& search = owner_.searches_[multihash_];
        if (!search) {
            search = std::make_shared<Search>();
            search->due = owner_.world_.steady_now() + kSearchDelay;
            owner_.wanted_.notify_all();
        }
        search_ = search;
        at_ = search->users.emplace(seen.get(), seen);
    }
    ~Hold() {
        search_->users.erase(at_);
        if (search_->users.empty()) owner_.searches_.erase(multihash_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

 private:
    ProviderFetcher& owner_;
    Bytes multihash_;
    SearchPtr search_;
    std::multimap<const Seen*, std::shared_ptr<Seen>>::iterator at_;
};

class ProviderFetcher::Session final : public bitswap::FetchSession {
 public:
    explicit Session(ProviderFetcher& owner)
        : owner_(owner), inner_(owner.exchange_.session()), seen_(std::make_shared<Seen>()) {}

    Async<Bytes> fetch(Cid cid, Duration limit) override {
        const Hold hold(owner_, cid, seen_);
        co_return co_await inner_->fetch(std::move(cid), limit);
    }
    std::string where() const override {
        return inner_->where() + ", found " + std::to_string(seen_->providers.size()) +
               " providers in its hash table and connected to " +
               std::to_string(seen_->connected.size()) + " of them";
    }

 private:
    ProviderFetcher& owner_;
    std::unique_ptr<bitswap::FetchSession> inner_;
    std::shared_ptr<Seen> seen_;
};

ProviderFetcher::ProviderFetcher(World& world, net::Host& host, net::ContentRouting& routing,
                                 bitswap::Fetcher& exchange)
    : world_(world),
      host_(host),
      routing_(routing),
      exchange_(exchange),
      tasks_(world, "pubnet"),
      wanted_(world.executor()) {}

void ProviderFetcher::start() {
    tasks_.spawn(tick());
}

std::unique_ptr<bitswap::FetchSession> ProviderFetcher::session() {
    return std::make_unique<Session>(*this);
}

asio::awaitable<void> ProviderFetcher::tick() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        Result<> woken = ok();
        if (searches_.empty())
            woken = co_await wanted_.wait();
        else
            woken = co_await world_.sleep_for(kSearchTick);
        if (!woken) co_return;
        for (auto& [multihash, search] : due_searches()) {
            if (running_ >= kSearchesMax) break;
            search->running = true;
            ++running_;
            if (!tasks_.spawn(look_up(multihash, search))) co_return;
        }
    }
}

/// What was looked for least often is first: what nobody has must not keep other blocks from their
/// turn.
std::vector<std::pair<Bytes, ProviderFetcher::SearchPtr>> ProviderFetcher::due_searches() const {
    std::vector<std::pair<Bytes, SearchPtr>> due;
    if (running_ >= kSearchesMax) return due;
    const auto now = world_.steady_now();
    for (const auto& [multihash, search] : searches_)
        if (!search->running && now >= search->due) due.emplace_back(multihash, search);
    std::stable_sort(due.begin(), due.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second->pause, a.second->due) <
               std::pair(b.second->pause, b.second->due);
    });
    return due;
}

asio::awaitable<void> ProviderFetcher::look_up(Bytes multihash, SearchPtr search) {
    co_await asio::this_coro::throw_if_cancelled(false);
    net::ProviderHandler take = [this, search](net::Provider provider) {
        found(search, std::move(provider));
    };
    auto ended = co_await routing_.find_providers(std::move(multihash), kProvidersMax, kSearchLimit,
                                                  std::move(take));
    --running_;
    search->running = false;
    search->due =
        world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(search->pause);
    search->pause = std::min<Duration>(search->pause * 2, kSearchPauseMax);
    if (!ended && ended.error().kind != Kind::cancelled)
        logger("pubnet")->debug("looking for providers failed error=\"{}\"", ended.error().text);
}

void ProviderFetcher::found(const SearchPtr& search, net::Provider provider) {
    for (const auto& [key, seen] : search->users) seen->providers.insert(provider.peer);
    if (search->users.empty()) return;  // the block has come
    if (host_.connected(provider.peer)) {
        for (const auto& [key, seen] : search->users) seen->connected.insert(provider.peer);
        return;
    }
    if (connecting_.size() >= kConnectsMax || !connecting_.insert(provider.peer).second) return;
    const auto peer = provider.peer;
    if (!tasks_.spawn(connect(std::move(provider), search))) connecting_.erase(peer);
}

asio::awaitable<void> ProviderFetcher::connect(net::Provider provider, SearchPtr search) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto connected =
        co_await host_.connect(provider.peer, std::move(provider.addresses), kConnectLimit);
    connecting_.erase(provider.peer);
    if (connected) {
        for (const auto& [key, seen] : search->users) seen->connected.insert(provider.peer);
    } else if (connected.error().kind != Kind::cancelled) {
        logger("pubnet")->debug("a provider was not reached peer={} error=\"{}\"",
                                provider.peer.to_string(), connected.error().text);
    }
}

}  // namespace ipfscluster::pubnet
