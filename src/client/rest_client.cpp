#include "client/rest_client.hpp"

#include "base/encoding.hpp"
#include "codec/pin_query.hpp"

namespace ipfscluster::client {

using http::Method;

namespace {

/// The status of what will be done later.
constexpr int kAccepted = 202;

std::string flag(bool value) {
    return value ? "true" : "false";
}

}  // namespace

std::string escape_path(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        out += url_escape(path.substr(0, slash));
        if (slash == std::string_view::npos) break;
        out += '/';
        path.remove_prefix(slash + 1);
    }
    return out;
}

template <class T>
Call<T> RestClient::fetch(Method method, std::string target, Bytes body) {
    http::ClientRequest request;
    request.method = method;
    request.target = std::move(target);
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    ICL_CO_TRY(auto answer, co_await transport_.send(std::move(request)));
    ICL_CO_TRY(const auto text, co_await answer->read_all());
    auto value = codec::parse_json<T>(text, kDocumentBytesMax);
    if (!value) co_return api_fail(value.error().in("the server's answer"));
    co_return std::move(value.value());
}

template <class T>
Call<StreamPtr<T>> RestClient::stream(Method method, std::string target) {
    http::ClientRequest request;
    request.method = method;
    request.target = std::move(target);
    ICL_CO_TRY(auto answer, co_await transport_.send(std::move(request)));
    co_return std::make_unique<Stream<T>>(std::move(answer));
}

Call<PeerInfo> RestClient::id() {
    return fetch<PeerInfo>(Method::get, "/id");
}

Call<std::string> RestClient::version() {
    ICL_CO_TRY(auto version, co_await fetch<codec::Version>(Method::get, "/version"));
    co_return version.version;
}

Call<StreamPtr<PeerInfo>> RestClient::peers() {
    return stream<PeerInfo>(Method::get, "/peers");
}

Call<PeerInfo> RestClient::peer_add(PeerId peer) {
    return fetch<PeerInfo>(Method::post, "/peers",
                           codec::to_json(codec::PeerAddBody{peer.to_string()}));
}

Call<bool> RestClient::peer_remove(PeerId peer, bool force) {
    http::ClientRequest request;
    request.method = Method::del;
    request.target = "/peers/" + peer.to_string() + (force ? "?force=true" : "");
    ICL_CO_TRY(auto answer, co_await transport_.send(std::move(request)));
    const bool gone = answer->status() != kAccepted;
    ICL_CO_TRY(co_await answer->read_all());
    co_return gone;
}

Call<DrainReport> RestClient::peer_tell(PeerId peer, std::string verb, bool everything,
                                        bool dry_run) {
    return fetch<DrainReport>(Method::post, "/peers/" + peer.to_string() + "/" + verb +
                                                "?dry-run=" + flag(dry_run) +
                                                "&everything=" + flag(everything));
}

Call<DrainReport> RestClient::peer_drain(PeerId peer) {
    return fetch<DrainReport>(Method::get, "/peers/" + peer.to_string() + "/drain");
}

Call<Pin> RestClient::pin(std::string path, PinOptions options) {
    return fetch<Pin>(Method::post,
                      "/pins" + escape_path(path) + "?" + codec::format_pin_options(options));
}

Call<Pin> RestClient::unpin(std::string path) {
    return fetch<Pin>(Method::del, "/pins" + escape_path(path));
}

Call<Pin> RestClient::allocation(Cid cid) {
    return fetch<Pin>(Method::get, "/allocations/" + cid.to_string());
}

Call<StreamPtr<Pin>> RestClient::allocations(std::string filter) {
    return stream<Pin>(Method::get, "/allocations?filter=" + url_escape(filter));
}

Call<GlobalPinInfo> RestClient::status(Cid cid, bool local) {
    return fetch<GlobalPinInfo>(Method::get, "/pins/" + cid.to_string() + "?local=" + flag(local));
}

Call<StreamPtr<GlobalPinInfo>> RestClient::statuses(std::string filter, bool local,
                                                    std::vector<Cid> cids) {
    std::string list;
    for (const Cid& cid : cids) list += (list.empty() ? "" : ",") + cid.to_string();
    return stream<GlobalPinInfo>(Method::get, "/pins?local=" + flag(local) + "&filter=" +
                                                  url_escape(filter) + "&cids=" + url_escape(list));
}

Call<GlobalPinInfo> RestClient::recover(Cid cid, bool local) {
    return fetch<GlobalPinInfo>(Method::post,
                                "/pins/" + cid.to_string() + "/recover?local=" + flag(local));
}

Call<StreamPtr<GlobalPinInfo>> RestClient::recover_all(bool local) {
    return stream<GlobalPinInfo>(Method::post, "/pins/recover?local=" + flag(local));
}

Call<GlobalPinInfo> RestClient::sync(Cid cid, bool local) {
    return fetch<GlobalPinInfo>(Method::post,
                                "/pins/" + cid.to_string() + "/sync?local=" + flag(local));
}

Call<StreamPtr<GlobalPinInfo>> RestClient::sync_all(bool local) {
    return stream<GlobalPinInfo>(Method::post,
                                 "/pins/sync?stream-channels=true&local=" + flag(local));
}

Call<GlobalRepoGc> RestClient::ipfs_gc(bool local) {
    return fetch<GlobalRepoGc>(Method::post, "/ipfs/gc?local=" + flag(local));
}

Call<std::vector<Alert>> RestClient::alerts() {
    return fetch<std::vector<Alert>>(Method::get, "/health/alerts");
}

Call<std::vector<std::string>> RestClient::metric_names() {
    return fetch<std::vector<std::string>>(Method::get, "/monitor/metrics");
}

Call<std::vector<Metric>> RestClient::metrics(std::string name) {
    return fetch<std::vector<Metric>>(Method::get, "/monitor/metrics/" + url_escape(name));
}

Call<ConnectGraph> RestClient::graph() {
    return fetch<ConnectGraph>(Method::get, "/health/graph");
}

Call<codec::BandwidthByProtocol> RestClient::bandwidth() {
    return fetch<codec::BandwidthByProtocol>(Method::get, "/health/bandwidth");
}

Call<AnswerPtr> RestClient::content(std::string path, std::string format) {
    http::ClientRequest request;
    request.target = escape_path(path);
    if (!format.empty()) request.target += "?format=" + url_escape(format);
    auto answer = co_await transport_.send(std::move(request));
    co_return answer;
}

}  // namespace ipfscluster::client
