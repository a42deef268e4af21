#include "blockstore/collector.hpp"

#include <limits>

#include "base/log.hpp"
#include "blockstore/leaf.hpp"
#include "blockstore/yield.hpp"
#include "dag/links.hpp"

namespace ipfscluster::blockstore {
namespace {
constexpr std::uint32_t kDepthAll = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kFreshMarksMax = 512;
constexpr std::size_t kPinsPerPage = 256;
}  // namespace

/// One run, moved forward by whoever pulls the removed blocks.
class Collector::Run final : public Source<BlockInfo> {
 public:
    explicit Run(Collector& owner) : owner_(owner) {}
    ~Run() override {
        if (phase_ == Phase::waiting || phase_ == Phase::over) return;
        end();
    }

    Async<std::optional<BlockInfo>> next() override {
        if (phase_ == Phase::waiting) {
            while (owner_.busy_) {
                ICL_CO_TRY(co_await owner_.idle_.wait());
            }
            begin();
            auto marked = co_await owner_.mark_all();
            if (!marked) {
                end();
                co_return fail(marked.error());
            }
            phase_ = Phase::sweeping;
        }
        while (phase_ == Phase::sweeping) {
            if (at_ < step_.removed.size())
                co_return std::optional<BlockInfo>(std::move(step_.removed[at_++]));
            if (step_.done) {
                owner_.running_ = false;
                auto compacted = co_await owner_.blocks_.compact();
                end();
                ICL_CO_TRY(std::move(compacted));
                break;
            }
            auto swept = sweep();
            if (!swept) {
                end();
                co_return fail(swept.error());
            }
            co_await yield_strand(owner_.world_);
        }
        co_return std::optional<BlockInfo>{};
    }

 private:
    enum class Phase { waiting, marking, sweeping, over };

    void begin() {
        owner_.busy_ = owner_.running_ = true;
        phase_ = Phase::marking;
        before_ = owner_.blocks_.next_sequence();
        // Collecting is what helps when the disk is full.
        (void)owner_.blocks_.check_space();
    }
    Result<> sweep() {
        Collector& owner = owner_;
        const auto before = std::min(before_, owner.leases_.protected_from());
        const KeepBlock keep = [&owner](BytesView multihash) -> Result<bool> {
            ICL_TRY(const auto row, owner.rows_.get(kFamily, row_key(kMarkRows, multihash)));
            return row.has_value();
        };
        ICL_TRY(step_, owner.blocks_.sweep(std::move(step_.last), before, keep, kSweepRows));
        at_ = 0;
        return ok();
    }
    void end() {
        phase_ = Phase::over;
        owner_.busy_ = owner_.running_ = false;
        auto cleared = owner_.clear_marks();
        if (!cleared)
            logger("blockstore")
                ->warn("cannot remove the marks of a collection error=\"{}\"",
                       cleared.error().text);
        owner_.idle_.notify_one();
    }

