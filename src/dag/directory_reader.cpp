#include "dag/directory_reader.hpp"

#include "dag/murmur3.hpp"

namespace ipfscluster::dag {
namespace {

/// Bits of a name's hash; a shard below that depth cannot be right.
constexpr std::size_t kHashBits = 64;

Error no_entry(const Cid& directory, const std::string& name) {
    return {Kind::not_found, "no link named \"" + name + "\" under " + directory.to_string()};
}

Async<NodeView> read_shard(BlockReader& blocks, Cid cid) {
    ICL_CO_TRY(auto block, co_await blocks.read(cid));
    ICL_CO_TRY(auto node, view_node(cid, std::move(block)));
    if (node.type != NodeView::Type::hamt_directory)
        co_return fail(Kind::corrupt, cid.to_string() + " is not a shard of a directory");
    co_return std::move(node);
}

const PbLink* find_link(const std::vector<PbLink>& links, std::string_view name) {
    for (const auto& link : links)
        if (link.name == name) return &link;
    return nullptr;
}

}  // namespace

Async<std::unique_ptr<DirectoryReader>> DirectoryReader::open(BlockReader& blocks, Cid root) {
    ICL_CO_TRY(auto block, co_await blocks.read(root));
    ICL_CO_TRY(auto node, view_node(root, std::move(block)));
    if (!node.is_directory())
        co_return fail(Kind::invalid, root.to_string() + " is not a directory");
    std::unique_ptr<DirectoryReader> reader(new DirectoryReader(blocks));
    reader->enter(std::move(node), 0);
    co_return std::move(reader);
}

void DirectoryReader::enter(NodeView node, std::size_t bits_used) {
    if (node.type == NodeView::Type::directory) {
        path_.push_back({std::move(node.links), 0, kHashBits, 0});
        return;
    }
    auto& shard = node.shard;
    path_.push_back({std::move(shard.links), shard.prefix_size,
                     bits_used + static_cast<std::size_t>(shard.bits), 0});
}

Async<std::optional<DirectoryEntry>> DirectoryReader::next() {
    while (!path_.empty()) {
        auto& frame = path_.back();
        if (frame.index == frame.links.size()) {
            path_.pop_back();
            continue;
        }
        auto link = std::move(frame.links[frame.index++]);
        const bool is_shard = frame.prefix_size != 0 && link.name.size() == frame.prefix_size;
        if (!is_shard) {
            link.name.erase(0, frame.prefix_size);
            co_return std::optional<DirectoryEntry>(
                DirectoryEntry{std::move(link.name), std::move(link.cid), link.tsize});
        }
        const auto bits_used = frame.bits_used;
        if (bits_used >= kHashBits)
            co_return fail(Kind::corrupt, "the shards of a directory are nested too deeply");
        ICL_CO_TRY(auto node, co_await read_shard(blocks_, link.cid));
        enter(std::move(node), bits_used);
    }
    co_return std::optional<DirectoryEntry>{};
}

Async<Cid> find_entry(BlockReader& blocks, Cid directory, NodeView node, std::string name) {
    if (node.type == NodeView::Type::directory || node.type == NodeView::Type::other) {
        const auto* link = find_link(node.links, name);
        if (link == nullptr) co_return fail(no_entry(directory, name));
        co_return link->cid;
    }
    if (node.type != NodeView::Type::hamt_directory) co_return fail(no_entry(directory, name));

    const auto hash = murmur3_x64_64(name);
    std::size_t bits_used = 0;
    while (true) {
        ICL_CO_TRY(const auto prefix, node.shard.slot_prefix(hash, bits_used));
        const auto* entry = find_link(node.shard.links, prefix + name);
        if (entry != nullptr) co_return entry->cid;
        const auto* shard = find_link(node.shard.links, prefix);
        if (shard == nullptr) co_return fail(no_entry(directory, name));
        bits_used += static_cast<std::size_t>(node.shard.bits);
        const auto cid = shard->cid;
        ICL_CO_TRY(auto below, co_await read_shard(blocks, cid));
        node = std::move(below);
    }
}

}  // namespace ipfscluster::dag
