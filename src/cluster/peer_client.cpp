#include "cluster/peer_client.hpp"

namespace ipfscluster::cluster {
namespace {

using codec::Empty;
using rpc::CallOptions;
using rpc::ServiceId;

constexpr CallOptions kAsk{.limit = kAskLimit};
constexpr CallOptions kAlive{.limit = kAliveLimit};
constexpr CallOptions kList{.limit = kListIdleLimit};
constexpr CallOptions kReconcile{.limit = kReconcileIdleLimit};
constexpr CallOptions kGc{.limit = kGcLimit, .reply_bytes_max = kGcAnswerBytesMax};
constexpr CallOptions kBlocks{.limit = kBlockLimit};

ServiceId cluster(const char* method) {
    return {"Cluster", method};
}
ServiceId tracker(const char* method) {
    return {"PinTracker", method};
}
ServiceId ipfs(const char* method) {
    return {"IPFSConnector", method};
}

using BlockCall = rpc::StreamCall<NodeWithMeta, Empty>;

/// Blocks on their way to one peer: a BlockStream call per commit.
class BlockStream final : public component::BlockSession {
 public:
    BlockStream(rpc::Client& client, PeerId peer, std::unique_ptr<BlockCall> call)
        : client_(client), peer_(std::move(peer)), call_(std::move(call)) {}

    Async<> put(Cid cid, Bytes data) override {
        if (!call_) {
            auto call = co_await client_.open_stream<NodeWithMeta, Empty>(
                peer_, ipfs("BlockStream"), kBlocks);
            if (!call) co_return fail(call.error());
            call_ = std::move(call.value());
        }
        sent_ = true;
        const std::uint64_t size = data.size();
        NodeWithMeta node{std::move(data), std::move(cid), size};
        auto sent = co_await call_->send(std::move(node));
        co_return sent;
    }

    Async<> commit() override {
        // A call without blocks is an error by contract: it is left to be cancelled.
        if (!sent_) co_return ok();
        auto closed = co_await call_->close();
        if (!closed) co_return closed;
        while (true) {
            auto item = co_await call_->next();
            if (!item) co_return fail(item.error());
            if (!item.value()) break;
        }
        call_.reset();
        sent_ = false;
        co_return ok();
    }

 private:
    rpc::Client& client_;
    PeerId peer_;
    std::unique_ptr<BlockCall> call_;
    bool sent_ = false;
};

}  // namespace

Async<PeerInfo> PeerClient::id(PeerId peer) {
    return client_.call<PeerInfo>(std::move(peer), cluster("ID"), Empty{}, kAsk);
}

Async<> PeerClient::alive(PeerId peer) {
    auto said = co_await client_.call<Empty>(std::move(peer), cluster("Alive"), Empty{}, kAlive);
    if (said) co_return ok();
    const bool unknown =
        said.error().kind == Kind::unsupported || said.error().kind == Kind::denied;
    if (!unknown) co_return fail(said.error());
    co_return ok();
}

Async<PeerInfo> PeerClient::peer_add(PeerId peer, PeerId joiner) {
    return client_.call<PeerInfo>(std::move(peer), cluster("PeerAdd"), std::move(joiner), kList);
}

Async<PinInfo> PeerClient::status(PeerId peer, Cid cid) {
    return client_.call<PinInfo>(std::move(peer), tracker("Status"), std::move(cid), kAsk);
}

Async<PinInfo> PeerClient::recover(PeerId peer, Cid cid) {
    return client_.call<PinInfo>(std::move(peer), tracker("Recover"), std::move(cid), kAsk);
}

Async<PinInfo> PeerClient::sync_local(PeerId peer, Cid cid) {
    return client_.call<PinInfo>(std::move(peer), cluster("SyncLocal"), std::move(cid), kAsk);
}

SourcePtr<PinInfo> PeerClient::status_all_sorted(PeerId peer, StatusFilter filter) {
    std::vector<std::int64_t> args(1, filter);
    return client_.stream<PinInfo>(std::move(peer), tracker("StatusAllSorted"), std::move(args),
                                   kList);
}

SourcePtr<PinInfo> PeerClient::recover_all_local(PeerId peer) {
    return client_.stream<PinInfo, Empty>(std::move(peer), cluster("RecoverAllLocal"), {},
                                          kReconcile);
}

SourcePtr<PinInfo> PeerClient::sync_all_local(PeerId peer) {
    return client_.stream<PinInfo, Empty>(std::move(peer), cluster("SyncAllLocal"), {}, kReconcile);
}

Async<HeldHere> PeerClient::held_here(PeerId peer) {
    return client_.call<HeldHere>(std::move(peer), cluster("HeldHere"), Empty{}, kAsk);
}

Async<RepoGc> PeerClient::repo_gc_local(PeerId peer) {
    return client_.call<RepoGc>(std::move(peer), cluster("RepoGCLocal"), Empty{}, kGc);
}

Async<RepoStat> PeerClient::repo_stat(PeerId peer) {
    return client_.call<RepoStat>(std::move(peer), ipfs("RepoStat"), Empty{}, kAsk);
}

Async<std::vector<PeerId>> PeerClient::swarm_peers(PeerId peer) {
    return client_.call<std::vector<PeerId>>(std::move(peer), ipfs("SwarmPeers"), Empty{}, kAsk);
}

Async<std::unique_ptr<component::BlockSession>> PeerClient::block_stream(PeerId peer) {
    auto call =
        co_await client_.open_stream<NodeWithMeta, Empty>(peer, ipfs("BlockStream"), kBlocks);
    if (!call) co_return fail(call.error());
    co_return std::unique_ptr<component::BlockSession>(
        std::make_unique<BlockStream>(client_, std::move(peer), std::move(call.value())));
}

}  // namespace ipfscluster::cluster
