#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "component/consensus.hpp"
#include "component/ipfs_connector.hpp"
#include "component/pin_tracker.hpp"

/// The smallest parts a peer can be made of where only its RPC is of interest.
namespace ipfscluster::test {

/// A daemon that stores blocks in memory. A block counts once its session was committed.
class BlockIpfs final : public component::IpfsConnector {
 public:
    std::map<Cid, Bytes> stored;
    std::optional<Error> put_error;
    int sessions = 0;
    std::vector<PeerId> swarm;

    Async<> start() override { co_return ok(); }
    Async<> stop() override { co_return ok(); }
    bool ready() override { return true; }
    Async<IpfsId> id() override { co_return IpfsId{}; }
    Async<> pin(component::PinRequest, component::ProgressHandler) override { co_return ok(); }
    Async<> unpin(Cid) override { co_return ok(); }
    Async<IpfsPinStatus> pin_status(Pin) override { co_return IpfsPinStatus::recursive; }
    SourcePtr<IpfsPinInfo> pin_ls(std::vector<std::string> types) override {
        std::vector<IpfsPinInfo> rows;
        if (std::find(types.begin(), types.end(), "recursive") != types.end())
            for (const auto& [cid, data] : stored) rows.push_back({cid, IpfsPinStatus::recursive});
        return std::make_unique<VectorSource<IpfsPinInfo>>(std::move(rows));
    }
    Async<RepoStat> repo_stat() override { co_return RepoStat{100, 1000}; }
    SourcePtr<RepoGcKey> repo_gc() override {
        return std::make_unique<VectorSource<RepoGcKey>>(std::vector<RepoGcKey>{});
    }
    Async<> swarm_connect(std::vector<Multiaddr>) override { co_return ok(); }
    Async<std::vector<PeerId>> swarm_peers() override { co_return swarm; }
    Async<Cid> resolve(std::string path) override {
        if (path.ends_with("/nowhere")) co_return fail(Kind::not_found, "no link named nowhere");
        co_return Cid::parse(path.substr(path.rfind('/') + 1));
    }
    Async<Bytes> block_get(Cid cid) override {
        const auto found = stored.find(cid);
        if (found == stored.end()) co_return fail(Kind::not_found, "no such block");
        co_return found->second;
    }
    Async<std::unique_ptr<component::BlockSession>> open_blocks() override {
        ++sessions;
        co_return std::unique_ptr<component::BlockSession>(std::make_unique<Session>(*this));
    }
    Async<component::FileInfo> stat(std::string) override {
        co_return fail(Kind::unsupported, "fake");
    }
    Async<SourcePtr<Bytes>> cat(Cid, std::uint64_t, std::uint64_t) override {
        co_return fail(Kind::unsupported, "fake");
    }
    Async<SourcePtr<component::DirectoryEntry>> ls(Cid) override {
        co_return fail(Kind::unsupported, "fake");
    }
    Async<std::string> read_link(Cid) override { co_return fail(Kind::unsupported, "fake"); }

 private:
    class Session final : public component::BlockSession {
     public:
        explicit Session(BlockIpfs& ipfs) : ipfs_(ipfs) {}
        Async<> put(Cid cid, Bytes data) override {
            if (ipfs_.put_error) co_return fail(*ipfs_.put_error);
            blocks_.insert_or_assign(std::move(cid), std::move(data));
            co_return ok();
        }
        Async<> commit() override {
            ipfs_.stored.merge(blocks_);
            co_return ok();
        }

     private:
        BlockIpfs& ipfs_;
        std::map<Cid, Bytes> blocks_;
    };
};

/// Says what its table says.
class TableTracker final : public component::PinTracker {
 public:
    std::map<Cid, PinInfo> rows;
    std::vector<Cid> recovered;
    bool daemon_away = false;  ///< every sync fails

