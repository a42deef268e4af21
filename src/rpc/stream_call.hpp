#pragma once
#include <deque>
#include <memory>

#include "rpc/method.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::rpc {

/// A call whose arguments are sent one by one while results are pulled. One sender and one receiver
/// at a time. Destroying it before the end cancels the call.
template <class Arg, class Item>
class StreamCall {
 public:
    virtual ~StreamCall() = default;
    /// Returns when the argument is on its way (held back by the receiver's pace). When the other
    /// side has already failed, its own error.
    virtual Async<> send(Arg arg) = 0;
    /// No more arguments follow. Without it the other side never ends.
    virtual Async<> close() = 0;
    /// The next item, nothing at the clean end.
    virtual Async<std::optional<Item>> next() = 0;
};

/// Arguments and items that wait in a call of a peer to itself.
inline constexpr std::size_t kLocalQueueMax = 4;

/// What the two ends of a local call share: it lives as long as the longer of them.
template <class Arg, class Item>
struct LocalCallState {
    explicit LocalCallState(asio::any_io_executor executor) : changed(std::move(executor)) {}
    std::deque<Arg> args;
    std::deque<Item> items;
    bool args_closed = false;
    bool abandoned = false;  ///< the caller has gone
    bool ended = false;      ///< the handler has
    std::optional<Error> error;
    Signal changed;
};

template <class Arg, class Item>
class LocalArguments final : public Source<Arg> {
 public:
    explicit LocalArguments(std::shared_ptr<LocalCallState<Arg, Item>> state)
        : state_(std::move(state)) {}
    Async<std::optional<Arg>> next() override {
        while (state_->args.empty() && !state_->args_closed && !state_->abandoned) {
            auto woken = co_await state_->changed.wait();
            if (!woken) co_return fail(woken.error());
        }
        if (state_->abandoned) co_return fail(Kind::cancelled, "the caller gave up");
        if (state_->args.empty()) co_return std::optional<Arg>{};
        Arg arg = std::move(state_->args.front());
        state_->args.pop_front();
        state_->changed.notify_all();
        co_return std::optional<Arg>(std::move(arg));
    }

 private:
    std::shared_ptr<LocalCallState<Arg, Item>> state_;
};

/// Pulls the handler's items for the caller; spawned by the client.
template <class Arg, class Item>
asio::awaitable<void> drive_local_call(std::shared_ptr<LocalCallState<Arg, Item>> state,
                                       SourcePtr<Item> items) {
    while (!state->ended) {
        Result<std::optional<Item>> item = co_await items->next();
        if (!item) {
            state->error = item.error();
            state->ended = true;
        } else if (!item.value()) {
            state->ended = true;
        } else {
            state->items.push_back(std::move(*item.value()));
        }
        state->changed.notify_all();
        while (state->items.size() >= kLocalQueueMax && !state->abandoned && !state->ended) {
            auto woken = co_await state->changed.wait();
            if (!woken) {
                state->error = woken.error();
                state->ended = true;
            }
        }
        if (state->abandoned) state->ended = true;
    }
    items.reset();
    state->changed.notify_all();
}

template <class Arg, class Item>
class LocalStreamCall final : public StreamCall<Arg, Item> {
 public:
    explicit LocalStreamCall(std::shared_ptr<LocalCallState<Arg, Item>> state)
        : state_(std::move(state)) {}
    ~LocalStreamCall() override {
        state_->abandoned = true;
        state_->changed.notify_all();
    }
    Async<> send(Arg arg) override {
        while (state_->args.size() >= kLocalQueueMax && !state_->ended) {
            auto woken = co_await state_->changed.wait();
            if (!woken) co_return woken;
        }
        if (state_->error) co_return fail(*state_->error);
        if (state_->ended)
            co_return fail(Kind::internal, "the call ended before its arguments did");
        state_->args.push_back(std::move(arg));
        state_->changed.notify_all();
        co_return ok();
    }
    Async<> close() override {
        state_->args_closed = true;
        state_->changed.notify_all();
        co_return ok();
    }
    Async<std::optional<Item>> next() override {
        while (state_->items.empty() && !state_->ended) {
            auto woken = co_await state_->changed.wait();
            if (!woken) co_return fail(woken.error());
        }
        if (!state_->items.empty()) {
            Item item = std::move(state_->items.front());
            state_->items.pop_front();
            state_->changed.notify_all();
            co_return std::optional<Item>(std::move(item));
        }
        if (state_->error) co_return fail(*state_->error);
        co_return std::optional<Item>{};
    }

 private:
    std::shared_ptr<LocalCallState<Arg, Item>> state_;
};

}  // namespace ipfscluster::rpc
