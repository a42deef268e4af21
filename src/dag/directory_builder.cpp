#include "dag/directory_builder.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "dag/dag_pb.hpp"
#include "dag/unixfs.hpp"

namespace ipfscluster::dag {
namespace {

Result<DagNodeInfo> write_node(const std::vector<PbLink>& links, const UnixfsData& message,
                               const CidBuilder& cids, const BlockSink& sink) {
    auto data = encode_dag_pb(links, encode_unixfs(message));
    DagNodeInfo node;
    node.tsize = data.size();
    for (const auto& link : links) node.tsize += link.tsize;
    ICL_TRY(auto cid, cids.make(Codec::dag_pb, data));
    node.cid = cid;
    ICL_TRY(sink(Block{std::move(cid), std::move(data)}));
    return node;
}

Result<> check_name(std::string_view name) {
    const auto bad = [&](const char* why) {
        return fail(Kind::invalid,
                    "entry name \"" + std::string(name.substr(0, 100)) + "\" " + why);
    };
    if (name.empty() || name == "." || name == "..") return bad("cannot stand in a directory");
    if (name.size() > kEntryNameBytesMax) return bad("is too long");
    if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
        return bad("holds a '/' or a NUL");
    return ok();
}

}  // namespace

Result<> DirectoryBuilder::add(std::string_view name, const Cid& cid, std::uint64_t tsize) {
    ICL_TRY(check_name(name));
    if (items_.size() == kDirectoryEntriesMax)
        return fail(Kind::invalid, "a directory has more than " +
                                       std::to_string(kDirectoryEntriesMax) + " entries");
    ICL_ASSERT(cid.defined() && cid.bytes().size() <= UINT16_MAX, "an entry has a CID");
    items_.push_back({arena_.size(), tsize, static_cast<std::uint16_t>(name.size()),
                      static_cast<std::uint16_t>(cid.bytes().size())});
    arena_ += name;
    arena_ += cid.bytes();
    estimated_bytes_ += name.size() + cid.bytes().size();
    return ok();
}

DirectoryEntryView DirectoryBuilder::view(const Item& item) const {
    const BytesView all = arena_;
    return {all.substr(item.at, item.name_size),
            all.substr(item.at + item.name_size, item.cid_size), item.tsize};
}

Result<DagNodeInfo> DirectoryBuilder::finish(const CidBuilder& cids, const BlockSink& sink) {
    std::vector<DirectoryEntryView> entries;
    entries.reserve(items_.size());
    for (const auto& item : items_) entries.push_back(view(item));
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(entries.begin(), entries.end(),
                           [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != entries.end())
        return fail(Kind::invalid,
                    "two entries of one directory are named \"" + std::string(twice->name) + "\"");

    auto result = [&]() -> Result<DagNodeInfo> {
        if (estimated_bytes_ > kBasicDirectoryBytesMax) return build_hamt(entries, cids, sink);
        std::vector<PbLink> links;
        links.reserve(entries.size());
        for (const auto& entry : entries) {
            ICL_TRY(auto cid, Cid::from_bytes(entry.cid));
            links.push_back({std::move(cid), std::string(entry.name), entry.tsize});
        }
        UnixfsData message;
        message.type = UnixfsType::directory;
        return write_node(links, message, cids, sink);
    }();
    *this = DirectoryBuilder();
    return result;
}

Result<DagNodeInfo> build_symlink(BytesView target, const CidBuilder& cids, const BlockSink& sink) {
    if (target.size() > kEntryNameBytesMax)
        return fail(Kind::invalid, "the target of a symbolic link is longer than " +
                                       std::to_string(kEntryNameBytesMax) + " bytes");
    UnixfsData message;
    message.type = UnixfsType::symlink;
    message.data.emplace(target);
    ICL_TRY(auto node, write_node({}, message, cids, sink));
    node.file_size = target.size();
    return node;
}

}  // namespace ipfscluster::dag
