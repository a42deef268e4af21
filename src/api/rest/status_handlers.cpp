#include <utility>

#include "api/rest/handlers.hpp"
#include "api/rest/replies.hpp"
#include "api/rest/request.hpp"
#include "base/text.hpp"

namespace ipfscluster::rest {

namespace {

Result<std::vector<Cid>> cids_of(std::string_view list) {
    std::vector<Cid> cids;
    for (const auto word : split_words(list)) {
        ICL_TRY(auto cid, cid_of(word));
        cids.push_back(std::move(cid));
    }
    return cids;
}

/// The statuses of a few CIDs, each asked for when it is pulled. A failing one does not hide the
/// others: what went wrong comes at the end.
template <class T>
class FewStatuses final : public Source<T> {
 public:
    using Ask = Async<T> (component::ClusterApi::*)(Cid);
    FewStatuses(component::ClusterApi& cluster, Ask ask, std::vector<Cid> cids)
        : cluster_(cluster), ask_(ask), cids_(std::move(cids)) {}

    Async<std::optional<T>> next() override {
        while (at_ < cids_.size()) {
            const Cid cid = cids_[at_++];
            auto status = co_await (cluster_.*ask_)(cid);
            if (status) co_return std::optional<T>(std::move(status.value()));
            if (status.error().kind == Kind::cancelled) co_return fail(status.error());
            failures_ +=
                (failures_.empty() ? "" : "; ") + cid.to_string() + ": " + status.error().text;
        }
        if (!failures_.empty()) co_return fail(Kind::internal, std::exchange(failures_, {}));
        co_return std::optional<T>{};
    }

 private:
    component::ClusterApi& cluster_;
    Ask ask_;
    std::vector<Cid> cids_;
    std::size_t at_ = 0;
    std::string failures_;
};

Async<> send_local(Exchange& e, Result<PinInfo> info) {
    if (!info) return send_error(e, info.error());
    Bytes body;
    codec::append_global(body, info.value());
    body += '\n';
    return e.respond(200, kJson, std::move(body));
}

/// The calls of the first versions answered with objects whose `peer_map` repeats CID and peer; v1
/// clients skip what they do not know.
void append_first_form(std::string& out, const GlobalPinInfo& status) {
    codec::JsonObject o(out);
    o.put("cid", status.cid);
    o.put("name", status.name);
    o.put("allocations", status.allocations);
    o.put("origins", status.origins);
    o.put("created", status.created);
    o.put("metadata", status.metadata);
    codec::JsonObject peers(o.key("peer_map"));
    for (const auto& [peer, info] : status.peer_map) {
        std::string& row = peers.key(peer.to_string());
        row += R"({"cid":")" + status.cid.to_string() + R"(","peer":")" + peer.to_string() + "\",";
        std::string rest;
        codec::append_json(rest, info);
        row.append(rest, 1);
    }
}
void append_first_form(std::string& out, const PinInfo& status) {
    GlobalPinInfo global;
    global.add(status);
    append_first_form(out, global);
}

template <class T>
Async<> send_first_form(Exchange& e, Result<T> status) {
    if (!status) return send_error(e, status.error());
    Bytes body;
    append_first_form(body, status.value());
    body += '\n';
    return e.respond(200, kJson, std::move(body));
}

/// A list as one JSON array, as the first versions answered. Holds one item at a time; a failure
/// after the first item is in the trailer and leaves the array open.
template <class T>
Async<> stream_array(Exchange& e, SourcePtr<T> source) {
    e.headers.add("Trailer", kStreamError);
    std::optional<Error> failed;
    for (std::size_t row_count = 1;; ++row_count) {
        auto item = co_await source->next();
        if (!item && !e.started()) co_return co_await send_error(e, item.error());
        if (!item) {
            failed = item.error();
            break;
        }
        const bool first = !e.started();
        if (first) e.start(200, kJson);
        std::string text = first ? "[" : item.value() ? "," : "";
        if (item.value())
            append_first_form(text, *item.value());
        else
            text += "]\n";
        const bool last = !item.value();
        ICL_CO_TRY(co_await e.write(std::move(text)));
        if (last) break;
        if (row_count % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await take_turn());
        }
    }
    co_return co_await detail::end_rows(e, std::move(failed));
}

}  // namespace

