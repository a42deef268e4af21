// block/put and dag/put with pin=true: the daemon stores, the cluster pins.
#include "api/ipfsproxy/handlers.hpp"
#include "api/ipfsproxy/pin_wish.hpp"
#include "api/ipfsproxy/put_row.hpp"
#include "api/ipfsproxy/replies.hpp"
#include "http/ndjson.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

Async<> pin_row(Deps deps, Exchange& e, Op op, std::string line) {
    ICL_CO_TRY(const auto cid, parse_put_row(op, line));
    auto wanted = wanted_pin(deps.cluster, cid, PinMode::recursive, {});
    if (wanted) {
        auto pinned = co_await deps.cluster.pin(std::move(*wanted));
        if (!pinned && pinned.error().kind == Kind::cancelled) co_return fail(pinned.error());
        // The block is stored all the same; that it is not pinned is said at the end.
        if (!pinned) e.add_trailer(kStreamError, pinned.error().text);
    }
    co_return co_await e.write(line + "\n");
}

Async<> pin_rows(Deps deps, Exchange& e, Op op, http::ClientCall& call) {
    if (call.status() != 200) co_return co_await Upstream::relay(e, call);
    start_rows(e);
    http::LineSplitter lines(kPutRowBytesMax);
    while (true) {
        ICL_CO_TRY(auto piece, co_await call.read());
        ICL_CO_TRY(lines.feed(piece));
        while (auto line = lines.next()) {
            ICL_CO_TRY(co_await pin_row(deps, e, op, std::move(*line)));
        }
        if (piece.empty()) break;
    }
    auto last = lines.rest();
    if (!last.empty()) {
        ICL_CO_TRY(co_await pin_row(deps, e, op, std::move(last)));
    }
    const auto late = call.trailer_error();
    if (!late.empty()) e.add_trailer(kStreamError, late);
    co_return co_await e.finish();
}

}  // namespace

Async<> post_put(Deps deps, Exchange& e, Call call) {
    const auto* shared = &deps;
    auto* exchange = &e;
    const Op op = call.op;
    Upstream::Answer answer = [shared, exchange, op](http::ClientCall& from) {
        return pin_rows(*shared, *exchange, op, from);
    };
    // The cluster decides who pins; the daemon beside us only stores.
    e.request.headers.set(component::kKeepForPinField, "1");
    auto done =
        co_await deps.upstream.pass_to(e, target_without_pin(e.request.target), std::move(answer));
    co_return done;
}

}  // namespace ipfscluster::ipfsproxy
