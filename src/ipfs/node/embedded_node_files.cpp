// The reading half of EmbeddedNode: blocks, paths, files and directories.
#include "blockstore/leaf.hpp"
#include "dag/directory_reader.hpp"
#include "dag/file_reader.hpp"
#include "dag/node_view.hpp"
#include "dag/path_resolver.hpp"
#include "dag/unixfs.hpp"
#include "ipfs/node/embedded_node.hpp"

namespace ipfscluster::node {
namespace {

using EntryType = component::DirectoryEntry::Type;

/// Keeps the reader of its blocks alive.
class CatSource final : public Source<Bytes> {
 public:
    CatSource(std::shared_ptr<NodeBlocks> blocks, std::unique_ptr<dag::FileReader> file)
        : blocks_(std::move(blocks)), file_(std::move(file)) {}
    Async<std::optional<Bytes>> next() override { co_return co_await file_->next(); }

 private:
    std::shared_ptr<NodeBlocks> blocks_;
    std::unique_ptr<dag::FileReader> file_;
};

EntryType type_of(const dag::NodeView& view) {
    if (view.is_directory()) return EntryType::directory;
    if (view.type == dag::NodeView::Type::file) return EntryType::file;
    if (view.type == dag::NodeView::Type::symlink) return EntryType::symlink;
    return EntryType::unknown;
}

class LsSource final : public Source<component::DirectoryEntry> {
 public:
    LsSource(std::shared_ptr<NodeBlocks> blocks, std::unique_ptr<dag::DirectoryReader> directory,
             blockstore::BlockStore& store)
        : blocks_(std::move(blocks)), directory_(std::move(directory)), store_(store) {}

    Async<std::optional<component::DirectoryEntry>> next() override {
        ICL_CO_TRY(auto entry, co_await directory_->next());
        if (!entry) co_return std::optional<component::DirectoryEntry>{};
        component::DirectoryEntry out{std::move(entry->name), entry->cid, entry->tsize};
        ICL_CO_TRY(out.type, co_await look(std::move(entry->cid)));
        co_return std::optional<component::DirectoryEntry>(std::move(out));
    }

 private:
    /// Fetches what is missing: a listing that says "unknown" would make its reader ask again.
    Async<EntryType> look(Cid cid) {
        if (cid.codec() == static_cast<std::uint64_t>(Codec::raw)) co_return EntryType::file;
        const Bytes multihash(cid.multihash());
        ICL_CO_TRY(const auto size, store_.size(multihash));
        if (size) {
            auto prefix = co_await store_.get_prefix(multihash, blockstore::kLeafPrefixBytes);
            // 0a LENGTH 08 TYPE: a leaf of a file says so in its first bytes.
            if (prefix && prefix.value() && blockstore::surely_leaf(cid, *prefix.value(), *size)) {
                const auto& bytes = *prefix.value();
                std::size_t at = 1;
                while (at < bytes.size() && (bytes[at] & 0x80) != 0) ++at;
                const bool file_tag = at + 2 < bytes.size() && bytes[at + 1] == 0x08;
                if (file_tag &&
                    static_cast<dag::UnixfsType>(bytes[at + 2]) == dag::UnixfsType::file)
                    co_return EntryType::file;
            }
        }
        ICL_CO_TRY(auto data, co_await blocks_->read(cid));
        const auto view = dag::view_node(cid, std::move(data));
        if (!view) co_return EntryType::unknown;
        co_return type_of(view.value());
    }

    std::shared_ptr<NodeBlocks> blocks_;
    std::unique_ptr<dag::DirectoryReader> directory_;
    blockstore::BlockStore& store_;
};

}  // namespace

Async<Bytes> EmbeddedNode::block_get(Cid cid) {
    const auto blocks = reader();
    co_return co_await blocks->read(std::move(cid));
}

Async<Cid> EmbeddedNode::resolve(std::string path) {
    ICL_CO_TRY(auto parsed, dag::parse_ipfs_path(path));
    if (parsed.segments.empty()) co_return parsed.root;
    const auto blocks = reader();
    ICL_CO_TRY(auto found, co_await dag::resolve_path(*blocks, std::move(parsed)));
    co_return std::move(found.cid);
}

Async<component::FileInfo> EmbeddedNode::stat(std::string path) {
    ICL_CO_TRY(auto parsed, dag::parse_ipfs_path(path));
    const auto blocks = reader();
    ICL_CO_TRY(auto found, co_await dag::resolve_path(*blocks, std::move(parsed)));
    if (found.node.type == dag::NodeView::Type::other)
        co_return fail(Kind::invalid, path + " is neither a file nor a directory");
    co_return component::FileInfo{found.cid, found.node.is_directory(), found.node.file_size};
}

Async<SourcePtr<Bytes>> EmbeddedNode::cat(Cid file, std::uint64_t offset, std::uint64_t length) {
    auto blocks = reader();
    dag::ByteRange range{offset, length};
    ICL_CO_TRY(auto opened, co_await dag::FileReader::open(*blocks, std::move(file), range));
    co_return SourcePtr<Bytes>(std::make_unique<CatSource>(std::move(blocks), std::move(opened)));
}

Async<SourcePtr<component::DirectoryEntry>> EmbeddedNode::ls(Cid directory) {
    auto blocks = reader();
    ICL_CO_TRY(auto opened, co_await dag::DirectoryReader::open(*blocks, std::move(directory)));
    co_return SourcePtr<component::DirectoryEntry>(
        std::make_unique<LsSource>(std::move(blocks), std::move(opened), config_.blocks));
}

Async<std::string> EmbeddedNode::read_link(Cid cid) {
    const auto blocks = reader();
    ICL_CO_TRY(auto data, co_await blocks->read(cid));
    ICL_CO_TRY(auto view, dag::view_node(cid, std::move(data)));
    if (view.type != dag::NodeView::Type::symlink)
        co_return fail(Kind::invalid, cid.to_string() + " is not a symbolic link");
    co_return std::move(view.data);
}

}  // namespace ipfscluster::node
