#pragma once
#include <memory>
#include <optional>

#include "codec/wire.hpp"
#include "rpc/raw_call.hpp"

namespace ipfscluster::rpc {

/// An answer's value; one that cannot be read says nothing about what happened there.
template <class T>
Result<T> decode_reply(const ServiceId& id, BytesView bytes) {
    auto value = codec::from_msgpack<T>(bytes);
    if (!value)
        return fail(Kind::unknown_outcome,
                    id.name() + ": an answer we cannot read: " + value.error().text);
    return value;
}

/// A call whose arguments are sent one by one while results are pulled. One sender and one receiver
/// at a time. Destroying it before the end cancels the call. Made by Client::open_stream.
template <class Arg, class Item>
class StreamCall {
 public:
    StreamCall(ServiceId id, std::unique_ptr<RawCall> call)
        : id_(std::move(id)), call_(std::move(call)) {}

    /// Returns when the argument is on its way (held back by the receiver's pace). When the other
    /// side has already failed, its own error.
    Async<> send(Arg arg) { return call_->send(codec::to_msgpack(arg)); }
    /// No more arguments follow. Without it the other side never ends.
    Async<> close() { return call_->close_send(); }
    /// The next item, nothing at the clean end.
    Async<std::optional<Item>> next() {
        Result<std::optional<BytesView>> body = co_await call_->next();
        if (!body) co_return fail(body.error());
        if (!body.value()) co_return std::optional<Item>{};
        auto item = decode_reply<Item>(id_, *body.value());
        if (!item) co_return fail(item.error());
        co_return std::optional<Item>(std::move(item.value()));
    }

 private:
    ServiceId id_;
    std::unique_ptr<RawCall> call_;
};

}  // namespace ipfscluster::rpc
