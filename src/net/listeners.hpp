#pragma once
#include <functional>
#include <memory>
#include <vector>

namespace ipfscluster::net {

/// Callbacks that are told something until the object `add` returned is destroyed. One strand.
template <class Event>
class Listeners {
 public:
    std::shared_ptr<void> add(std::function<void(Event)> listener) {
        auto kept = std::make_shared<std::function<void(Event)>>(std::move(listener));
        listeners_.push_back(kept);
        return kept;
    }
    /// A listener may add or end subscriptions meanwhile.
    void tell(const Event& event) {
        std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
        const auto listeners = listeners_;
        for (const auto& listener : listeners) {
            if (const auto alive = listener.lock()) (*alive)(event);
        }
    }

 private:
    std::vector<std::weak_ptr<std::function<void(Event)>>> listeners_;
};

}  // namespace ipfscluster::net
