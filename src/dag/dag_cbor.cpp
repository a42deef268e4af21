#include "dag/dag_cbor.hpp"

#include <string>

#include "dag/cbor_wire.hpp"

namespace ipfscluster::dag {
namespace {

using namespace cbor;

/// Reads one item that starts at `in`; nested items are counted on a stack rather than by
/// recursion.
Result<> collect_links(BytesView& in, std::vector<Cid>& out) {
    std::vector<std::uint64_t> left{1};  // items still to come, per level
    while (!left.empty()) {
        if (left.back() == 0) {
            left.pop_back();
            continue;
        }
        --left.back();
        ICL_TRY(auto head, take_head(in));
        std::uint64_t nested = 0;
        switch (head.major) {
            case kBytes:
            case kText: {
                ICL_TRY(take_string(in, head.value));
                continue;
            }
            case kTag: {
                if (head.value != kLinkTag) return fail(malformed("a tag other than 42"));
                ICL_TRY(auto cid, take_tagged_cid(in));
                out.push_back(std::move(cid));
                continue;
            }
            case kArray:
                nested = head.value;
                break;
            case kMap:
                if (head.value > in.size()) return fail(malformed("truncated map"));
                nested = head.value * 2;
                break;
            default:
                continue;
        }
        // Each item takes a byte at least.
        if (nested > in.size()) return fail(malformed("truncated collection"));
        if (left.size() >= static_cast<std::size_t>(kCborDepthMax))
            return fail(malformed("nested too deeply"));
        left.push_back(nested);
    }
    return ok();
}

/// Indices in canonical key order: shorter decimal texts first, which for numbers without leading
/// zeros is the numeric order.
std::string index_key(std::size_t index) {
    return std::to_string(index);
}

}  // namespace

Result<std::vector<Cid>> dag_cbor_links(BytesView block) {
    if (block.size() > kBlockBytesMax) return fail(malformed("block is too large"));
    std::vector<Cid> links;
    ICL_TRY(collect_links(block, links));
    if (!block.empty()) return fail(malformed("bytes after the item"));
    return links;
}

Bytes encode_link_map(const std::vector<Cid>& links) {
    Bytes out;
    put_head(out, kMap, links.size());
    for (std::size_t i = 0; i < links.size(); ++i) {
        put_text(out, index_key(i));
        put_link(out, links[i]);
    }
    return out;
}

Result<std::vector<Cid>> decode_link_map(BytesView block) {
    ICL_TRY(auto head, take_head(block));
    if (head.major != kMap || head.value > block.size())
        return fail(malformed("expected a map of links"));
    std::vector<Cid> links;
    for (std::size_t i = 0; i < head.value; ++i) {
        ICL_TRY(auto key, take_head(block));
        if (key.major != kText) return fail(malformed("a key is not a text"));
        ICL_TRY(auto text, take_string(block, key.value));
        if (text != index_key(i)) return fail(malformed("keys are not the numbers from 0"));
        ICL_TRY(auto cid, take_link(block));
        links.push_back(std::move(cid));
    }
    if (!block.empty()) return fail(malformed("bytes after the map"));
    return links;
}

Bytes encode_car_header(const std::vector<Cid>& roots) {
    Bytes out;
    put_head(out, kMap, 2);
    put_text(out, "roots");
    put_head(out, kArray, roots.size());
    for (const auto& root : roots) put_link(out, root);
    put_text(out, "version");
    put_head(out, kUnsigned, 1);
    return out;
}

Result<std::vector<Cid>> decode_car_header(BytesView header) {
    ICL_TRY(auto map, take_head(header));
    if (map.major != kMap || map.value > 2)
        return fail(malformed("expected the header of a CAR file"));
    std::vector<Cid> roots;
    std::uint64_t version = 0;
    for (std::uint64_t i = 0; i < map.value; ++i) {
        ICL_TRY(auto key, take_head(header));
        if (key.major != kText) return fail(malformed("a key is not a text"));
        ICL_TRY(auto name, take_string(header, key.value));
        ICL_TRY(auto value, take_head(header));
        if (name == "version" && value.major == kUnsigned) {
            version = value.value;
        } else if (name == "roots" && value.major == kArray && value.value <= header.size()) {
            for (std::uint64_t r = 0; r < value.value; ++r) {
                ICL_TRY(auto cid, take_link(header));
                roots.push_back(std::move(cid));
            }
        } else {
            return fail(malformed("the header of a CAR file has an unknown field"));
        }
    }
    if (version != 1)
        return fail(Kind::unsupported,
                    "CAR version " + std::to_string(version) + "; only version 1 is read");
    if (!header.empty()) return fail(malformed("bytes after the header of a CAR file"));
    return roots;
}

}  // namespace ipfscluster::dag
