#include "adder/add_session.hpp"

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <optional>

#include "base/log.hpp"
#include "base/text.hpp"

namespace ipfscluster::adder {

namespace {

/// Gathers what the importer makes in one call; drained after it.
class Gathered final : public dag::ImportSink {
 public:
    Result<> on_block(dag::Block&& block) override {
        blocks.push_back(std::move(block));
        return ok();
    }
    Result<> on_entry(dag::AddedEntry&& entry) override {
        entries.push_back(std::move(entry));
        return ok();
    }
    std::vector<dag::Block> blocks;
    std::vector<dag::AddedEntry> entries;
};

/// The importer and its output together: shared with the pool thread that may run it.
struct Import {
    explicit Import(dag::ImportOptions options) : importer(std::move(options), sink) {}
    Gathered sink;
    dag::Importer importer;
};

class UnixfsSession final : public component::AddSession {
 public:
    UnixfsSession(World& world, std::shared_ptr<AddBackend> backend, component::AddParams params,
                  dag::ImportOptions options)
        : world_(world),
          backend_(std::move(backend)),
          params_(std::move(params)),
          import_(std::make_shared<Import>(std::move(options))) {}

    ~UnixfsSession() override {
        if (fanout_) abandon(world_, std::move(fanout_));
    }

    Async<> begin_file(std::string path) override {
        if (may_end_a_large_directory(path)) {
            auto work = [import = import_, path] { return import->importer.begin_file(path); };
            ICL_CO_TRY(co_await offload(world_, std::move(work)));
            co_return co_await drain();
        }
        ICL_CO_TRY(import_->importer.begin_file(path));
        co_return ok();
    }

    Async<> write(Bytes data) override {
        for (std::size_t at = 0; at < data.size(); at += kWriteBytesMax) {
            const auto piece =
                data.size() <= kWriteBytesMax ? std::move(data) : data.substr(at, kWriteBytesMax);
            const auto size = piece.size();
            if (size >= kOffloadBytesMin) {
                // Named: g++ 12 destroys a capturing lambda made inside an awaiting expression
                // twice.
                auto work = [import = import_, piece] { return import->importer.write(piece); };
                ICL_CO_TRY(co_await offload(world_, std::move(work)));
            } else {
                ICL_CO_TRY(import_->importer.write(piece));
            }
            ICL_CO_TRY(co_await drain());
            if (size < kWriteBytesMax) break;
        }
        co_return ok();
    }

    Async<> end_file() override {
        ICL_CO_TRY(import_->importer.end_file());
        ICL_CO_TRY(co_await drain());
        co_return ok();
    }

    Async<> add_directory(std::string path) override {
        if (may_end_a_large_directory(path)) {
            auto work = [import = import_, path] { return import->importer.add_directory(path); };
            ICL_CO_TRY(co_await offload(world_, std::move(work)));
        } else {
            ICL_CO_TRY(import_->importer.add_directory(path));
        }
        co_return co_await drain();
    }

    Async<> add_symlink(std::string path, std::string target) override {
        if (may_end_a_large_directory(path)) {
            auto work = [import = import_, path, target] {
                return import->importer.add_symlink(path, target);
            };
            ICL_CO_TRY(co_await offload(world_, std::move(work)));
        } else {
            ICL_CO_TRY(import_->importer.add_symlink(path, target));
        }
        co_return co_await drain();
    }

    std::vector<AddedOutput> take_outputs() override { return std::exchange(outputs_, {}); }

    Async<Cid> finish() override {
        // Named, as in write.
        auto work = [import = import_] { return import->importer.finish(); };
        ICL_CO_TRY(auto root, co_await offload(world_, std::move(work)));
        ICL_CO_TRY(co_await drain());
        if (!fanout_) co_return fail(Kind::internal, "an add ended without a block");
        ICL_CO_TRY(auto confirmed, co_await fanout_->commit());
        const auto failures = fanout_->failures();
        ICL_CO_TRY(co_await fanout_->stop());
        fanout_.reset();
        ICL_CO_TRY(co_await commit_pin(root.cid, std::move(confirmed), failures));
        co_return root.cid;
    }

 private:
    /// Whether the entry at `path` may be the first behind a directory with so many entries that
    /// sorting and hashing them does not belong on the strand.
    bool may_end_a_large_directory(const std::string& path) {
        ++entries_;
        const auto parent = std::string_view(path).substr(0, path.find_last_of('/') + 1);
        if (parent == parent_) return false;
        parent_ = parent;
        return entries_ > kOffloadEntriesMin;
    }
    /// Ends what still runs for an add that was given up; the fanout lives until then.
    static void abandon(World& world, std::unique_ptr<BlockFanout> fanout) {
        asio::co_spawn(world.executor(), stop_fanout(std::move(fanout)), asio::detached);
    }
    static asio::awaitable<void> stop_fanout(std::unique_ptr<BlockFanout> fanout) {
        auto stopped = co_await fanout->stop();
        if (!stopped)
            logger("adder")->debug("an abandoned add was cut error=\"{}\"", stopped.error().text);
    }

