#include "ipfs/node/embedded_node.hpp"

#include "base/log.hpp"
#include "ipfs/node/pin_walk.hpp"
#include "runtime/turn.hpp"

namespace ipfscluster::node {
namespace {

constexpr std::size_t kPinsPerPage = 256;

IpfsPinStatus status_of(const blockstore::PinRecord& record) {
    return record.depth == 0 ? IpfsPinStatus::direct : IpfsPinStatus::recursive;
}

class PinSource final : public Source<IpfsPinInfo> {
 public:
    PinSource(const blockstore::PinTable& pins, bool recursive, bool direct)
        : pins_(pins), recursive_(recursive), direct_(direct) {}

    Async<std::optional<IpfsPinInfo>> next() override {
        while (true) {
            if (at_ == page_.size()) {
                if (last_) co_return std::optional<IpfsPinInfo>{};
                const Cid after = page_.empty() ? Cid() : page_.back().cid;
                ICL_CO_TRY(page_, pins_.list(after, kPinsPerPage));
                at_ = 0;
                last_ = page_.size() < kPinsPerPage;
                continue;
            }
            const auto& record = page_[at_++];
            const auto status = status_of(record);
            if (!record.complete || !(status == IpfsPinStatus::direct ? direct_ : recursive_))
                continue;
            co_return std::optional<IpfsPinInfo>(IpfsPinInfo{record.cid, status});
        }
    }

 private:
    const blockstore::PinTable& pins_;
    bool recursive_, direct_;
    std::vector<blockstore::PinRecord> page_;
    std::size_t at_ = 0;
    bool last_ = false;
};

class GcSource final : public Source<RepoGcKey> {
 public:
    explicit GcSource(SourcePtr<blockstore::BlockInfo> run) : run_(std::move(run)) {}
    Async<std::optional<RepoGcKey>> next() override {
        ICL_CO_TRY(const auto block, co_await run_->next());
        if (!block) co_return std::optional<RepoGcKey>{};
        co_return std::optional<RepoGcKey>(RepoGcKey{Cid::v1(Codec::raw, block->multihash), {}});
    }

 private:
    SourcePtr<blockstore::BlockInfo> run_;
};

/// Those of `wanted` that the node does not have completely.
class WantedPins final : public Source<blockstore::PinRecord> {
 public:
    WantedPins(SourcePtr<Pin> wanted, const blockstore::PinTable& pins)
        : wanted_(std::move(wanted)), pins_(pins) {}
    Async<std::optional<blockstore::PinRecord>> next() override {
        while (true) {
            ICL_CO_TRY(auto pin, co_await wanted_->next());
            if (!pin) co_return std::optional<blockstore::PinRecord>{};
            ICL_CO_TRY(const auto held, pins_.get(pin->cid));
            if (held && held->complete && covers(held->depth, pin->max_depth)) continue;
            co_return std::optional<blockstore::PinRecord>(
                blockstore::PinRecord{std::move(pin->cid), pin->max_depth, false, {}});
        }
    }

