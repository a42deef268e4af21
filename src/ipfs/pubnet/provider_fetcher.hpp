#pragma once
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "bitswap/fetcher.hpp"
#include "net/content_routing.hpp"
#include "net/host.hpp"
#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::pubnet {

/// A block that connected peers have not delivered after this is looked up in the hash table.
inline constexpr std::chrono::seconds kSearchDelay{1};
/// Then again after this, doubling up to the second.
inline constexpr std::chrono::seconds kSearchPauseMin{10};
inline constexpr std::chrono::minutes kSearchPauseMax{5};
/// Look-ups at a time; further blocks wait.
inline constexpr std::size_t kSearchesMax = 6;
inline constexpr std::chrono::seconds kSearchLimit{60};
/// Providers taken from one look-up.
inline constexpr std::size_t kProvidersMax = 10;
inline constexpr std::chrono::seconds kConnectLimit{15};
/// Providers being connected at a time; further ones are left to the next look-up.
inline constexpr std::size_t kConnectsMax = 32;
/// How often due look-ups are started.
inline constexpr std::chrono::milliseconds kSearchTick{250};

/// Gets blocks over an exchange and, while one does not come, connects to peers that the hash table
/// names as its providers: the exchange then asks them by itself. Owned by PublicNetwork; `start`
/// before, `stop` after use; one strand.
class ProviderFetcher final : public bitswap::Fetcher {
 public:
    ProviderFetcher(World& world, net::Host& host, net::ContentRouting& routing,
                    bitswap::Fetcher& exchange);

    void start();
    Async<> stop() { return tasks_.stop(); }

    std::unique_ptr<bitswap::FetchSession> session() override;
    void announce(const Cid& cid) override { exchange_.announce(cid); }

    /// Blocks that are looked for now.
    std::size_t searches() const { return searches_.size(); }

 private:
    class Session;
    class Hold;
    /// What a session tells of its searches. Shared with what still runs for it.
    struct Seen {
        std::set<PeerId> providers;
        std::set<PeerId> connected;
    };
    struct Search {
        std::multimap<const Seen*, std::shared_ptr<Seen>> users;
        SteadyTime due{};
        Duration pause = kSearchPauseMin;
        bool running = false;
    };
    using SearchPtr = std::shared_ptr<Search>;

    asio::awaitable<void> tick();
    std::vector<std::pair<Bytes, SearchPtr>> due_searches() const;
    asio::awaitable<void> look_up(Bytes multihash, SearchPtr search);
    asio::awaitable<void> connect(net::Provider provider, SearchPtr search);
    void found(const SearchPtr& search, net::Provider provider);

    World& world_;
    net::Host& host_;
    net::ContentRouting& routing_;
    bitswap::Fetcher& exchange_;
    TaskGroup tasks_;
    Signal wanted_;
    std::map<Bytes, SearchPtr> searches_;  // by multihash
    std::size_t running_ = 0;
    std::set<PeerId> connecting_;
};

}  // namespace ipfscluster::pubnet
