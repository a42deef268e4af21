#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "client/stream.hpp"
#include "model/metric.hpp"
#include "model/peer_info.hpp"
#include "model/pin.hpp"
#include "model/status.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::client {

/// What `POST /add` is asked for (reference/http 4.2). `pin.mode` and `pin.pin_update` do not
/// apply.
struct AddParams {
    PinOptions pin;
    std::string format = "unixfs";  ///< or "car"
    std::string layout;             ///< "", "balanced" or "trickle"
    std::string chunker = "size-262144";
    std::string hash = "sha2-256";
    int cid_version = 0;
    bool raw_leaves = false;
    bool wrap = false;
    bool local = false;
    bool no_pin = false;
    bool nocopy = false;
    bool recursive = false;
    bool hidden = false;
    bool progress = false;
};

/// The query text of an add.
std::string add_query(const AddParams& params);

/// A client of a cluster peer's REST API. Owned by its user; one strand; outlived by the World.
/// Calls may run side by side. Every failure is an ApiError: the server's code and words, or code 0
/// when no answer came. Nothing is retried but what certainly did not happen.
class RestClient {
 public:
    RestClient(World& world, ClientOptions options) : transport_(world, std::move(options)) {}

    Call<PeerInfo> id();
    Call<std::string> version();
    Call<StreamPtr<PeerInfo>> peers();
    Call<PeerInfo> peer_add(PeerId peer);
    /// True when the peer is gone; false when it leaves once its copies are elsewhere. Refused with
    /// 409 where they cannot be moved, unless `force`.
    Call<bool> peer_remove(PeerId peer, bool force);
    /// `verb`: cordon, uncordon or drain.
    Call<DrainReport> peer_tell(PeerId peer, std::string verb, bool everything, bool dry_run);
    /// 404: it is no member any more.
    Call<DrainReport> peer_drain(PeerId peer);

    /// `path`: "/ipfs/<cid>[/…]" or "/ipns/…", not yet escaped.
    Call<Pin> pin(std::string path, PinOptions options);
    Call<Pin> unpin(std::string path);
    Call<Pin> allocation(Cid cid);
    Call<StreamPtr<Pin>> allocations(std::string filter);

    Call<GlobalPinInfo> status(Cid cid, bool local);
    /// With `cids`, only those; `filter` is ignored then.
    Call<StreamPtr<GlobalPinInfo>> statuses(std::string filter, bool local, std::vector<Cid> cids);
    Call<GlobalPinInfo> recover(Cid cid, bool local);
    Call<StreamPtr<GlobalPinInfo>> recover_all(bool local);
    Call<GlobalPinInfo> sync(Cid cid, bool local);
    Call<StreamPtr<GlobalPinInfo>> sync_all(bool local);

    Call<GlobalRepoGc> ipfs_gc(bool local);
    Call<std::vector<Alert>> alerts();
    Call<std::vector<std::string>> metric_names();
    Call<std::vector<Metric>> metrics(std::string name);
    Call<ConnectGraph> graph();
    Call<codec::BandwidthByProtocol> bandwidth();

    /// Sends a multipart body pulled from `body` while reading the answer; each object goes to
    /// `on_output` as it comes. An error of `body` breaks the request off, so the server never
    /// takes half an upload for a whole one. `body` and `on_output` must live until the call
    /// returns.
    Call<> add(AddParams params, std::string content_type, Source<Bytes>& body,
               std::function<void(AddedOutput)> on_output);

    /// The bytes under `path` ("/ipfs/<cid>[/…]"); `format` "" for a file's content, "tar" for a
    /// whole tree. Read pieces until the empty one.
    Call<AnswerPtr> content(std::string path, std::string format);

    /// The last call has ended: nothing of them, such as the look-up of a silent host, keeps the
    /// io_context running.
    void close() { transport_.close(); }

 private:
    template <class T>
    Call<T> fetch(http::Method method, std::string target, Bytes body = {});
    template <class T>
    Call<StreamPtr<T>> stream(http::Method method, std::string target);

    Transport transport_;
};

/// Percent-encodes each part of a path, keeping the slashes.
std::string escape_path(std::string_view path);

}  // namespace ipfscluster::client
