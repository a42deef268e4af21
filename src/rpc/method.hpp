#pragma once
#include <functional>
#include <memory>

#include "rpc/frame.hpp"
#include "runtime/async.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::rpc {

/// Who may call a method: nobody, peers we trust, or every peer of the swarm.
enum class Policy : std::uint8_t { closed, trusted, open };

/// Gets the caller's id. Not a coroutine that captures: it calls one.
template <class Arg, class Reply>
using UnaryHandler = std::function<Async<Reply>(PeerId, Arg)>;
/// Takes the arguments as they arrive and gives the items as they are pulled; destroying the result
/// ends the call.
template <class Arg, class Item>
using StreamHandler = std::function<SourcePtr<Item>(PeerId, SourcePtr<Arg>)>;

/// The outcome of a unary call as bytes: a reply, or an error and whose it is.
struct Answer {
    std::optional<Error> error;
    ErrorType type = ErrorType::method;
    Bytes reply;
};

/// A registered method as the server sees it; by itself one that is `closed`.
class Method {
 public:
    explicit Method(Policy policy_in) : policy(policy_in) {}
    virtual ~Method() = default;
    const Policy policy;
};
class UnaryMethodBase : public Method {
 public:
    using Method::Method;
    virtual asio::awaitable<Answer> answer(PeerId caller, Bytes arg) = 0;
};
class StreamMethodBase : public Method {
 public:
    using Method::Method;
    virtual SourcePtr<Bytes> open(PeerId caller, SourcePtr<Bytes> args) = 0;
};

template <class Arg, class Reply>
class UnaryMethod final : public UnaryMethodBase {
 public:
    UnaryMethod(Policy policy_in, UnaryHandler<Arg, Reply> handler_in)
        : UnaryMethodBase(policy_in), handler(std::move(handler_in)) {}

    asio::awaitable<Answer> answer(PeerId caller, Bytes arg) override {
        // Named values throughout: g++ 12 destroys aggregates made inside an awaiting expression
        // twice.
        Answer out;
        auto value = codec::from_msgpack<Arg>(arg);
        if (!value) {
            out.error = value.error();
            out.type = ErrorType::server;
            co_return out;
        }
        Result<Reply> reply = co_await handler(std::move(caller), std::move(value.value()));
        if (reply)
            out.reply = codec::to_msgpack(reply.value());
        else
            out.error = reply.error();
        co_return out;
    }

    UnaryHandler<Arg, Reply> handler;
};

/// Values decoded as they are pulled.
template <class T>
class DecodingSource final : public Source<T> {
 public:
    explicit DecodingSource(SourcePtr<Bytes> bytes) : bytes_(std::move(bytes)) {}
    Async<std::optional<T>> next() override {
        Result<std::optional<Bytes>> bytes = co_await bytes_->next();
        if (!bytes) co_return fail(bytes.error());
        if (!bytes.value()) co_return std::optional<T>{};
        auto value = codec::from_msgpack<T>(*bytes.value());
        if (!value) co_return fail(value.error());
        co_return std::optional<T>(std::move(value.value()));
    }

 private:
    SourcePtr<Bytes> bytes_;
};

template <class T>
class EncodingSource final : public Source<Bytes> {
 public:
    explicit EncodingSource(SourcePtr<T> values) : values_(std::move(values)) {}
    Async<std::optional<Bytes>> next() override {
        Result<std::optional<T>> value = co_await values_->next();
        if (!value) co_return fail(value.error());
        if (!value.value()) co_return std::optional<Bytes>{};
        co_return std::optional<Bytes>(codec::to_msgpack(*value.value()));
    }

 private:
    SourcePtr<T> values_;
};

template <class Arg, class Item>
class StreamMethod final : public StreamMethodBase {
 public:
    StreamMethod(Policy policy_in, StreamHandler<Arg, Item> handler_in)
        : StreamMethodBase(policy_in), handler(std::move(handler_in)) {}

    SourcePtr<Bytes> open(PeerId caller, SourcePtr<Bytes> args) override {
        return std::make_unique<EncodingSource<Item>>(
            handler(std::move(caller), std::make_unique<DecodingSource<Arg>>(std::move(args))));
    }

    StreamHandler<Arg, Item> handler;
};

}  // namespace ipfscluster::rpc