 private:
    SourcePtr<Pin> wanted_;
    const blockstore::PinTable& pins_;
};

blockstore::Collector::Wanted wanted_of(const std::function<SourcePtr<Pin>()>& wanted,
                                        const blockstore::PinTable& pins) {
    if (!wanted) return {};
    return [wanted, &pins]() -> SourcePtr<blockstore::PinRecord> {
        return std::make_unique<WantedPins>(wanted(), pins);
    };
}

}  // namespace

EmbeddedNode::EmbeddedNode(EmbeddedNodeConfig config)
    : config_(std::move(config)),
      pins_(config_.rows),
      leases_(config_.world, config_.rows),
      collector_(config_.world, config_.blocks, config_.rows, pins_, leases_,
                 wanted_of(config_.wanted, pins_)),
      calls_(pins_),
      tasks_(config_.world, "ipfsnode") {}

EmbeddedNode::~EmbeddedNode() = default;

NodeParts EmbeddedNode::parts(bool offline) {
    return {.world = config_.world,
            .blocks = config_.blocks,
            .pins = pins_,
            .leases = leases_,
            .collector = collector_,
            .removals = removals_,
            .fetcher = offline ? nullptr : config_.fetcher,
            .options = config_.options};
}

std::shared_ptr<NodeBlocks> EmbeddedNode::reader(bool offline) {
    return std::make_shared<NodeBlocks>(parts(offline), tasks_);
}

Async<> EmbeddedNode::start() {
    ICL_CO_TRY(leases_.open());
    if (config_.rows_lost) {
        logger("ipfsnode")
            ->warn("the pins of the node were lost, no block is collected for {}",
                   format_go_duration(kRowsLostLease));
        ICL_CO_TRY(const auto lease, leases_.take(0, kRowsLostLease));
        ICL_CO_TRY(co_await leases_.keep(lease, kRowsLostLease, Bytes()));
    }
    started_ = true;
    co_return ok();
}

Async<> EmbeddedNode::stop() {
    started_ = false;
    co_return co_await tasks_.stop();
}

Async<IpfsId> EmbeddedNode::id() {
    IpfsId id;
    id.id = config_.self;
    if (config_.host != nullptr) id.addresses = config_.host->addresses();
    co_return id;
}

Async<> EmbeddedNode::pin(component::PinRequest request, component::ProgressHandler progress) {
    return pin_with(parts(), std::move(request.pin), std::move(progress), false);
}

Async<> EmbeddedNode::pin_or_undo(Pin pin, component::ProgressHandler progress) {
    return pin_with(parts(), std::move(pin), std::move(progress), true);
}

Async<> EmbeddedNode::pin_held(Pin pin) {
    return pin_with(parts(true), std::move(pin), {}, true);
}

Async<bool> EmbeddedNode::hold_if_whole(Pin pin) {
    auto held = co_await pin_held(std::move(pin));
    if (held) co_return true;
    // What the node cannot read it has never held whole.
    const auto kind = held.error().kind;
    if (kind == Kind::not_found || kind == Kind::invalid || kind == Kind::unsupported)
        co_return false;
    co_return fail(held.error());
}

Async<> EmbeddedNode::pin_with(NodeParts parts, Pin pin, component::ProgressHandler progress,
                               bool undo) {
    if (!pin.cid.defined()) co_return fail(Kind::invalid, "a pin needs a CID");
    // The cluster's pinset has the whole name; here it only helps those who list the node's pins.
    const std::string name =
        pin.options.name.size() <= blockstore::kPinNameBytesMax ? pin.options.name : std::string();
    ICL_CO_TRY(const auto before, pins_.get(pin.cid));
    const bool held = before && before->complete && covers(before->depth, pin.max_depth);
    if (held && before->depth == pin.max_depth && before->name == name) {
        // An earlier call may have been cancelled before its record was on the disk.
        ICL_CO_TRY(co_await config_.rows.sync());
        co_return end_lease(pin);
    }
    blockstore::PinRecord record{pin.cid, pin.max_depth, true, name};
    if (!held) {
        const auto call = calls_.begin(pin.cid, pin.max_depth, before, undo);
        auto walked = co_await walk_pin(std::move(parts), call, std::move(progress));
        if (walked && calls_.overtaken(call))
            walked = fail(Kind::conflict, "unpinned while it was being pinned");
        const bool deferred = walked && calls_.defer(record);
        const auto ended = calls_.end(call, walked.has_value());
        if (!ended)
            logger("ipfsnode")
                ->warn("cannot undo a pin that failed cid={} error=\"{}\"", pin.cid.to_string(),
                       ended.error().text);
        if (!walked) co_return walked;
        // The wish of the other call keeps what this one has met.
        if (deferred) co_return co_await config_.rows.sync();
    }
    ++pin_changes_;
    ICL_CO_TRY(co_await pins_.complete(std::move(record)));
    if (config_.pinned) config_.pinned(pin.cid);
    co_return end_lease(pin);
}

/// A pin of the root alone protects nothing of what an add has stored below it.
Result<> EmbeddedNode::end_lease(const Pin& pin) {
    if (pin.max_depth >= 0) return ok();
    return leases_.release_kept(pin.cid.multihash());
}

Async<> EmbeddedNode::walk_pin(NodeParts parts, PinCalls::Call call,
                               component::ProgressHandler progress) {
    const auto epoch = config_.blocks.loss_epoch();
    // Recorded before the walk, so that a collection keeps what it finds and a restart goes on with
    // it. An older pin that is smaller stays inside the new one.
    ICL_CO_TRY(pins_.want(call.cid, calls_.wish(call)));
    ++pin_changes_;
    if (progress) progress({});
    PinWalk walk(parts, call.cid, call.depth, std::move(progress));
    ICL_CO_TRY(co_await walk.run());
    co_return co_await config_.blocks.sync(epoch);
}

SourcePtr<ReachedBlock> EmbeddedNode::reached_blocks() {
    return std::make_unique<ReachedBlocks>(parts(true), false);
}

/// Blocks are stored by their hash alone, so a pin by any version and codec of CID counts.
Async<> EmbeddedNode::check_no_root(Cid cid) {
    std::vector<blockstore::PinRecord> page;
    do {
        const Cid after = page.empty() ? Cid() : page.back().cid;
        ICL_CO_TRY(page, pins_.list(after, kPinsPerPage));
        for (const auto& pin : page) {
            if (pin.cid.multihash() != cid.multihash()) continue;
            co_return fail(Kind::conflict,
                           std::string("pinned: ") + (pin.depth == 0 ? "direct" : "recursive"));
        }
        ICL_CO_TRY(co_await take_turn());
    } while (page.size() == kPinsPerPage);
    co_return ok();
}

Async<> EmbeddedNode::check_unpinned(Cid cid) {
    ICL_CO_TRY(co_await check_no_root(cid));
    ReachedBlocks reached(parts(true), true);
    while (true) {
        ICL_CO_TRY(const auto block, co_await reached.next());
        if (!block) co_return ok();
        if (block->cid.multihash() == cid.multihash())
            co_return fail(Kind::conflict, "pinned via " + block->root.to_string());
    }
}

Async<> EmbeddedNode::remove_block(Cid cid) {
    const Bytes multihash(cid.multihash());
    ICL_CO_TRY(const bool held, config_.blocks.has(multihash));
    if (!held) co_return fail(Kind::not_found, "ipld: could not find " + cid.to_string());
    ICL_CO_TRY(co_await config_.blocks.sync(config_.blocks.loss_epoch()));
    constexpr int kAttemptsMax = 8;
    const RemovalWatch::Removal removal(removals_, multihash);
    for (int attempt = 0;; ++attempt) {
        const auto seen = pin_changes_;
        const auto met = removal.met();
        ICL_CO_TRY(co_await check_unpinned(cid));
        if (seen == pin_changes_ && met == removal.met()) break;
        if (attempt == kAttemptsMax)
            co_return fail(Kind::retryable, "pins are changing all the time, try again");
    }
    // From here to the sweep nothing waits. The sweep is aimed at the one key behind `before`.
    Bytes before = multihash;
    if (before.back() == '\0') {
        before.pop_back();
    } else {
        --before.back();
        before.append(64, '\xff');
    }
    const blockstore::KeepBlock keep = [&multihash](BytesView met) -> Result<bool> {
        return met != multihash;
    };
    ICL_CO_TRY(const auto step, config_.blocks.sweep(before, leases_.protected_from(), keep, 1));
    if (step.removed.empty())
        co_return fail(Kind::retryable,
                       "the block is protected by the lease of a running or recent add");
    co_return ok();
}

Async<> EmbeddedNode::unpin(Cid cid) {
    (void)config_.blocks.check_space();  // unpins go on when the disk is full
    calls_.unpinned(cid);
    co_return co_await pins_.remove(std::move(cid));
}

Async<IpfsPinStatus> EmbeddedNode::pin_status(Pin pin) {
    ICL_CO_TRY(const auto record, pins_.get(pin.cid));
    if (!record || !record->complete || !covers(record->depth, pin.max_depth))
        co_return IpfsPinStatus::unpinned;
    co_return status_of(*record);
}

SourcePtr<IpfsPinInfo> EmbeddedNode::pin_ls(std::vector<std::string> types) {
    bool recursive = types.empty(), direct = types.empty();
    for (const auto& type : types) {
        recursive = recursive || type == "recursive" || type == "all";
        direct = direct || type == "direct" || type == "all";
    }
    return std::make_unique<PinSource>(pins_, recursive, direct);
}

Async<RepoStat> EmbeddedNode::repo_stat() {
    (void)config_.blocks.check_space();  // only to be up to date
    const auto stat = config_.blocks.stat();
    co_return RepoStat{stat.disk_bytes, stat.storage_max};
}

SourcePtr<RepoGcKey> EmbeddedNode::repo_gc() {
    return std::make_unique<GcSource>(collector_.run());
}

Async<> EmbeddedNode::swarm_connect(std::vector<Multiaddr>) {
    co_return ok();  // blocks move over the cluster's own connections
}

Async<std::vector<PeerId>> EmbeddedNode::swarm_peers() {
    if (config_.host == nullptr) co_return std::vector<PeerId>{};
    co_return config_.host->connected_peers();
}

Async<std::unique_ptr<NodeSession>> EmbeddedNode::open_session() {
    ICL_CO_TRY(config_.blocks.check_space());
    co_return NodeSession::open(parts());
}

Async<std::unique_ptr<component::BlockSession>> EmbeddedNode::open_blocks() {
    ICL_CO_TRY(auto session, co_await open_session());
    co_return std::unique_ptr<component::BlockSession>(std::move(session));
}

}  // namespace ipfscluster::node
