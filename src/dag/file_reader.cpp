#include "dag/file_reader.hpp"

#include <algorithm>

namespace ipfscluster::dag {

Async<std::unique_ptr<FileReader>> FileReader::open(BlockReader& blocks, Cid root,
                                                    ByteRange range) {
    ICL_CO_TRY(auto block, co_await blocks.read(root));
    ICL_CO_TRY(auto node, view_node(root, std::move(block)));
    if (node.type != NodeView::Type::file)
        co_return fail(Kind::invalid, root.to_string() + " is not a file");
    const auto size = node.file_size;
    if (range.offset > size)
        co_return fail(Kind::invalid, "offset " + std::to_string(range.offset) +
                                          " is beyond the end of the file (" +
                                          std::to_string(size) + " bytes)");
    const auto length = std::min(range.length.value_or(size), size - range.offset);
    std::unique_ptr<FileReader> reader(
        new FileReader(blocks, size, range.offset, range.offset + length));
    reader->enter(std::move(node), 0);
    co_return std::move(reader);
}

void FileReader::enter(NodeView node, std::uint64_t at) {
    const auto inline_end = at + node.data.size();
    const auto from = std::max(at, begin_);
    const auto to = std::min(inline_end, end_);
    if (from < to) {
        if (from == at && to == inline_end)
            piece_ = std::move(node.data);
        else
            piece_ = node.data.substr(from - at, to - from);
    }
    if (node.links.empty()) return;
    path_.push_back({std::move(node.links), std::move(node.block_sizes), 0, 0, inline_end});
}

std::optional<FileReader::Child> FileReader::advance() {
    while (!path_.empty()) {
        auto& frame = path_.back();
        if (frame.index == frame.links.size() || frame.at >= end_) {
            path_.pop_back();
            continue;
        }
        const auto index = frame.index++;
        const auto at = frame.at;
        const auto size = frame.sizes[index];
        frame.at += size;
        if (size == 0 || frame.at <= begin_) continue;
        hint(frame);
        return Child{frame.links[index].cid, at, size};
    }
    return std::nullopt;
}

/// Names the children after the current one that the range still needs, half a window at a time.
void FileReader::hint(Frame& frame) {
    if (frame.hinted >= frame.index + kReadAheadBlocks / 2) return;
    std::vector<Cid> soon;
    auto at = frame.at;
    const auto stop = std::min(frame.links.size(), frame.index + kReadAheadBlocks);
    for (auto i = frame.index; i < stop && at < end_; at += frame.sizes[i], ++i)
        if (i >= frame.hinted) soon.push_back(frame.links[i].cid);
    frame.hinted = stop;
    if (!soon.empty()) blocks_.prefetch(soon);
}

Async<std::optional<Bytes>> FileReader::next() {
    while (piece_.empty()) {
        const auto child = advance();
        if (!child) co_return std::optional<Bytes>{};
        if (path_.size() >= kFileDepthMax)
            co_return fail(Kind::corrupt, "the file's DAG is deeper than " +
                                              std::to_string(kFileDepthMax) + " levels");
        ICL_CO_TRY(auto block, co_await blocks_.read(child->cid));
        ICL_CO_TRY(auto node, view_node(child->cid, std::move(block)));
        if (node.type != NodeView::Type::file || node.file_size != child->size)
            co_return fail(Kind::corrupt,
                           child->cid.to_string() + " is not the part of the file its parent says");
        enter(std::move(node), child->at);
    }
    auto piece = std::move(piece_);
    piece_.clear();
    co_return std::optional<Bytes>(std::move(piece));
}

}  // namespace ipfscluster::dag
