#include "ipfs/rpc/codecs.hpp"
#include "ipfs/rpc/handlers.hpp"
#include "ipfs/rpc/path.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

std::string block_row(const std::string& key, std::size_t size) {
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("Key", key);
        o.put("Size", size);
    }
    return row;
}

/// How `block put` names its blocks.
struct Naming {
    std::uint64_t codec = static_cast<std::uint64_t>(Codec::raw);
    bool v0 = false;
    HashCode hash = HashCode::sha2_256;
};

Result<Naming> naming_of(const Call& call) {
    Naming naming;
    const auto hash = call.text("mhtype");
    if (!hash.empty()) {
        auto code = parse_hash_name(hash);
        if (!code)
            return fail(Kind::invalid, "unrecognized multihash function: " + std::string(hash));
        naming.hash = code.value();
    }
    std::string_view codec = call.text("cid-codec");
    const auto format = call.text("format");
    if (!format.empty()) {
        if (!codec.empty() && codec != "raw")
            return fail(Kind::invalid,
                        "unable to use \"format\" (deprecated) and a custom \"cid-codec\" at the "
                        "same time");
        naming.v0 = format == "v0";
        codec = naming.v0 || format == "protobuf" ? "dag-pb"
                : format == "cbor"                ? "dag-cbor"
                                                  : format;
        if (naming.v0 && naming.hash != HashCode::sha2_256)
            return fail(Kind::invalid, "only sha2-256 is allowed with format=v0");
    }
    if (!codec.empty()) {
        ICL_TRY(naming.codec, codec_code(codec));
    }
    return naming;
}

}  // namespace

Async<> block_get(Call& call) {
    ICL_CO_TRY(auto cid, co_await resolve_to_block(call.blocks(), call.arguments()[0]));
    ICL_CO_TRY(auto block, co_await call.blocks().read(std::move(cid)));
    ICL_CO_TRY(co_await call.begin_bytes("application/vnd.ipld.raw", std::nullopt));
    co_return co_await call.write(std::move(block));
}

Async<> block_stat(Call& call) {
    ICL_CO_TRY(const auto cid, co_await resolve_to_block(call.blocks(), call.arguments()[0]));
    ICL_CO_TRY(const auto block, co_await call.blocks().read(cid));
    co_return co_await call.emit_once(block_row(call.cid(cid), block.size()));
}

Async<> block_put(Call& call) {
    ICL_CO_TRY(const auto naming, naming_of(call));
    const auto natural = multihash_digest(naming.hash, {});
    if (!natural) co_return fail(natural.error());
    if (call.number("mhlen") >= 0) {
        ICL_CO_TRY(const auto parts, parse_multihash(natural.value()));
        if (static_cast<std::size_t>(call.number("mhlen")) != parts.digest.size())
            co_return fail(Kind::unsupported, "this node does not shorten digests (mhlen)");
    }
    std::size_t files = 0;
    while (true) {
        ICL_CO_TRY(const bool more, co_await call.next_file());
        if (!more) break;
        ++files;
        ICL_CO_TRY(auto data, co_await call.read_whole_file(dag::kBlockBytesMax));
        ICL_CO_TRY(check_block_size(call, data.size()));
        ICL_CO_TRY(const auto hash, multihash_digest(naming.hash, data));
        const Cid cid = naming.v0 ? Cid::v0(hash) : Cid::v1(naming.codec, hash);
        const auto size = data.size();
        ICL_CO_TRY(co_await store_block(call, cid, std::move(data), call.flag("pin")));
        ICL_CO_TRY(co_await call.emit(block_row(call.cid(cid), size)));
    }
    if (files == 0) co_return fail(Kind::invalid, "expected a file");
    co_return ok();
}

Async<> block_rm(Call& call) {
    for (const auto& argument : call.arguments()) {
        ICL_CO_TRY(const auto cid, co_await resolve_to_block(call.blocks(), argument));
        auto removed = co_await call.node().remove_block(cid);
        if (!removed && removed.error().kind == Kind::not_found && call.flag("force"))
            removed = ok();
        if (!removed && removed.error().kind == Kind::cancelled) co_return removed;
        if (removed && call.flag("quiet")) continue;
        std::string row;
        {
            codec::JsonObject o(row);
            o.put("Hash", call.cid(cid));
            if (!removed) o.put("Error", removed.error().text);
        }
        ICL_CO_TRY(co_await call.emit(std::move(row)));
    }
    co_return ok();
}

}  // namespace ipfscluster::ipfs_rpc
