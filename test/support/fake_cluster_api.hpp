#pragma once
#include <map>
#include <optional>

#include "component/cluster_api.hpp"

namespace ipfscluster::test {

/// A list that ends with an error after its items.
template <class T>
class FailingSource final : public Source<T> {
 public:
    FailingSource(std::vector<T> items, Error error)
        : items_(std::move(items)), error_(std::move(error)) {}
    Async<std::optional<T>> next() override {
        if (at_ == items_.size()) co_return fail(error_);
        co_return std::optional<T>(items_[at_++]);
    }

 private:
    std::vector<T> items_;
    Error error_;
    std::size_t at_ = 0;
};

/// Content by path and by CID; a directory is what has entries.
class FakeContentNode final : public component::IpfsConnector {
 public:
    struct Node {
        component::FileInfo info;
        std::string content;
        std::vector<component::DirectoryEntry> entries;
    };
    std::map<std::string, Node> paths;  ///< "/ipfs/<cid>[/…]" → node
    std::map<Cid, std::string> links;
    std::optional<Error> cat_error;  ///< after `cat_items` halves of a file
    std::size_t cat_items = 1;

    Async<> start() override { co_return ok(); }
    Async<> stop() override { co_return ok(); }
    bool ready() override { return true; }
    Async<IpfsId> id() override { co_return IpfsId{}; }
    Async<> pin(component::PinRequest, component::ProgressHandler) override { co_return ok(); }
    Async<> unpin(Cid) override { co_return ok(); }
    Async<IpfsPinStatus> pin_status(Pin) override { co_return IpfsPinStatus::unpinned; }
    SourcePtr<IpfsPinInfo> pin_ls(std::vector<std::string>) override {
        return std::make_unique<VectorSource<IpfsPinInfo>>(std::vector<IpfsPinInfo>{});
    }
    Async<RepoStat> repo_stat() override { co_return RepoStat{}; }
    SourcePtr<RepoGcKey> repo_gc() override {
        return std::make_unique<VectorSource<RepoGcKey>>(std::vector<RepoGcKey>{});
    }
    Async<> swarm_connect(std::vector<Multiaddr>) override { co_return ok(); }
    Async<std::vector<PeerId>> swarm_peers() override { co_return std::vector<PeerId>{}; }
    Async<Cid> resolve(std::string) override { co_return fail(Kind::unsupported, "fake"); }
    Async<Bytes> block_get(Cid) override { co_return fail(Kind::unsupported, "fake"); }
    Async<std::unique_ptr<component::BlockSession>> open_blocks() override {
        co_return fail(Kind::unsupported, "fake");
    }

