#include <algorithm>

#include "dag/directory_reader.hpp"
#include "ipfs/rpc/handlers.hpp"
#include "ipfs/rpc/path.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

using NodeType = dag::NodeView::Type;

/// Entries of a HAMT directory that are sorted by name before they go out; larger ones come in
/// their own order.
constexpr std::size_t kSortedEntriesMax = 100'000;

/// Numbers of the UnixFS format, as `ls` has them.
enum class LinkType { none = 0, directory = 1, file = 2, symlink = 4 };

struct LinkInfo {
    LinkType type = LinkType::none;
    std::uint64_t size = 0;
    std::string target;
};

Async<LinkInfo> look_at(Call& call, const dag::DirectoryEntry& entry) {
    LinkInfo info;
    const auto codec = static_cast<Codec>(entry.cid.codec());
    if (codec == Codec::raw) {
        info.type = LinkType::file;
        info.size = entry.tsize;
        co_return info;
    }
    const bool resolve = call.flag("resolve-type") || call.flag("size");
    if (codec != Codec::dag_pb || !resolve) co_return info;
    ICL_CO_TRY(auto block, co_await call.blocks().read(entry.cid));
    ICL_CO_TRY(auto view, dag::view_node(entry.cid, std::move(block)));
    info.size = view.file_size;
    if (view.is_directory()) info.type = LinkType::directory;
    if (view.type == NodeType::file) info.type = LinkType::file;
    if (view.type == NodeType::symlink) {
        info.type = LinkType::symlink;
        info.target = std::move(view.data);
    }
    co_return info;
}

Async<std::string> link_row(Call& call, dag::DirectoryEntry entry) {
    ICL_CO_TRY(const auto info, co_await look_at(call, entry));
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("Name", entry.name);
        o.put("Hash", call.cid(entry.cid));
        o.put("Size", info.size);
        o.put("Type", static_cast<int>(info.type));
        o.put("Target", info.target);
        o.put("Mode", 0);
        o.put("ModTime", "0001-01-01T00:00:00Z");
    }
    co_return row;
}

/// The entries of a HAMT by name, if they are few enough; then the rest as it comes.
class SortedEntries final : public Source<dag::DirectoryEntry> {
 public:
    explicit SortedEntries(SourcePtr<dag::DirectoryEntry> from) : from_(std::move(from)) {}
    Async<std::optional<dag::DirectoryEntry>> next() override {
        if (!filled_) {
            ICL_CO_TRY(co_await fill());
        }
        if (at_ < held_.size())
            co_return std::optional<dag::DirectoryEntry>(std::move(held_[at_++]));
        co_return co_await from_->next();
    }

 private:
    Async<> fill() {
        filled_ = true;
        while (held_.size() < kSortedEntriesMax) {
            ICL_CO_TRY(auto entry, co_await from_->next());
            if (!entry) break;
            held_.push_back(std::move(*entry));
        }
        if (held_.size() < kSortedEntriesMax)
            std::sort(held_.begin(), held_.end(),
                      [](const auto& a, const auto& b) { return a.name < b.name; });
        co_return ok();
    }
    SourcePtr<dag::DirectoryEntry> from_;
    std::vector<dag::DirectoryEntry> held_;
    std::size_t at_ = 0;
    bool filled_ = false;
};

Async<SourcePtr<dag::DirectoryEntry>> open_entries(Call& call, std::string argument, bool sorted) {
    auto& blocks = call.blocks();
    ICL_CO_TRY(auto cid, co_await resolve_to_block(blocks, std::move(argument)));
    ICL_CO_TRY(auto block, co_await blocks.read(cid));
    ICL_CO_TRY(auto view, dag::view_node(cid, std::move(block)));
    if (view.is_directory()) {
        ICL_CO_TRY(auto opened, co_await dag::DirectoryReader::open(blocks, cid));
        SourcePtr<dag::DirectoryEntry> entries = std::move(opened);
        if (sorted && view.type == NodeType::hamt_directory)
            entries = std::make_unique<SortedEntries>(std::move(entries));
        co_return entries;
    }
    // Not a directory: its links, as they are.
    std::vector<dag::DirectoryEntry> links;
    for (auto& link : view.links) links.push_back({std::move(link.name), link.cid, link.tsize});
    co_return SourcePtr<dag::DirectoryEntry>(
        std::make_unique<VectorSource<dag::DirectoryEntry>>(std::move(links)));
}

std::string object_head(const std::string& path) {
    std::string head = "{\"Hash\":";
    codec::append_json(head, path);
    return head + ",\"Links\":[";
}

Async<> stream_rows(Call& call, const std::string& path, SourcePtr<dag::DirectoryEntry> entries) {
    while (true) {
        ICL_CO_TRY(auto entry, co_await entries->next());
        if (!entry) co_return ok();
        ICL_CO_TRY(auto row, co_await link_row(call, std::move(*entry)));
        ICL_CO_TRY(co_await call.emit("{\"Objects\":[" + object_head(path) + row + "]}]}"));
    }
}

}  // namespace

Async<> ls(Call& call) {
    const bool stream = call.flag("stream");
    // One document, begun with its first row, so that an early failure is a clean error.
    bool first_object = true;
    for (const auto& path : call.arguments()) {
        ICL_CO_TRY(auto entries, co_await open_entries(call, path, !stream));
        if (stream) {
            ICL_CO_TRY(co_await stream_rows(call, path, std::move(entries)));
            continue;
        }
        std::string pending = first_object ? "{\"Objects\":[" : "]},";
        pending += object_head(path);
        for (bool first = true;; first = false) {
            ICL_CO_TRY(auto entry, co_await entries->next());
            std::string row;
            if (entry) {
                ICL_CO_TRY(row, co_await link_row(call, std::move(*entry)));
            }
            if (!call.exchange().started()) {
                ICL_CO_TRY(co_await call.begin_document());
            }
            if (!first && entry) pending += ',';
            pending += row;
            ICL_CO_TRY(co_await call.write(std::move(pending)));
            pending.clear();
            if (!entry) break;
        }
        first_object = false;
    }
    if (stream) co_return ok();
    co_return co_await call.write("]}]}\n");
}

}  // namespace ipfscluster::ipfs_rpc
