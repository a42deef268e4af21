#include "tracker/pins_to_hold.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tracker/track_planner.hpp"

namespace ipfscluster::tracker {
namespace {

/// Pins of others looked at before the strand is let go for a moment.
constexpr std::size_t kYieldRows = 256;

class PinsToHold final : public Source<Pin> {
 public:
    PinsToHold(World& world, state::State& pinset)
        : world_(world), self_(pinset.self()), rows_(pinset.list()) {}

    Async<std::optional<Pin>> next() override {
        while (true) {
            ICL_CO_TRY(auto row, co_await rows_->next());
            if (!row) co_return std::optional<Pin>{};
            if (is_mine(row->pin, self_)) co_return std::optional<Pin>(std::move(row->pin));
            if (++seen_ % kYieldRows == 0)
                co_await asio::post(world_.executor(), asio::use_awaitable);
        }
    }

 private:
    World& world_;
    PeerId self_;
    SourcePtr<state::StoredPin> rows_;
    std::size_t seen_ = 0;
};

}  // namespace

SourcePtr<Pin> pins_to_hold(World& world, state::State& pinset) {
    return std::make_unique<PinsToHold>(world, pinset);
}

}  // namespace ipfscluster::tracker