    Async<component::FileInfo> stat(std::string path) override {
        const auto found = paths.find(path);
        if (found == paths.end()) co_return fail(Kind::not_found, path + ": no such name");
        co_return found->second.info;
    }
    Async<SourcePtr<Bytes>> cat(Cid file, std::uint64_t offset, std::uint64_t length) override {
        for (const auto& [path, node] : paths) {
            if (node.info.cid != file || node.info.directory) continue;
            const auto content = node.content.substr(offset, length);
            const auto half = content.size() / 2;
            if (cat_error)
                co_return SourcePtr<Bytes>(std::make_unique<FailingSource<Bytes>>(
                    std::vector<Bytes>(cat_items, content.substr(0, half)), *cat_error));
            co_return SourcePtr<Bytes>(std::make_unique<VectorSource<Bytes>>(
                std::vector{content.substr(0, half), content.substr(half)}));
        }
        co_return fail(Kind::not_found, "no such file");
    }
    Async<SourcePtr<component::DirectoryEntry>> ls(Cid directory) override {
        for (const auto& [path, node] : paths)
            if (node.info.cid == directory && node.info.directory)
                co_return SourcePtr<component::DirectoryEntry>(
                    std::make_unique<VectorSource<component::DirectoryEntry>>(node.entries));
        co_return fail(Kind::not_found, "no such directory");
    }
    Async<std::string> read_link(Cid cid) override { co_return links.at(cid); }
};

/// What a fake add was told, and how it behaves.
struct FakeAdd {
    component::AddParams params;
    std::vector<std::string> events;  ///< "file a.txt:11", "dir d", "link l->t"
    std::optional<Error> begin_error, write_error, finish_error;
    bool finished = false, destroyed = false;
    std::vector<PeerId> allocations;
    Cid root;
};

class FakeAddSession final : public component::AddSession {
 public:
    explicit FakeAddSession(FakeAdd& add) : add_(add) {}
    ~FakeAddSession() override { add_.destroyed = true; }
    Async<> begin_file(std::string path) override {
        path_ = std::move(path);
        size_ = 0;
        co_return ok();
    }
    Async<> write(Bytes data) override {
        if (add_.write_error) co_return fail(*add_.write_error);
        size_ += data.size();
        if (add_.params.progress) outputs_.push_back({path_, {}, size_, 0, {}});
        co_return ok();
    }
    Async<> end_file() override {
        add_.events.push_back("file " + path_ + ":" + std::to_string(size_));
        outputs_.push_back({path_, add_.root, 0, size_ + 8, add_.allocations});
        co_return ok();
    }
    Async<> add_directory(std::string path) override {
        add_.events.push_back("dir " + path);
        co_return ok();
    }
    Async<> add_symlink(std::string path, std::string target) override {
        add_.events.push_back("link " + path + "->" + target);
        co_return ok();
    }
    std::vector<AddedOutput> take_outputs() override { return std::exchange(outputs_, {}); }
    Async<Cid> finish() override {
        if (add_.finish_error) co_return fail(*add_.finish_error);
        add_.finished = true;
        co_return add_.root;
    }

 private:
    FakeAdd& add_;
    std::string path_;
    std::uint64_t size_ = 0;
    std::vector<AddedOutput> outputs_;
};

/// A peer alone with a pinset in memory. Tests set what it shall answer and look at what it was
/// asked.
class FakeClusterApi final : public component::ClusterApi {
 public:
    PeerId us;
    std::map<Cid, Pin> pinset;
    std::vector<PeerInfo> members;
    std::optional<Error> list_error;  ///< how lists end
    std::optional<Error> call_error;  ///< what every single operation fails with
    std::vector<std::string> calls;
    PinOptions last_options;
    Pin last_pin;
    StatusFilter last_filter = 0;
    FakeAdd add_state;
    FakeContentNode ipfs_node;
    /// What `status` says of a pin in turn, the last for ever; empty: pinned at once.
    std::vector<TrackerStatus> states;
    std::string state_error;
    std::uint64_t fetched = 0;       ///< blocks; of 100 bytes each
    std::vector<RepoGcKey> gc_keys;  ///< of every member
    RepoStat repo_total;             ///< of every member
    std::vector<Alert> alert_list;
    std::vector<Metric> metric_list;
    std::string hindered;
    component::Removal removal = component::Removal::removed;
    std::vector<DrainReport> reports;  ///< in turn
    std::optional<Error> drain_error;  ///< of `peer_drain` when there are no more
    HeldHere held;
    std::vector<PeerId> cluster_peers;  ///< in its own id
    int ids = 0;                        ///< asked for

