#include "dag/dag_pb.hpp"

#include "base/proto.hpp"

namespace ipfscluster::dag {
namespace {

// PBNode: Links = 2, Data = 1. PBLink: Hash = 1, Name = 2, Tsize = 3.
std::size_t link_size(const PbLink& link) {
    const auto bytes_field = [](std::size_t n) { return 1 + varint_size(n) + n; };
    return bytes_field(link.cid.bytes().size()) +
           (link.has_name ? bytes_field(link.name.size()) : 0) +
           (link.has_tsize ? 1 + varint_size(link.tsize) : 0);
}

Bytes encode(const std::vector<PbLink>& links, bool has_data, BytesView data) {
    std::size_t total = data.size() + 12;
    for (const auto& link : links) total += link_size(link) + 6;
    Bytes out;
    out.reserve(total);
    for (const auto& link : links) {
        put_proto_head(out, 2, link_size(link));
        put_proto_head(out, 1, link.cid.bytes().size());
        out += link.cid.bytes();
        if (link.has_name) {
            put_proto_head(out, 2, link.name.size());
            out += link.name;
        }
        if (link.has_tsize) put_proto_varint(out, 3, link.tsize);
    }
    if (has_data) {
        put_proto_head(out, 1, data.size());
        out += data;
    }
    return out;
}

Error malformed(const char* what) {
    return {Kind::corrupt, std::string("dag-pb: ") + what};
}

Result<PbLink> decode_link(BytesView in) {
    PbLink link;
    bool has_name = false;
    bool has_tsize = false;
    while (!in.empty()) {
        ICL_TRY(auto field, take_proto_field(in));
        if (field.is_bytes(1) && !link.cid.defined() && !has_name && !has_tsize) {
            auto cid = Cid::from_bytes(field.bytes);
            if (!cid) return fail(Kind::corrupt, "dag-pb: link: " + cid.error().text);
            link.cid = std::move(cid).value();
        } else if (field.is_bytes(2) && !has_name && !has_tsize) {
            link.name = field.bytes;
            has_name = true;
        } else if (field.is_number(3) && !has_tsize) {
            link.tsize = field.value;
            has_tsize = true;
        } else {
            return fail(malformed("link with an unknown, repeated or misplaced field"));
        }
    }
    if (!link.cid.defined()) return fail(malformed("link without a CID"));
    link.has_name = has_name;
    link.has_tsize = has_tsize;
    return link;
}

}  // namespace

Bytes encode_dag_pb(const PbNode& node) {
    return encode(node.links, node.data.has_value(),
                  node.data ? BytesView(*node.data) : BytesView());
}

Bytes encode_dag_pb(const std::vector<PbLink>& links, BytesView data) {
    return encode(links, true, data);
}

Result<PbNode> decode_dag_pb(BytesView block) {
    if (block.size() > kBlockBytesMax) return fail(malformed("block is too large"));
    PbNode node;
    bool links_ended = false;
    while (!block.empty()) {
        ICL_TRY(auto field, take_proto_field(block));
        if (field.type != ProtoField::Type::bytes) return fail(malformed("field of a wrong type"));
        if (field.number == 1) {
            if (node.data) return fail(malformed("Data twice"));
            node.data.emplace(field.bytes);
            links_ended = !node.links.empty();
        } else if (field.number == 2) {
            // Links may all stand before or all after Data, never on both sides.
            if (links_ended) return fail(malformed("Links on both sides of Data"));
            ICL_TRY(auto link, decode_link(field.bytes));
            node.links.push_back(std::move(link));
        } else {
            return fail(malformed("unknown field"));
        }
    }
    return node;
}

}  // namespace ipfscluster::dag
