#include "dag/file_builder.hpp"

#include "dag/dag_pb.hpp"
#include "dag/unixfs.hpp"

namespace ipfscluster::dag {

Result<DagNodeInfo> seal_file_node(const std::vector<DagNodeInfo>& children, const CidBuilder& cids,
                                   const BlockSink& sink) {
    UnixfsData message;
    message.type = UnixfsType::file;
    std::vector<PbLink> links;
    links.reserve(children.size());
    message.block_sizes.reserve(children.size());
    DagNodeInfo node;
    for (const auto& child : children) {
        links.push_back({child.cid, {}, child.tsize});
        message.block_sizes.push_back(child.file_size);
        node.file_size += child.file_size;
        node.tsize += child.tsize;
    }
    message.file_size = node.file_size;
    auto data = encode_dag_pb(links, encode_unixfs(message));
    node.tsize += data.size();
    ICL_TRY(auto cid, cids.make(Codec::dag_pb, data));
    node.cid = cid;
    ICL_TRY(sink(Block{std::move(cid), std::move(data)}));
    return node;
}

FileBuilder::FileBuilder(FileOptions options, BlockSink sink)
    : options_(std::move(options)),
      sink_(std::move(sink)),
      on_chunk_([this](BytesView chunk) { return add_chunk(chunk); }),
      chunker_(make_chunker(options_.chunker)),
      layout_(options_.layout == Layout::trickle ? make_trickle_builder(options_, sink_)
                                                 : make_balanced_builder(options_, sink_)) {}

Result<> FileBuilder::write(BytesView data) {
    return chunker_->feed(data, on_chunk_);
}

Result<DagNodeInfo> FileBuilder::finish() {
    ICL_TRY(chunker_->finish(on_chunk_));
    // The balanced layout of no data is one empty leaf; trickle's is a root without children.
    if (!any_chunk_ && options_.layout == Layout::balanced) {
        ICL_TRY(add_chunk({}));
    }
    any_chunk_ = false;
    return layout_->finish();
}

Result<> FileBuilder::add_chunk(BytesView chunk) {
    any_chunk_ = true;
    // Kubo's balanced leaves are of type file, an old mistake kept for the sake of the CIDs.
    const auto type = options_.layout == Layout::trickle ? UnixfsType::raw : UnixfsType::file;
    const auto codec = options_.raw_leaves ? Codec::raw : Codec::dag_pb;
    auto data = options_.raw_leaves ? Bytes(chunk) : encode_unixfs_leaf(type, chunk);
    ICL_TRY(auto cid, options_.cids.make(codec, data));
    DagNodeInfo leaf{cid, data.size(), chunk.size()};
    ICL_TRY(sink_(Block{std::move(cid), std::move(data)}));
    return layout_->add_leaf(std::move(leaf));
}

}  // namespace ipfscluster::dag
