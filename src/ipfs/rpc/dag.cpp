#include <charconv>

#include "dag/dag_walk.hpp"
#include "dag/ipld.hpp"
#include "ipfs/rpc/codecs.hpp"
#include "ipfs/rpc/handlers.hpp"
#include "ipfs/rpc/path.hpp"
#include "ipfs/rpc/seen_blocks.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

/// `dag stat` says how far it is after this many blocks.
constexpr std::uint64_t kStatProgressBlocks = 1000;

std::string cid_object(const Cid& cid) {
    return "{\"/\":\"" + cid.to_string() + "\"}";
}

}  // namespace

Async<> dag_get(Call& call) {
    ICL_CO_TRY(const auto codec, codec_code(call.text("output-codec")));
    ICL_CO_TRY(auto path, parse_content_path(call.arguments()[0]));
    auto& blocks = call.blocks();
    ICL_CO_TRY(const auto target, co_await resolve_path(blocks, std::move(path)));
    ICL_CO_TRY(const auto block, co_await blocks.read(target.cid));
    ICL_CO_TRY(const auto node, dag::decode_ipld(target.cid.codec(), block));
    const dag::IpldNode* value = &node;
    for (const auto& name : target.rest) {
        value = value->find(name);
        if (value == nullptr) co_return fail(Kind::not_found, "key not found: \"" + name + "\"");
    }
    ICL_CO_TRY(auto encoded, dag::encode_ipld(codec, *value));
    ICL_CO_TRY(co_await call.begin_bytes("text/plain", std::nullopt));
    co_return co_await call.write(std::move(encoded));
}

Async<> dag_resolve(Call& call) {
    ICL_CO_TRY(auto path, parse_content_path(call.arguments()[0]));
    ICL_CO_TRY(const auto target, co_await resolve_path(call.blocks(), std::move(path)));
    std::string rest;
    for (const auto& name : target.rest) rest += (rest.empty() ? "" : "/") + name;
    std::string row = "{\"Cid\":" + cid_object(target.cid) + ",\"RemPath\":";
    codec::append_json(row, rest);
    co_return co_await call.emit_once(row + "}");
}

Async<> dag_put(Call& call) {
    ICL_CO_TRY(const auto input, codec_code(call.text("input-codec")));
    ICL_CO_TRY(const auto store, codec_code(call.text("store-codec")));
    auto hash = HashCode::sha2_256;
    if (!call.text("hash").empty()) {
        ICL_CO_TRY(hash, parse_hash_name(call.text("hash")));
    }
    std::size_t files = 0;
    while (true) {
        ICL_CO_TRY(const bool more, co_await call.next_file());
        if (!more) break;
        ++files;
        ICL_CO_TRY(const auto bytes, co_await call.read_whole_file(dag::kBlockBytesMax));
        ICL_CO_TRY(const auto node, dag::decode_ipld(input, bytes));
        ICL_CO_TRY(auto block, dag::encode_ipld(store, node));
        ICL_CO_TRY(check_block_size(call, block.size()));
        if (block.size() > dag::kBlockBytesMax)
            co_return fail(Kind::invalid, "the block is too large");
        ICL_CO_TRY(const auto digest, multihash_digest(hash, block));
        const auto cid = Cid::v1(store, digest);
        ICL_CO_TRY(co_await store_block(call, cid, std::move(block), call.flag("pin")));
        ICL_CO_TRY(co_await call.emit("{\"Cid\":" + cid_object(cid) + "}"));
    }
    if (files == 0) co_return fail(Kind::invalid, "expected a regular file");
    co_return ok();
}

namespace {

struct RootStat {
    std::string cid;
    std::uint64_t bytes = 0, blocks = 0;
};

class DagStat {
 public:
    explicit DagStat(Call& call) : call_(call) {}

    Async<> root(Cid cid, bool several) {
        stats_.push_back({call_.cid(cid)});
        SeenBlocks seen;
        dag::DagWalk walk(std::move(cid));
        while (auto step = walk.next()) {
            const bool fresh = seen.add(step->cid);
            if (!fresh) {
                walk.skip(*step);
                continue;
            }
            ICL_CO_TRY(const auto block, co_await call_.blocks().read(step->cid));
            ICL_CO_TRY(walk.arrived(*step, block));
            auto& stat = stats_.back();
            stat.bytes += block.size();
            ++stat.blocks;
            redundant_ += block.size();
            if (!several || all_.add(step->cid)) {
                total_ += block.size();
                ++unique_;
            }
            if (seen.full() || all_.full())
                co_return fail(Kind::unsupported, "the DAG has more than " +
                                                      std::to_string(kSeenBlocksMax) +
                                                      " blocks, too many to tell apart");
            if (progress() && stat.blocks % kStatProgressBlocks == 0) {
                ICL_CO_TRY(co_await call_.emit(row(false)));
            }
        }
        co_return ok();
    }

    std::string row(bool last) const {
        std::string out;
        {
            codec::JsonObject o(out);
            if (last && unique_ > 0) o.put("UniqueBlocks", unique_);
            if (total_ > 0) o.put("TotalSize", total_);
            if (last && redundant_ > total_) o.put("SharedSize", redundant_ - total_);
            if (last && total_ > 0) o.key("Ratio") += ratio();
            o.key("DagStats") += '[';
            for (std::size_t i = 0; i < stats_.size(); ++i) {
                if (i > 0) out += ',';
                codec::JsonObject stat(out);
                stat.put("Cid", stats_[i].cid);
                if (stats_[i].bytes > 0) stat.put("Size", stats_[i].bytes);
                if (stats_[i].blocks > 0) stat.put("NumBlocks", stats_[i].blocks);
            }
            out += ']';
        }
        return out;
    }

 private:
    bool progress() const { return !call_.has("progress") || call_.flag("progress"); }
    /// As Go prints a float32.
    std::string ratio() const {
        char text[64];
        const auto value = static_cast<float>(redundant_) / static_cast<float>(total_);
        const auto end =
            std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
        return std::string(text, end);
    }

    Call& call_;
    SeenBlocks all_;
    std::vector<RootStat> stats_;
    std::uint64_t unique_ = 0, total_ = 0, redundant_ = 0;
};

}  // namespace

Async<> dag_stat(Call& call) {
    DagStat stat(call);
    for (const auto& argument : call.arguments()) {
        ICL_CO_TRY(auto path, parse_content_path(argument));
        ICL_CO_TRY(auto target, co_await resolve_path(call.blocks(), std::move(path)));
        if (!target.rest.empty())
            co_return fail(Kind::invalid,
                           "cannot return size for anything other than a DAG with a root CID");
        auto done = co_await stat.root(std::move(target.cid), call.arguments().size() > 1);
        if (!done) co_return fail(done.error().in("error traversing DAG"));
    }
    co_return co_await call.emit(stat.row(true));
}

}  // namespace ipfscluster::ipfs_rpc
