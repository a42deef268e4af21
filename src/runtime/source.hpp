#pragma once
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/async.hpp"

namespace ipfscluster {

/// A pulled stream of items: lists, status, GC results. `next` gives an item, nothing at the clean
/// end, or an error that ends the stream. One caller at a time; destroying it releases everything.
template <class T>
class Source {
 public:
    virtual ~Source() = default;
    virtual Async<std::optional<T>> next() = 0;
};

template <class T>
using SourcePtr = std::unique_ptr<Source<T>>;

/// A source over a few values already at hand.
template <class T>
class VectorSource final : public Source<T> {
 public:
    explicit VectorSource(std::vector<T> items) : items_(std::move(items)) {}
    Async<std::optional<T>> next() override {
        if (at_ == items_.size()) co_return std::optional<T>{};
        co_return std::optional<T>(std::move(items_[at_++]));
    }

 private:
    std::vector<T> items_;
    std::size_t at_ = 0;
};

}  // namespace ipfscluster
