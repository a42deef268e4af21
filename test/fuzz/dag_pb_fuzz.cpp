#include "dag/dag_pb.hpp"

#include "dag/links.hpp"
#include "fuzz.hpp"
#include "support/pins.hpp"

// A node that is accepted is written canonically and read the same.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    dag::PbNode node;
    node.links = {{test::cid(1), "a", 10}, {test::cid(2), "", 1u << 30}};
    const auto links = dag::encode_dag_pb(node);
    node.data = Bytes("data");
    const auto both = dag::encode_dag_pb(node);
    return {links, both, Bytes("\x0a\x01z", 3) + links, Bytes("\x0a\x00", 2)};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    const auto node = dag::decode_dag_pb(in);
    const auto hash = multihash_digest(HashCode::sha2_256, in).value();
    const auto links = dag::child_links(Cid::v1(Codec::dag_pb, hash), in);
    fuzz::require(links.has_value() == node.has_value(), "links are found where a node is read");
    if (!node) return 0;
    fuzz::require(links.value().size() == node.value().links.size(), "every link is a child");
    const auto bytes = dag::encode_dag_pb(node.value());
    const auto again = dag::decode_dag_pb(bytes);
    fuzz::require(again && dag::encode_dag_pb(again.value()) == bytes, "a node is read again");
    fuzz::require(again.value().links.size() == node.value().links.size() &&
                      again.value().data == node.value().data,
                  "a node loses nothing");
    return 0;
}
