#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "dag/cbor_wire.hpp"
#include "dag/ipld.hpp"

namespace ipfscluster::dag {
namespace {

using namespace cbor;
using ValueKind = IpldNode::Kind;

double half_to_double(std::uint64_t bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const auto fraction = static_cast<double>(bits & 1023);
    double value = 0;
    if (exponent == 0)
        value = std::ldexp(fraction, -24);
    else if (exponent != 31)
        value = std::ldexp(fraction + 1024, exponent - 25);
    else
        value = fraction == 0 ? INFINITY : NAN;
    return (bits & 0x8000) != 0 ? -value : value;
}

Result<IpldNode> simple_value(const Head& head) {
    IpldNode node;
    switch (head.info) {
        case 20:
        case 21:
            node.kind = ValueKind::boolean;
            node.boolean = head.info == 21;
            return node;
        case 22:
        case 23:  // undefined reads as null
            return node;
        case 25:
            node.floating = half_to_double(head.value);
            break;
        case 26:
            node.floating = std::bit_cast<float>(static_cast<std::uint32_t>(head.value));
            break;
        case 27:
            node.floating = std::bit_cast<double>(head.value);
            break;
        default:
            return fail(malformed("a simple value that the data model does not know"));
    }
    node.kind = ValueKind::floating;
    if (!std::isfinite(node.floating)) return fail(malformed("a number that is not finite"));
    return node;
}

struct Reader {
    BytesView in;
    std::size_t items = 0;

    Result<IpldNode> value(std::size_t depth);
    Result<> members(IpldNode& node, const Head& head, std::size_t depth);
};

Result<> Reader::members(IpldNode& node, const Head& head, std::size_t depth) {
    const bool map = head.major == kMap;
    // Each member takes a byte at least.
    if (head.value > in.size()) return fail(malformed("truncated collection"));
    if (depth >= kIpldDepthMax) return fail(malformed("nested too deeply"));
    for (std::uint64_t i = 0; i < head.value; ++i) {
        if (map) {
            ICL_TRY(const auto key, take_head(in));
            if (key.major != kText) return fail(malformed("a key is not a text"));
            ICL_TRY(const auto text, take_string(in, key.value));
            node.keys.emplace_back(text);
        }
        ICL_TRY(auto item, value(depth + 1));
        node.items.push_back(std::move(item));
    }
    if (!map) return ok();
    auto sorted = node.keys;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        return fail(malformed("a key stands twice in a map"));
    return ok();
}

Result<IpldNode> Reader::value(std::size_t depth) {
    if (++items > kIpldItemsMax) return fail(Kind::unsupported, "dag-cbor: too many values");
    ICL_TRY(const auto head, take_head(in));
    IpldNode node;
    switch (head.major) {
        case kUnsigned:
        case kNegative:
            node.kind = ValueKind::integer;
            node.negative = head.major == kNegative;
            node.magnitude = head.value;
            return node;
        case kBytes:
        case kText: {
            node.kind = head.major == kText ? ValueKind::text : ValueKind::bytes;
            ICL_TRY(const auto text, take_string(in, head.value));
            node.text = text;
            return node;
        }
        case kArray:
        case kMap: {
            node.kind = head.major == kMap ? ValueKind::map : ValueKind::list;
            ICL_TRY(members(node, head, depth));
            return node;
        }
        case kTag: {
            if (head.value != kLinkTag) return fail(malformed("a tag other than 42"));
            ICL_TRY(const auto cid, take_tagged_cid(in));
            return IpldNode::make_link(cid);
        }
        default:
            return simple_value(head);
    }
}

void put_double(Bytes& out, double value) {
    out.push_back('\xfb');
    put_be64(out, std::bit_cast<std::uint64_t>(value));
}

void put_value(Bytes& out, const IpldNode& node) {
    switch (node.kind) {
        case ValueKind::null:
            out.push_back('\xf6');
            return;
        case ValueKind::boolean:
            out.push_back(node.boolean ? '\xf5' : '\xf4');
            return;
        case ValueKind::integer:
            put_head(out, node.negative ? kNegative : kUnsigned, node.magnitude);
            return;
        case ValueKind::floating:
            put_double(out, node.floating);
            return;
        case ValueKind::text:
            put_text(out, node.text);
            return;
        case ValueKind::bytes:
            put_head(out, kBytes, node.text.size());
            out += node.text;
            return;
        case ValueKind::link:
            put_link(out, node.cid());
            return;
        case ValueKind::list:
            put_head(out, kArray, node.items.size());
            for (const auto& item : node.items) put_value(out, item);
            return;
        case ValueKind::map:
            break;
    }
    std::vector<std::size_t> order(node.keys.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto &x = node.keys[a], &y = node.keys[b];
        return x.size() != y.size() ? x.size() < y.size() : x < y;
    });
    put_head(out, kMap, order.size());
    for (const auto i : order) {
        put_text(out, node.keys[i]);
        put_value(out, node.items[i]);
    }
}

}  // namespace

Result<IpldNode> decode_dag_cbor(BytesView block) {
    if (block.size() > kBlockBytesMax) return fail(malformed("block is too large"));
    Reader reader{block};
    ICL_TRY(auto node, reader.value(0));
    if (!reader.in.empty()) return fail(malformed("bytes after the item"));
    return node;
}

Bytes encode_dag_cbor(const IpldNode& node) {
    Bytes out;
    put_value(out, node);
    return out;
}

}  // namespace ipfscluster::dag
