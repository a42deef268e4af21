#include "ipfs/node/node_blocks.hpp"

#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"
#include "blockstore/leaf.hpp"
#include "ipfs/node/hash_check.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::node {

std::string where_looked(const NodeOptions& options, const bitswap::FetchSession* session) {
    std::string text = "looked in this peer's block store";
    if (session != nullptr) text += " and " + session->where();
    if (!options.public_network) text += "; the public network is off";
    return text;
}

Async<Bytes> NodeBlocks::read(Cid cid) {
    // A caller that reads what is held, block after block, feels it nowhere else.
    ICL_CO_TRY(co_await check_cancelled());
    if (auto inlined = blockstore::inlined_data(cid)) co_return std::move(*inlined);
    while (true) {
        const auto it = coming_.find(cid);
        if (it == coming_.end()) break;
        const auto signal = it->second;
        ICL_CO_TRY(co_await signal->wait());
    }
    const Bytes multihash(cid.multihash());
    auto held = co_await parts_.blocks.get(multihash);
    if (held && held.value()) co_return std::move(*held.value());
    if (!held) {
        if (held.error().kind != Kind::corrupt) co_return fail(held.error());
        logger("ipfsnode")
            ->error("a stored block is damaged, it is fetched anew cid={} error=\"{}\"",
                    cid.to_string(), held.error().text);
        ICL_CO_TRY(parts_.blocks.forget(multihash));
    }
    co_return co_await fetch(std::move(cid));
}

Async<Bytes> NodeBlocks::fetch(Cid cid) {
    ICL_CO_TRY(check_hash(cid));
    if (parts_.fetcher == nullptr)
        co_return fail(Kind::not_found, "block " + cid.to_string() + " was not found: " +
                                            where_looked(parts_.options, nullptr));
    if (!session_) session_ = parts_.fetcher->session();
    auto data = co_await session_->fetch(cid, parts_.options.request_timeout);
    if (!data) {
        if (data.error().kind != Kind::timeout) co_return fail(data.error());
        co_return fail(Kind::not_found, "block " + cid.to_string() + " was not found within " +
                                            format_go_duration(parts_.options.request_timeout) +
                                            ": " + where_looked(parts_.options, session_.get()));
    }
    std::vector<dag::Block> blocks;
    blocks.push_back({cid, data.value()});
    auto stored = co_await parts_.blocks.put(std::move(blocks));
    if (!stored && stored.error().kind != Kind::disk_full) co_return fail(stored.error());
    if (stored) parts_.fetcher->announce(cid);
    co_return std::move(data).value();
}

void NodeBlocks::prefetch(const std::vector<Cid>& soon) {
    if (parts_.fetcher == nullptr) return;
    for (const auto& cid : soon) {
        if (coming_.size() >= kPrefetchMax) return;
        if (coming_.contains(cid) || blockstore::inlined_data(cid)) continue;
        const auto held = parts_.blocks.has(cid.multihash());
        if (!held || held.value()) continue;
        coming_[cid] = std::make_shared<Signal>(parts_.world.executor());
        if (!tasks_.spawn(fetch_ahead(shared_from_this(), cid))) coming_.erase(cid);
    }
}

asio::awaitable<void> NodeBlocks::fetch_ahead(std::shared_ptr<NodeBlocks> self, Cid cid) {
    co_await asio::this_coro::throw_if_cancelled(false);
    // A failure shows again when the block is really read.
    if (self.use_count() > 1) (void)co_await self->fetch(cid);
    const auto it = self->coming_.find(cid);
    const auto signal = it->second;
    self->coming_.erase(it);
    signal->notify_all();
}

}  // namespace ipfscluster::node