    /// The pin as it would be committed, without its root.
    Pin wished_pin() const {
        Pin pin;
        pin.options = params_.pin;
        pin.options.mode = PinMode::recursive;
        pin.options.pin_update = Cid();
        pin.max_depth = kDepthRecursive;
        const auto [min, max] = backend_->default_replication();
        if (pin.options.replication_min == 0) pin.options.replication_min = min;
        if (pin.options.replication_max == 0) pin.options.replication_max = max;
        return pin;
    }

    /// Chooses the destinations and opens a session on each; runs at the first block.
    Async<> open() {
        ICL_CO_TRY(auto chosen, co_await backend_->allocate(wished_pin()));
        allocations_ = chosen;
        auto targets = chosen;
        const auto self = backend_->self();
        if (params_.local) {
            // Blocks stay here; unless the user named the holders, we are one of them.
            targets = {self};
            const bool holder = contains(chosen, self);
            if (!holder && params_.pin.user_allocations.empty() && !allocations_.empty())
                allocations_.back() = self;
        }
        std::vector<Destination> destinations;
        std::string refused;
        for (const auto& peer : targets) {
            auto session = co_await backend_->open_blocks(peer);
            if (session) {
                destinations.push_back({peer, std::move(session.value())});
                continue;
            }
            if (session.error().kind == Kind::cancelled) co_return fail(session.error());
            if (!refused.empty()) refused += "; ";
            refused += peer.to_string() + ": " + session.error().text;
        }
        if (destinations.empty())
            co_return fail(Kind::unavailable, "no peer takes the blocks: " + refused);
        refused_ = std::move(refused);
        fanout_ = std::make_unique<BlockFanout>(world_, std::move(destinations));
        co_return ok();
    }

    Async<> drain() {
        auto blocks = std::exchange(import_->sink.blocks, {});
        auto entries = std::exchange(import_->sink.entries, {});
        if (!blocks.empty() && !fanout_) {
            ICL_CO_TRY(co_await open());
        }
        for (auto& block : blocks) {
            ICL_CO_TRY(co_await fanout_->put(std::move(block.cid), std::move(block.data)));
        }
        for (auto& entry : entries) {
            AddedOutput output;
            output.name = std::move(entry.name);
            output.bytes = entry.bytes;
            output.size = entry.size;
            if (entry.cid.defined()) output.allocations = allocations_;
            output.cid = std::move(entry.cid);
            outputs_.push_back(std::move(output));
        }
        co_return ok();
    }

    static void warn_of(const Cid& root, const std::string& failures) {
        if (!failures.empty())
            logger("adder")->warn("an add left out destinations root={} failures=\"{}\"",
                                  root.to_string(), failures);
    }

    Async<> commit_pin(Cid root, std::vector<PeerId> confirmed, std::string failures) {
        if (!refused_.empty()) failures = failures.empty() ? refused_ : refused_ + "; " + failures;
        auto pin = wished_pin();
        pin.cid = root;
        if (params_.no_pin) {
            warn_of(root, failures);
            co_return ok();
        }
        if (!pin.everywhere() && !params_.local) {
            // Only peers that hold the blocks durably may stand in the pin.
            if (static_cast<int>(confirmed.size()) < pin.options.replication_min)
                co_return fail(Kind::unavailable,
                               "the blocks are on " + std::to_string(confirmed.size()) +
                                   " peers, the minimum is " +
                                   std::to_string(pin.options.replication_min) + ": " + failures);
            pin.allocations = std::move(confirmed);
        } else if (params_.local) {
            pin.allocations = pin.everywhere() ? std::vector<PeerId>{} : allocations_;
        }
        warn_of(root, failures);
        ICL_CO_TRY(co_await backend_->commit_pin(std::move(pin)));
        co_return ok();
    }

    World& world_;
    std::shared_ptr<AddBackend> backend_;
    component::AddParams params_;
    std::shared_ptr<Import> import_;
    std::uint64_t entries_ = 0;
    std::string parent_;  ///< of the last entry
    std::vector<PeerId> allocations_;
    std::string refused_;
    std::unique_ptr<BlockFanout> fanout_;
    std::vector<AddedOutput> outputs_;
};

}  // namespace

Result<std::unique_ptr<component::AddSession>> make_add_session(World& world,
                                                                std::shared_ptr<AddBackend> backend,
                                                                component::AddParams params) {
    if (params.format != "unixfs")
        return fail(Kind::unsupported,
                    "format \"" + params.format + "\" is not served by this build");
    if (params.shard) return fail(Kind::unsupported, "shard=true is not served by this build");
    if (params.no_copy) return fail(Kind::unsupported, "nocopy=true is not served by this build");
    dag::ImportRequest request;
    request.chunker = params.chunker;
    request.layout = params.layout;
    request.hash = params.hash;
    request.cid_version = params.cid_version;
    request.raw_leaves = params.raw_leaves;
    request.wrap_with_directory = params.wrap;
    request.progress = params.progress;
    ICL_TRY(auto options, dag::check_import(request));
    return std::unique_ptr<component::AddSession>(std::make_unique<UnixfsSession>(
        world, std::move(backend), std::move(params), std::move(options)));
}

}  // namespace ipfscluster::adder