Async<> get_statuses(Deps deps, Exchange& e) {
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    const bool local = is_true(query.value(), "local");
    if (const auto list = codec::query_value(query.value(), "cids"); !list.empty()) {
        auto cids = cids_of(list);
        if (!cids) co_return co_await send_bad_request(e, cids.error().in("cids"));
        if (local)
            co_return co_await stream_rows<PinInfo>(
                e,
                std::make_unique<FewStatuses<PinInfo>>(
                    deps.cluster, &component::ClusterApi::status_local, std::move(cids.value())));
        co_return co_await stream_rows<GlobalPinInfo>(
            e, std::make_unique<FewStatuses<GlobalPinInfo>>(
                   deps.cluster, &component::ClusterApi::status, std::move(cids.value())));
    }
    auto filter = parse_status_filter(codec::query_value(query.value(), "filter"));
    if (!filter) co_return co_await send_bad_request(e, filter.error().in("filter"));
    if (local) co_return co_await stream_rows(e, deps.cluster.status_all_local(filter.value()));
    co_return co_await stream_rows(e, deps.cluster.status_all(filter.value()));
}

Async<> get_status(Deps deps, Exchange& e, std::string text) {
    auto cid = cid_of(text);
    if (!cid) co_return co_await send_bad_request(e, cid.error());
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    if (is_true(query.value(), "local")) {
        auto ours = co_await deps.cluster.status_local(std::move(cid.value()));
        co_return co_await send_local(e, std::move(ours));
    }
    auto status = co_await deps.cluster.status(std::move(cid.value()));
    co_return co_await send_result(e, std::move(status));
}

Async<> post_recover(Deps deps, Exchange& e, std::string text) {
    auto cid = cid_of(text);
    if (!cid) co_return co_await send_bad_request(e, cid.error());
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    if (is_true(query.value(), "local")) {
        auto ours = co_await deps.cluster.recover_local(std::move(cid.value()));
        co_return co_await send_local(e, std::move(ours));
    }
    auto status = co_await deps.cluster.recover(std::move(cid.value()));
    co_return co_await send_result(e, std::move(status));
}

Async<> post_sync(Deps deps, Exchange& e, std::string text) {
    auto cid = cid_of(text);
    if (!cid) co_return co_await send_bad_request(e, cid.error());
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    if (is_true(query.value(), "local")) {
        auto ours = co_await deps.cluster.sync_local(std::move(cid.value()));
        co_return co_await send_first_form(e, std::move(ours));
    }
    auto status = co_await deps.cluster.sync(std::move(cid.value()));
    co_return co_await send_first_form(e, std::move(status));
}

/// `stream-channels=true` asks for rows instead of an array.
Async<> post_sync_all(Deps deps, Exchange& e) {
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    const bool rows = is_true(query.value(), "stream-channels");
    if (is_true(query.value(), "local")) {
        auto ours = deps.cluster.sync_all_local();
        if (rows) co_return co_await stream_rows(e, std::move(ours));
        co_return co_await stream_array(e, std::move(ours));
    }
    auto all = deps.cluster.sync_all();
    if (rows) co_return co_await stream_rows(e, std::move(all));
    co_return co_await stream_array(e, std::move(all));
}

Async<> post_recover_all(Deps deps, Exchange& e) {
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    if (is_true(query.value(), "local"))
        co_return co_await stream_rows(e, deps.cluster.recover_all_local());
    co_return co_await stream_rows(e, deps.cluster.recover_all());
}

}  // namespace ipfscluster::rest
