#include "dag/node_view.hpp"

#include "dag/unixfs.hpp"

namespace ipfscluster::dag {
namespace {

Result<> check_file(const UnixfsData& message, NodeView& view) {
    if (message.block_sizes.size() != view.links.size())
        return fail(Kind::corrupt, "UnixFS file: as many block sizes as links expected");
    std::uint64_t total = view.data.size();
    for (const auto size : message.block_sizes)
        if (__builtin_add_overflow(total, size, &total))
            return fail(Kind::corrupt, "UnixFS file: block sizes overflow");
    if (message.file_size.value_or(total) != total)
        return fail(Kind::corrupt, "UnixFS file: the file size is not the sum of its parts");
    view.file_size = total;
    return ok();
}

Result<NodeView> view_unixfs(PbNode node, UnixfsData message) {
    NodeView view;
    if (message.data) view.data = std::move(*message.data);
    switch (message.type) {
        case UnixfsType::raw:
        case UnixfsType::file: {
            view.type = NodeView::Type::file;
            view.links = std::move(node.links);
            ICL_TRY(check_file(message, view));
            view.block_sizes = std::move(message.block_sizes);
            break;
        }
        case UnixfsType::directory:
            view.type = NodeView::Type::directory;
            view.links = std::move(node.links);
            break;
        case UnixfsType::hamt_shard: {
            view.type = NodeView::Type::hamt_directory;
            ICL_TRY(auto shard, to_hamt_shard(std::move(node), message));
            view.shard = std::move(shard);
            view.data.clear();
            break;
        }
        case UnixfsType::symlink:
            view.type = NodeView::Type::symlink;
            view.file_size = view.data.size();
            break;
        case UnixfsType::metadata:
            view.links = std::move(node.links);
            break;
    }
    return view;
}

}  // namespace

Result<NodeView> view_node(const Cid& cid, Bytes block) {
    NodeView view;
    if (cid.codec() == static_cast<std::uint64_t>(Codec::raw)) {
        view.type = NodeView::Type::file;
        view.file_size = block.size();
        view.data = std::move(block);
        return view;
    }
    if (cid.codec() != static_cast<std::uint64_t>(Codec::dag_pb)) return view;
    auto node = decode_dag_pb(block);
    if (!node) return fail(node.error().in(cid.to_string()));
    auto message = node.value().data ? decode_unixfs(*node.value().data)
                                     : Result<UnixfsData>(fail(Kind::corrupt, "no UnixFS data"));
    if (!message) {
        // Plain dag-pb: readable by link names only.
        view.links = std::move(node).value().links;
        return view;
    }
    auto unixfs = view_unixfs(std::move(node).value(), std::move(message).value());
    if (!unixfs) return fail(unixfs.error().in(cid.to_string()));
    return unixfs;
}

std::uint64_t cumulative_size(const NodeView& node, std::size_t block_size) {
    std::uint64_t total = block_size;
    const auto& links = node.type == NodeView::Type::hamt_directory ? node.shard.links : node.links;
    for (const auto& link : links) total += link.tsize;
    return total;
}

}  // namespace ipfscluster::dag