    PeerId self() const override { return us; }
    Async<PeerInfo> id() override {
        ++ids;
        if (call_error) co_return fail(*call_error);
        PeerInfo info;
        info.id = us;
        info.cluster_peers = cluster_peers;
        info.version = kClusterVersion;
        co_return info;
    }
    std::string hindrance() override { return hindered; }
    std::string version() const override { return std::string(kClusterVersion); }
    SourcePtr<PeerInfo> peers() override { return list(members); }
    Async<PeerInfo> peer_add(PeerId peer) override {
        calls.push_back("peer_add " + peer.to_string());
        if (call_error) co_return fail(*call_error);
        PeerInfo info;
        info.id = peer;
        co_return info;
    }
    Async<component::Removal> peer_remove(PeerId peer, bool force) override {
        calls.push_back("peer_remove " + peer.to_string() + (force ? " force" : ""));
        if (call_error) co_return fail(*call_error);
        co_return removal;
    }
    Async<> join(Multiaddr address) override {
        calls.push_back("join " + address.to_string());
        if (call_error) co_return fail(*call_error);
        co_return ok();
    }
    Async<DrainReport> peer_cordon(PeerId peer, component::Cordon cordon, bool dry_run) override {
        calls.push_back("peer_cordon " + peer.to_string() + " " +
                        std::to_string(static_cast<int>(cordon.kind)) +
                        (cordon.everything ? " everything" : "") + (dry_run ? " dry" : ""));
        if (call_error) co_return fail(*call_error);
        co_return next_report();
    }
    Async<DrainReport> peer_drain(PeerId peer) override {
        calls.push_back("peer_drain " + peer.to_string());
        if (drain_error && reports.empty()) co_return fail(*drain_error);
        if (call_error) co_return fail(*call_error);
        co_return next_report();
    }
    Async<HeldHere> held_here() override { co_return held; }

    Async<Pin> pin(Pin pin) override {
        calls.push_back("pin " + pin.cid.to_string());
        last_pin = pin;
        last_options = pin.options;
        if (call_error) co_return fail(*call_error);
        pinset[pin.cid] = pin;
        co_return pin;
    }
    Async<Pin> pin_path(std::string path, PinOptions options) override {
        calls.push_back("pin_path " + path);
        last_options = options;
        if (call_error) co_return fail(*call_error);
        Pin pin;
        pin.cid = add_state.root;
        pin.options = options;
        co_return pin;
    }
    Async<Pin> unpin(Cid cid) override {
        calls.push_back("unpin " + cid.to_string());
        auto found = pin_get(cid);
        pinset.erase(cid);
        co_return found;
    }
    Async<Pin> unpin_path(std::string path) override {
        calls.push_back("unpin_path " + path);
        co_return fail(Kind::not_found, std::string(component::kPinNotFound));
    }
    Result<Pin> pin_get(Cid cid) override {
        const auto found = pinset.find(cid);
        if (found == pinset.end())
            return fail(Kind::not_found, std::string(component::kPinNotFound));
        return found->second;
    }
    SourcePtr<Pin> pins(std::uint32_t types) override {
        std::vector<Pin> out;
        for (const auto& [cid, pin] : pinset)
            if ((static_cast<std::uint32_t>(pin.type) & types) != 0) out.push_back(pin);
        return list(std::move(out));
    }

    Async<GlobalPinInfo> status(Cid cid) override {
        calls.push_back("status " + cid.to_string());
        if (call_error) co_return fail(*call_error);
        auto info = global(cid);
        if (states.empty()) co_return info;
        auto& row = info.peer_map[us];
        row.status = states.front();
        row.error = state_error;
        row.fetched_blocks = fetched;
        row.fetched_bytes = 100 * fetched;
        if (states.size() > 1) states.erase(states.begin());
        co_return info;
    }
    Async<PinInfo> status_local(Cid cid) override {
        if (call_error) co_return fail(*call_error);
        co_return row(cid);
    }
    SourcePtr<GlobalPinInfo> status_all(StatusFilter filter) override {
        last_filter = filter;
        std::vector<GlobalPinInfo> out;
        for (const auto& [cid, pin] : pinset) out.push_back(global(cid));
        return list(std::move(out));
    }
    SourcePtr<PinInfo> status_all_local(StatusFilter filter) override {
        last_filter = filter;
        std::vector<PinInfo> out;
        for (const auto& [cid, pin] : pinset) out.push_back(row(cid));
        return list(std::move(out));
    }
    Async<GlobalPinInfo> recover(Cid cid) override {
        calls.push_back("recover " + cid.to_string());
        co_return global(cid);
    }
    Async<PinInfo> recover_local(Cid cid) override {
        calls.push_back("recover_local " + cid.to_string());
        if (!pinset.contains(cid))
            co_return fail(Kind::not_found, std::string(component::kPinNotFound));
        co_return row(cid);
    }
    SourcePtr<GlobalPinInfo> recover_all() override {
        calls.push_back("recover_all");
        return list(std::vector<GlobalPinInfo>{});
    }
    SourcePtr<PinInfo> recover_all_local() override {
        calls.push_back("recover_all_local");
        return list(std::vector<PinInfo>{});
    }

