// Included by client.hpp only.
#pragma once

namespace ipfscluster::rpc {

template <class T>
Bytes request_bytes(const ServiceId& id, const std::vector<T>& args) {
    Bytes out;
    codec::Writer writer(out);
    encode(writer, id);
    for (const auto& arg : args) encode(writer, arg);
    return out;
}

template <class Reply, class Arg>
Async<Reply> Client::call(PeerId peer, ServiceId id, Arg arg, CallOptions options) {
    Bytes request;
    codec::Writer writer(request);
    encode(writer, id);
    encode(writer, arg);
    Result<Bytes> bytes = co_await call_bytes(std::move(peer), id, std::move(request), options);
    if (!bytes) co_return fail(bytes.error());
    co_return decode_reply<Reply>(id, bytes.value());
}

/// Items of another peer; opens the stream at the first pull.
template <class Item>
class RemoteSource final : public Source<Item> {
 public:
    RemoteSource(Client& client, PeerId peer, ServiceId id, Bytes request, CallOptions options)
        : client_(client),
          peer_(std::move(peer)),
          id_(std::move(id)),
          request_(std::move(request)),
          options_(options) {}

    Async<std::optional<Item>> next() override {
        if (done_) co_return std::optional<Item>{};
        if (!call_) {
            Result<> begun = co_await begin();
            if (!begun) {
                done_ = true;
                co_return fail(begun.error());
            }
        }
        Result<std::optional<BytesView>> body = co_await call_->next();
        if (!body || !body.value()) {
            done_ = true;
            call_.reset();
            if (!body) co_return fail(body.error());
            co_return std::optional<Item>{};
        }
        auto item = decode_reply<Item>(id_, *body.value());
        if (!item) co_return fail(item.error());
        co_return std::optional<Item>(std::move(item.value()));
    }

 private:
    Async<> begin() {
        Result<std::unique_ptr<RawCall>> call = co_await client_.open(peer_, id_, options_);
        if (!call) co_return fail(call.error());
        call_ = std::move(call.value());
        Result<> sent = co_await call_->send(std::move(request_));
        if (!sent) co_return sent;
        Result<> closed = co_await call_->close_send();
        co_return closed;
    }

    Client& client_;
    PeerId peer_;
    ServiceId id_;
    Bytes request_;
    CallOptions options_;
    std::unique_ptr<RawCall> call_;
    bool done_ = false;
};

template <class Item, class Arg>
SourcePtr<Item> Client::stream(PeerId peer, ServiceId id, std::vector<Arg> args,
                               CallOptions options) {
    auto request = request_bytes(id, args);
    return std::make_unique<RemoteSource<Item>>(*this, std::move(peer), std::move(id),
                                                std::move(request), options);
}

template <class Arg, class Item>
Async<std::unique_ptr<StreamCall<Arg, Item>>> Client::open_stream(PeerId peer, ServiceId id,
                                                                  CallOptions options) {
    using Call = std::unique_ptr<StreamCall<Arg, Item>>;
    Result<std::unique_ptr<RawCall>> raw = co_await open(std::move(peer), id, options);
    if (!raw) co_return fail(raw.error());
    Result<> sent = co_await raw.value()->send(codec::to_msgpack(id));
    if (!sent) co_return fail(sent.error());
    co_return Call(std::make_unique<StreamCall<Arg, Item>>(std::move(id), std::move(raw.value())));
}

}  // namespace ipfscluster::rpc
