#pragma once
#include <map>

#include "net/content_routing.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::pubnet {

/// A hash table in a map.
struct FakeRouting final : net::ContentRouting {
    explicit FakeRouting(World& w) : world(w) {}

    Async<std::size_t> provide(Bytes key, Duration) override {
        ++running;
        most_running = std::max(most_running, running);
        auto slept = co_await world.sleep_for(delay);
        --running;
        if (!slept) co_return fail(slept.error());
        if (error) co_return fail(*error);
        ++provided[key];
        co_return std::size_t{1};
    }
    Async<std::size_t> find_providers(Bytes key, std::size_t most, Duration,
                                      net::ProviderHandler found) override {
        ++looked_up[key];
        ++running;
        most_running = std::max(most_running, running);
        auto slept = co_await world.sleep_for(delay);
        --running;
        if (!slept) co_return fail(slept.error());
        if (error) co_return fail(*error);
        std::size_t count = 0;
        for (const auto& provider : providers[key])
            if (count < most) {
                ++count;
                found(provider);
            }
        co_return count;
    }

    World& world;
    Duration delay = std::chrono::milliseconds(100);
    std::optional<Error> error;
    std::map<Bytes, int> provided, looked_up;
    std::map<Bytes, std::vector<net::Provider>> providers;
    int running = 0, most_running = 0;
};

}  // namespace ipfscluster::pubnet
