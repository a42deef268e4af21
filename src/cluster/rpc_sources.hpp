#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "runtime/source.hpp"

/// Sources the RPC handlers are made of.
namespace ipfscluster::cluster {

/// One value that is asked for at the first pull.
template <class T>
class OnceSource final : public Source<T> {
 public:
    explicit OnceSource(std::function<Async<T>()> ask) : ask_(std::move(ask)) {}
    Async<std::optional<T>> next() override {
        if (!ask_) co_return std::optional<T>{};
        auto ask = std::exchange(ask_, nullptr);
        Result<T> value = co_await ask();
        if (!value) co_return fail(value.error());
        co_return std::optional<T>(std::move(value.value()));
    }

 private:
    std::function<Async<T>()> ask_;
};

/// Items that depend on the first argument of the call.
template <class Arg, class T>
class FirstArgumentSource final : public Source<T> {
 public:
    using Open = std::function<Result<SourcePtr<T>>(Arg)>;
    FirstArgumentSource(SourcePtr<Arg> args, std::string missing, Open open)
        : args_(std::move(args)), missing_(std::move(missing)), open_(std::move(open)) {}
    Async<std::optional<T>> next() override {
        if (!items_) {
            Result<std::optional<Arg>> arg = co_await args_->next();
            if (!arg) co_return fail(arg.error());
            if (!arg.value()) co_return fail(Kind::invalid, missing_);
            auto items = open_(std::move(*arg.value()));
            if (!items) co_return fail(items.error());
            items_ = std::move(items.value());
        }
        Result<std::optional<T>> item = co_await items_->next();
        co_return item;
    }

 private:
    SourcePtr<Arg> args_;
    std::string missing_;
    Open open_;
    SourcePtr<T> items_;
};

}  // namespace ipfscluster::cluster
