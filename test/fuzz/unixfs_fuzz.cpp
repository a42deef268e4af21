#include "dag/unixfs.hpp"

#include "dag/hamt.hpp"
#include "dag/node_view.hpp"
#include "fuzz.hpp"
#include "support/pins.hpp"

// UnixFS messages and whole nodes, HAMT shards among them. The first byte chooses: the message
// alone, or a dag-pb node around it.
namespace ipfscluster::fuzz {
namespace {

Bytes shard(std::uint64_t fanout) {
    dag::UnixfsData message;
    message.type = dag::UnixfsType::hamt_shard;
    message.data = Bytes("\x80\x01", 2);
    message.hash_type = 0x22;
    message.fanout = fanout;
    dag::PbNode node;
    node.links = {{test::cid(1), dag::hamt_prefix(7) + "name", 3},
                  {test::cid(2), dag::hamt_prefix(255), 5}};
    node.data = dag::encode_unixfs(message);
    return dag::encode_dag_pb(node);
}

void check_message(BytesView in) {
    const auto message = dag::decode_unixfs(in);
    if (!message) return;
    const auto bytes = dag::encode_unixfs(message.value());
    const auto again = dag::decode_unixfs(bytes);
    require(again && dag::encode_unixfs(again.value()) == bytes, "a message is read again");
    require(again.value().data == message.value().data &&
                again.value().block_sizes == message.value().block_sizes,
            "a message loses nothing");
}

void check_node(BytesView in) {
    const auto hash = multihash_digest(HashCode::sha2_256, in).value();
    const auto node = dag::view_node(Cid::v1(Codec::dag_pb, hash), Bytes(in));
    if (!node) return;
    (void)dag::cumulative_size(node.value(), in.size());
    if (node.value().type == dag::NodeView::Type::file)
        require(node.value().block_sizes.size() == node.value().links.size(),
                "a file knows the size of each child");
    if (node.value().type != dag::NodeView::Type::hamt_directory) return;
    const auto& shard = node.value().shard;
    require(shard.bits > 0 && shard.fanout <= dag::kHamtFanoutMax, "a fanout is bounded");
    for (const auto& link : shard.links)
        require(link.name.size() >= shard.prefix_size, "a link of a shard has a prefix");
    for (std::size_t used = 0; used <= 64; used += static_cast<std::size_t>(shard.bits))
        if (const auto prefix = shard.slot_prefix(0x0123456789abcdef, used))
            require(prefix.value().size() == shard.prefix_size, "a slot has a prefix");
}
}  // namespace

std::vector<Bytes> seeds() {
    dag::UnixfsData file;
    file.data = Bytes("content");
    file.file_size = 7 + 100;
    file.block_sizes = {60, 40};
    dag::PbNode node;
    node.links = {{test::cid(1), "", 70}, {test::cid(2), "", 50}};
    node.data = dag::encode_unixfs(file);
    dag::UnixfsData directory;
    directory.type = dag::UnixfsType::directory;
    dag::UnixfsData link;
    link.type = dag::UnixfsType::symlink;
    link.data = Bytes("target");
    dag::PbNode link_node;
    link_node.data = dag::encode_unixfs(link);
    return {chosen(0, dag::encode_unixfs(file)),
            chosen(0, dag::encode_unixfs(directory)),
            chosen(0, Bytes("\x08\x02\x22\x03\x01\x02\x03", 7)),
            chosen(1, dag::encode_dag_pb(node)),
            chosen(1, dag::encode_dag_pb(link_node)),
            chosen(1, shard(256)),
            chosen(1, shard(8)),
            chosen(1, dag::encode_unixfs_leaf(dag::UnixfsType::file, "leaf"))};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster::fuzz;
    auto in = view(data, size);
    if (take_byte(in) % 2 == 0)
        check_message(in);
    else
        check_node(in);
    return 0;
}
