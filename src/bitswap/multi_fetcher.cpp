#include "bitswap/multi_fetcher.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/join.hpp"

namespace ipfscluster::bitswap {

namespace {

/// What the two sides of one fetch share: the first block, else both errors.
struct Race {
    std::optional<Bytes> data;
    bool from_far = false;
    std::optional<Error> error;
    int running = 2;
};

}  // namespace

class MultiFetcher::Session final : public FetchSession {
 public:
    explicit Session(MultiFetcher& owner)
        : owner_(owner), near_(owner.near_.session()), far_(owner.far_.session()) {}

    Async<Bytes> fetch(Cid cid, Duration limit) override {
        using namespace asio::experimental::awaitable_operators;
        co_await asio::this_coro::throw_if_cancelled(false);
        ICL_CO_TRY(co_await check_cancelled());
        Race race;
        auto near = side(*near_, cid, limit, Duration::zero(), &race, false);
        const Duration head_start = far_delivered_ ? Duration::zero() : Duration(kNearFirst);
        auto far = side(*far_, cid, limit, std::min(head_start, limit), &race, true);
        // The one that has the block ends first and cancels the other; one without waits.
        co_await (std::move(near) || std::move(far));
        if (race.data) {
            far_delivered_ = race.from_far;
            co_return std::move(*race.data);
        }
        if (race.error) co_return fail(*race.error);
        co_return fail(Kind::cancelled, "fetching was cancelled");
    }

    std::string where() const override {
        return near_->where() + "; on the public network (" + owner_.far_state_() + ") " +
               far_->where();
    }

 private:
    asio::awaitable<void> side(FetchSession& from, Cid cid, Duration limit, Duration pause,
                               Race* race, bool far) {
        co_await asio::this_coro::throw_if_cancelled(false);
        const auto end =
            owner_.world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
        if (pause != Duration::zero()) {
            auto slept = co_await owner_.world_.sleep_for(pause);
            if (!slept) co_return;
        }
        auto data = co_await from.fetch(std::move(cid), end - owner_.world_.steady_now());
        --race->running;
        if (data) {
            if (race->data) co_return;
            race->data = std::move(data).value();
            race->from_far = far;
            co_return;
        }
        if (data.error().kind == Kind::cancelled) co_return;
        // A real failure says more than that time ran out.
        if (!race->error || race->error->kind == Kind::timeout) race->error = data.error();
        if (race->running == 0) co_return;
        // The other side may still have it; its end, or the caller's, cancels this.
        (void)co_await owner_.world_.sleep_until(end + std::chrono::seconds(5));
    }

    MultiFetcher& owner_;
    std::unique_ptr<FetchSession> near_, far_;
    bool far_delivered_ = false;
};

std::unique_ptr<FetchSession> MultiFetcher::session() {
    return std::make_unique<Session>(*this);
}

}  // namespace ipfscluster::bitswap
