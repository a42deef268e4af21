#include "ipfs/rpc/codecs.hpp"

#include <algorithm>

namespace ipfscluster::ipfs_rpc {
namespace {

struct Name {
    std::string_view name;
    std::uint64_t code;
};
/// From the multicodec table: what blocks of IPFS are commonly made of.
constexpr Name kNames[] = {{"raw", 0x55},       {"dag-pb", 0x70},   {"dag-cbor", 0x71},
                           {"dag-json", 0x129}, {"cbor", 0x51},     {"json", 0x200},
                           {"git-raw", 0x78},   {"dag-jose", 0x85}, {"libp2p-key", 0x72}};

}  // namespace

Result<std::uint64_t> codec_code(std::string_view name) {
    const auto* found = std::find_if(std::begin(kNames), std::end(kNames),
                                     [&](const Name& known) { return known.name == name; });
    if (found != std::end(kNames)) return found->code;
    return fail(Kind::invalid, "unknown multicodec: \"" + std::string(name) + "\"");
}

Result<> check_block_size(const Call& call, std::size_t bytes) {
    if (bytes <= kSoftBlockBytesMax || call.flag("allow-big-block")) return ok();
    return fail(Kind::invalid,
                "produced block is over 2MiB: big blocks can't be exchanged with other peers. "
                "Consider using UnixFS for automatic chunking of bigger files, or pass "
                "--allow-big-block to override");
}

Async<> store_block(Call& call, Cid cid, Bytes data, bool pin) {
    auto& node = call.node();
    ICL_CO_TRY(const auto session, co_await node.open_session());
    ICL_CO_TRY(co_await session->put_verified(cid, std::move(data)));
    const bool kept = call.exchange().request.headers.has(component::kKeepForPinField);
    if (!pin && !kept) co_return co_await session->commit_unleased();
    ICL_CO_TRY(co_await session->commit());
    if (!pin) co_return ok();
    Pin wanted;
    wanted.cid = cid;
    component::ProgressHandler none;
    co_return co_await node.pin_or_undo(std::move(wanted), std::move(none));
}

}  // namespace ipfscluster::ipfs_rpc
