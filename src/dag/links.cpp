#include "dag/links.hpp"

#include "dag/dag_cbor.hpp"
#include "dag/dag_pb.hpp"
#include "dag/ipld.hpp"

namespace ipfscluster::dag {

Result<std::vector<Cid>> child_links(const Cid& cid, BytesView block) {
    switch (static_cast<Codec>(cid.codec())) {
        case Codec::raw:
            return std::vector<Cid>{};
        case Codec::dag_cbor:
            return dag_cbor_links(block);
        case Codec::dag_pb: {
            ICL_TRY(auto node, decode_dag_pb(block));
            std::vector<Cid> links;
            links.reserve(node.links.size());
            for (auto& link : node.links) links.push_back(std::move(link.cid));
            return links;
        }
        case Codec::dag_json: {
            ICL_TRY(const auto node, decode_dag_json(block));
            std::vector<Cid> links;
            collect_links(node, links);
            return links;
        }
        default:
            break;
    }
    return fail(Kind::unsupported, "cannot follow the links of a " + codec_name(cid.codec()) +
                                       " block, " + cid.to_string());
}

}  // namespace ipfscluster::dag