    Async<> start() override { co_return ok(); }
    Async<> stop() override { co_return ok(); }
    Async<PinInfo> status(Cid cid) override { co_return row(cid); }
    Async<PinInfo> sync(Cid cid) override {
        if (daemon_away) co_return fail(Kind::unavailable, "connection refused");
        co_return row(cid);
    }
    SourcePtr<PinInfo> status_all(StatusFilter filter) override {
        std::vector<PinInfo> out;
        for (const auto& [cid, info] : rows)
            if (matches(info.info.status, filter)) out.push_back(info);
        return std::make_unique<VectorSource<PinInfo>>(std::move(out));
    }
    Async<PinInfo> recover(Cid cid) override {
        recovered.push_back(cid);
        co_return row(cid);
    }
    SourcePtr<PinInfo> recover_all() override { return status_all(0); }
    SourcePtr<PinInfo> recover_lost() override { return status_all(0); }
    Async<component::ReconcileReport> reconcile() override {
        co_return component::ReconcileReport{};
    }
    SourcePtr<PinInfo> sync_all() override { return status_all(0); }
    std::uint64_t queue_size() override { return rows.size(); }
    std::vector<Cid> without_room_since(SteadyTime) override { return {}; }

 private:
    PinInfo row(const Cid& cid) const {
        const auto found = rows.find(cid);
        if (found != rows.end()) return found->second;
        PinInfo none;
        none.cid = cid;
        none.info.status = TrackerStatus::unpinned;
        return none;
    }
};

/// Agrees with itself at once.
class LoneConsensus : public component::Consensus {
 public:
    std::vector<PeerId> members;
    std::vector<PinOperation> committed;
    bool strong = true, has_all = true;
    bool knows_all = true;  ///< who is no member has left, as far as it is known
    std::map<PeerId, component::Cordon> told;
    std::map<PeerId, Error> refused;  ///< who is not trusted, and why
    PeerId informed;

    component::Cordon cordon(const PeerId& peer) override {
        const auto found = told.find(peer);
        return found == told.end() ? component::Cordon{} : found->second;
    }
    std::vector<std::pair<PeerId, component::Cordon>> cordons() override {
        return {told.begin(), told.end()};
    }
    Async<> set_cordon(PeerId peer, component::Cordon cordon) override {
        told[peer] = cordon;
        co_return ok();
    }
    Async<> start() override { co_return ok(); }
    Async<component::CommitResult> commit(PinOperation operation) override {
        committed.push_back(std::move(operation));
        co_return component::CommitResult{};
    }
    std::vector<PeerId> peers() override { return members; }
    std::vector<PeerId> known() override { return members; }
    std::vector<PeerId> voters() override { return members; }
    component::Standing standing(const PeerId& peer) override {
        return std::find(members.begin(), members.end(), peer) == members.end()
                   ? (knows_all ? component::Standing::left : component::Standing::unknown)
                   : component::Standing::member;
    }
    bool may_act() override { return true; }
    std::optional<std::size_t> rank(const Cid&) override { return 0; }
    Async<> add_peer(PeerId peer) override {
        members.push_back(std::move(peer));
        co_return ok();
    }
    Async<> remove_peer(PeerId peer) override {
        std::erase(members, peer);
        co_return ok();
    }
    Result<> trusted(const PeerId& peer) override {
        const auto found = refused.find(peer);
        return found == refused.end() ? Result<>(ok()) : Result<>(fail(found->second));
    }
    PeerId best_informed() override { return informed; }
    Async<> wait_ready(Duration) override { co_return ok(); }
    bool ready() override { return true; }
    bool complete() override { return has_all; }
    Async<> barrier(Duration) override { co_return ok(); }
    bool strong_reads() const override { return strong; }
    asio::awaitable<Error> wait_ended() override {
        Error error{Kind::shutting_down, "fake"};
        co_return error;
    }
    Async<> stop() override { co_return ok(); }
};

}  // namespace ipfscluster::test