    Async<GlobalPinInfo> sync(Cid cid) override {
        calls.push_back("sync " + cid.to_string());
        if (call_error) co_return fail(*call_error);
        if (!pinset.contains(cid))
            co_return fail(Kind::not_found, std::string(component::kPinNotFound));
        co_return global(cid);
    }
    Async<PinInfo> sync_local(Cid cid) override {
        calls.push_back("sync_local " + cid.to_string());
        if (call_error) co_return fail(*call_error);
        if (!pinset.contains(cid))
            co_return fail(Kind::not_found, std::string(component::kPinNotFound));
        co_return row(cid);
    }
    SourcePtr<GlobalPinInfo> sync_all() override {
        calls.push_back("sync_all");
        return status_all(0);
    }
    SourcePtr<PinInfo> sync_all_local() override {
        calls.push_back("sync_all_local");
        return status_all_local(0);
    }

    Async<GlobalRepoGc> repo_gc() override {
        GlobalRepoGc all;
        all.peer_map[us] = RepoGc{us, "fake", {}, {}};
        co_return all;
    }
    Async<RepoGc> repo_gc_local() override {
        if (call_error) co_return fail(*call_error);
        co_return RepoGc{us, "local", {{add_state.root, ""}}, {}};
    }
    SourcePtr<RepoGcKey> repo_gc_keys() override { return list(gc_keys); }
    Async<RepoStat> repo_stat() override {
        if (call_error) co_return fail(*call_error);
        co_return repo_total;
    }
    std::vector<Alert> alerts() override { return alert_list; }
    std::vector<std::string> metric_names() override { return {"freespace", "ping"}; }
    std::vector<Metric> metrics(std::string name) override {
        calls.push_back("metrics " + name);
        return metric_list;
    }
    Async<ConnectGraph> connect_graph() override {
        ConnectGraph graph;
        graph.cluster_id = us;
        co_return graph;
    }
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> bandwidth() override {
        return {{"/x/1", {10, 20}}};
    }
    Async<std::unique_ptr<component::AddSession>> add(component::AddParams params) override {
        add_state.params = params;
        if (add_state.begin_error) co_return fail(*add_state.begin_error);
        co_return std::unique_ptr<component::AddSession>(
            std::make_unique<FakeAddSession>(add_state));
    }
    component::IpfsConnector& ipfs() override { return ipfs_node; }

    PinInfo row(const Cid& cid) const {
        PinInfo info;
        info.cid = cid;
        info.peer = us;
        info.info.peername = "fake";
        info.info.status = pinset.contains(cid) ? TrackerStatus::pinned : TrackerStatus::unpinned;
        return info;
    }
    GlobalPinInfo global(const Cid& cid) const {
        GlobalPinInfo info;
        info.add(row(cid));
        return info;
    }

 private:
    DrainReport next_report() {
        if (reports.empty()) return {};
        auto report = reports.front();
        reports.erase(reports.begin());
        return report;
    }
    template <class T>
    SourcePtr<T> list(std::vector<T> items) {
        if (list_error) return std::make_unique<FailingSource<T>>(std::move(items), *list_error);
        return std::make_unique<VectorSource<T>>(std::move(items));
    }
};

}  // namespace ipfscluster::test