    Collector& owner_;
    Phase phase_ = Phase::waiting;
    std::uint64_t before_ = 0;
    SweepStep step_;
    std::size_t at_ = 0;
};

Collector::Collector(World& world, BlockStore& blocks, storage::Store& rows, PinTable& pins,
                     LeaseTable& leases, Wanted wanted)
    : world_(world),
      blocks_(blocks),
      rows_(rows),
      pins_(pins),
      leases_(leases),
      wanted_(std::move(wanted)),
      stack_(rows, row_key(kWalkRows, "gc")),
      idle_(world.executor()) {}

SourcePtr<BlockInfo> Collector::run() {
    return std::make_unique<Run>(*this);
}

Async<> Collector::mark_all() {
    ICL_CO_TRY(clear_marks());  // of a run that a crash ended
    ICL_CO_TRY(stack_.clear());
    Cid after;
    while (true) {
        ICL_CO_TRY(auto page, pins_.list(after, kPinsPerPage));
        if (page.empty()) break;
        for (auto& pin : page) {
            ICL_CO_TRY(co_await mark_pin(pin));
        }
        after = page.back().cid;
    }
    const auto wanted = wanted_ ? wanted_() : nullptr;
    while (wanted) {
        ICL_CO_TRY(auto pin, co_await wanted->next());
        if (!pin) break;
        ICL_CO_TRY(co_await mark_pin(std::move(*pin)));
    }
    co_return flush_marks();
}

Async<> Collector::mark_pin(PinRecord pin) {
    const std::uint32_t depth = pin.depth < 0 ? kDepthAll : static_cast<std::uint32_t>(pin.depth);
    ICL_CO_TRY(stack_.push({pin.cid, depth}));
    while (true) {
        ICL_CO_TRY(auto item, stack_.pop());
        if (!item) break;
        if (++met_ % kYieldRows == 0) {
            co_await yield_strand(world_);
            ICL_CO_TRY(co_await rows_.room());
        }
        const auto multihash = item->cid.multihash();
        ICL_CO_TRY(const auto marked, mark_of(multihash));
        if (marked && *marked >= item->depth) continue;
        std::vector<Cid> children;
        if (item->depth > 0) {
            auto found = co_await links(item->cid, !pin.complete);
            if (!found)
                co_return fail(
                    found.error().in("cannot collect garbage, pin " + pin.cid.to_string()));
            children = std::move(found).value();
        }
        // A mark says how far the block was followed, and another CID of it may lead further: one
        // of a codec with links, or of a pin for which the block must be there.
        const std::uint32_t followed = children.empty() ? 0 : item->depth;
        if (!marked || *marked < followed) {
            ICL_CO_TRY(mark(multihash, followed));
        }
        const auto below = item->depth == kDepthAll ? kDepthAll : item->depth - 1;
        for (auto& child : children) {
            ICL_CO_TRY(stack_.push({std::move(child), below}));
        }
    }
    co_return ok();
}

Result<std::optional<std::uint32_t>> Collector::mark_of(BytesView multihash) {
    if (auto it = fresh_.find(multihash); it != fresh_.end()) return it->second;
    ICL_TRY(const auto row, rows_.get(kFamily, row_key(kMarkRows, multihash)));
    if (!row || row->size() != 4) return std::optional<std::uint32_t>{};
    return get_be32(*row);
}

Result<> Collector::mark(BytesView multihash, std::uint32_t depth) {
    fresh_[Bytes(multihash)] = depth;
    if (fresh_.size() < kFreshMarksMax) return ok();
    return flush_marks();
}

Async<std::vector<Cid>> Collector::links(Cid cid, bool may_miss) {
    auto found = co_await read_links(cid, may_miss);
    if (found) co_return found;
    // The walk of a pin cannot follow such a block either, so no complete pin has one.
    if (found.error().kind == Kind::unsupported) co_return std::vector<Cid>{};
    // Nor has one under way anything below it to lose that it would not fetch again.
    if (may_miss && found.error().kind == Kind::corrupt) co_return std::vector<Cid>{};
    co_return fail(found.error().in("block " + cid.to_string()));
}

Async<std::vector<Cid>> Collector::read_links(Cid cid, bool may_miss) {
    if (surely_leaf(cid, {}, 0)) co_return std::vector<Cid>{};
    if (const auto inlined = inlined_data(cid)) co_return dag::child_links(cid, *inlined);
    const Bytes multihash(cid.multihash());
    ICL_CO_TRY(const auto size, blocks_.size(multihash));
    if (size) {
        auto prefix = co_await blocks_.get_prefix(multihash, kLeafPrefixBytes);
        if (prefix && prefix.value() && surely_leaf(cid, *prefix.value(), *size))
            co_return std::vector<Cid>{};
        ICL_CO_TRY(const auto data, co_await blocks_.get(multihash));
        if (data) co_return dag::child_links(cid, *data);
    }
    if (may_miss) co_return std::vector<Cid>{};
    co_return fail(Kind::corrupt, "it is missing");
}

Result<> Collector::flush_marks() {
    if (fresh_.empty()) return ok();
    storage::Batch batch;
    for (const auto& [multihash, depth] : fresh_) {
        Bytes value;
        put_be32(value, depth);
        batch.put(kFamily, row_key(kMarkRows, multihash), std::move(value));
    }
    fresh_.clear();
    return rows_.write(std::move(batch));
}

Result<> Collector::clear_marks() {
    fresh_.clear();
    storage::Batch batch;
    batch.del_range(kFamily, Bytes(1, kMarkRows), Bytes(1, static_cast<char>(kMarkRows + 1)));
    return rows_.write(std::move(batch));
}

}  // namespace ipfscluster::blockstore
