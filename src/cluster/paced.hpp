#pragma once
#include <functional>
#include <optional>
#include <utility>

#include "runtime/signal.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::cluster {

/// A walk is not repeated before this many times as long as it took has passed.
inline constexpr int kPaceShare = 10;

/// What comes of a walk over the pinset, for callers that may ask every second: however often they
/// do, at most a tenth of the strand's time goes into it. Whoever comes while a walk is under way
/// shares it. A failure is nobody else's answer. Owned by who walks; one strand.
template <class T>
class Paced {
 public:
    explicit Paced(World& world) : world_(world), ended_(world.executor()) {}

    Async<T> get(std::function<Async<T>()> walk) {
        while (walking_) {
            ICL_CO_TRY(co_await ended_.wait());
        }
        const auto began = world_.steady_now();
        if (made_ && began < next_) co_return *made_;
        const UnderWay mark(*this);
        auto made = co_await walk();
        if (!made) co_return fail(made.error());
        made_ = std::move(made.value());
        const auto now = world_.steady_now();
        next_ = now + kPaceShare * (now - began);
        co_return *made_;
    }

 private:
    struct UnderWay {
        explicit UnderWay(Paced& paced) : its(paced) { its.walking_ = true; }
        ~UnderWay() {
            its.walking_ = false;
            its.ended_.notify_all();
        }
        UnderWay(const UnderWay&) = delete;
        UnderWay& operator=(const UnderWay&) = delete;
        Paced& its;
    };

    World& world_;
    Signal ended_;
    std::optional<T> made_;
    SteadyTime next_{};
    bool walking_ = false;
};

}  // namespace ipfscluster::cluster
