#include "dag/ipld.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "dag/dag_pb.hpp"

namespace ipfscluster::dag {
namespace {

using ValueKind = IpldNode::Kind;

void put(IpldNode& map, std::string key, IpldNode value) {
    map.keys.push_back(std::move(key));
    map.items.push_back(std::move(value));
}

IpldNode empty(ValueKind kind) {
    IpldNode node;
    node.kind = kind;
    return node;
}

Result<IpldNode> from_dag_pb(BytesView block) {
    ICL_TRY(auto pb, decode_dag_pb(block));
    if (4 * pb.links.size() > kIpldItemsMax)
        return fail(Kind::unsupported, "dag-pb: too many links to be shown");
    IpldNode node = empty(ValueKind::map);
    // What is absent shows as null, as in Kubo.
    put(node, "Data", pb.data ? IpldNode::make_bytes(std::move(*pb.data)) : IpldNode());
    IpldNode links = empty(ValueKind::list);
    for (auto& link : pb.links) {
        IpldNode item = empty(ValueKind::map);
        put(item, "Hash", IpldNode::make_link(link.cid));
        put(item, "Name", link.has_name ? IpldNode::make_text(std::move(link.name)) : IpldNode());
        put(item, "Tsize", link.has_tsize ? IpldNode::make_integer(link.tsize) : IpldNode());
        links.items.push_back(std::move(item));
    }
    put(node, "Links", std::move(links));
    return node;
}

Error not_pb(const std::string& what) {
    return {Kind::invalid, "dag-pb: " + what};
}

Result<> known_keys(const IpldNode& map, std::initializer_list<std::string_view> names) {
    for (const auto& key : map.keys)
        if (!contains(names, key)) return fail(not_pb("unknown field \"" + key + "\""));
    return ok();
}

/// A field that may be left out or null.
const IpldNode* optional_field(const IpldNode& map, std::string_view name) {
    const auto* found = map.find(name);
    return found == nullptr || found->kind == ValueKind::null ? nullptr : found;
}

Result<PbLink> to_pb_link(const IpldNode& item) {
    if (item.kind != ValueKind::map) return fail(not_pb("a link is a map"));
    ICL_TRY(known_keys(item, {"Hash", "Name", "Tsize"}));
    PbLink link;
    const auto* hash = item.find("Hash");
    if (hash == nullptr || hash->kind != ValueKind::link)
        return fail(not_pb("a link needs its Hash"));
    link.cid = hash->cid();
    const auto* name = optional_field(item, "Name");
    link.has_name = name != nullptr;
    if (name != nullptr) {
        if (name->kind != ValueKind::text) return fail(not_pb("Name is a text"));
        link.name = name->text;
    }
    const auto* tsize = optional_field(item, "Tsize");
    link.has_tsize = tsize != nullptr;
    if (tsize != nullptr) {
        if (tsize->kind != ValueKind::integer || tsize->negative)
            return fail(not_pb("Tsize is a number that is not negative"));
        link.tsize = tsize->magnitude;
    }
    return link;
}

Result<Bytes> to_dag_pb(const IpldNode& node) {
    if (node.kind != ValueKind::map) return fail(not_pb("a node is a map"));
    ICL_TRY(known_keys(node, {"Data", "Links"}));
    PbNode pb;
    if (const auto* data = optional_field(node, "Data")) {
        if (data->kind != ValueKind::bytes) return fail(not_pb("Data are bytes"));
        pb.data = data->text;
    }
    const auto* links = node.find("Links");
    if (links == nullptr || links->kind != ValueKind::list)
        return fail(not_pb("a node needs a list of Links"));
    for (const auto& item : links->items) {
        ICL_TRY(auto link, to_pb_link(item));
        pb.links.push_back(std::move(link));
    }
    std::stable_sort(pb.links.begin(), pb.links.end(),
                     [](const PbLink& a, const PbLink& b) { return a.name < b.name; });
    return encode_dag_pb(pb);
}

Error no_codec(std::uint64_t codec) {
    return {Kind::unsupported, "blocks of the codec " + codec_name(codec) +
                                   " are not read or written here; known are raw, dag-pb, "
                                   "dag-cbor and dag-json"};
}

}  // namespace

const IpldNode* IpldNode::find(std::string_view segment) const {
    if (kind == ValueKind::map) {
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (keys[i] == segment) return &items[i];
        return nullptr;
    }
    if (kind != ValueKind::list) return nullptr;
    std::size_t index = 0;
    const auto end = segment.data() + segment.size();
    const auto [stop, error] = std::from_chars(segment.data(), end, index);
    if (error != std::errc() || stop != end || index >= items.size()) return nullptr;
    return &items[index];
}

Cid IpldNode::cid() const {
    auto parsed = Cid::from_bytes(text);
    return parsed ? std::move(parsed).value() : Cid();
}

IpldNode IpldNode::make_text(std::string text) {
    auto node = empty(ValueKind::text);
    node.text = std::move(text);
    return node;
}

IpldNode IpldNode::make_bytes(Bytes bytes) {
    auto node = empty(ValueKind::bytes);
    node.text = std::move(bytes);
    return node;
}

IpldNode IpldNode::make_link(const Cid& cid) {
    auto node = empty(ValueKind::link);
    node.text = cid.bytes();
    return node;
}

IpldNode IpldNode::make_integer(std::uint64_t value) {
    auto node = empty(ValueKind::integer);
    node.magnitude = value;
    return node;
}

Result<IpldNode> decode_ipld(std::uint64_t codec, BytesView block) {
    switch (static_cast<Codec>(codec)) {
        case Codec::raw:
            return IpldNode::make_bytes(Bytes(block));
        case Codec::dag_pb:
            return from_dag_pb(block);
        case Codec::dag_cbor:
            return decode_dag_cbor(block);
        case Codec::dag_json:
            return decode_dag_json(block);
        default:
            return fail(no_codec(codec));
    }
}

Result<Bytes> encode_ipld(std::uint64_t codec, const IpldNode& node) {
    switch (static_cast<Codec>(codec)) {
        case Codec::raw:
            if (node.kind != ValueKind::bytes)
                return fail(Kind::invalid, "raw: only bytes can be stored so");
            return node.text;
        case Codec::dag_pb:
            return to_dag_pb(node);
        case Codec::dag_cbor:
            return encode_dag_cbor(node);
        case Codec::dag_json:
            return encode_dag_json(node);
        default:
            return fail(no_codec(codec));
    }
}

void collect_links(const IpldNode& node, std::vector<Cid>& out) {
    if (node.kind == ValueKind::link) out.push_back(node.cid());
    for (const auto& item : node.items) collect_links(item, out);
}

}  // namespace ipfscluster::dag
