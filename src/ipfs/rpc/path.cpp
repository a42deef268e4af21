#include "ipfs/rpc/path.hpp"

#include "dag/directory_reader.hpp"
#include "dag/ipld.hpp"
#include "dag/path_resolver.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

Error invalid_path(std::string_view text, std::string_view why) {
    return {Kind::invalid,
            "invalid path \"" + std::string(text.substr(0, 500)) + "\": " + std::string(why)};
}

Error no_link(const std::string& name, const Cid& under) {
    return {Kind::not_found, "no link named \"" + name + "\" under " + under.to_string()};
}

/// Names inside one block, from `at` on: stops at a link or at the path's end.
Result<Target> follow_data(dag::IpldNode node, const Cid& cid,
                           const std::vector<std::string>& segments, std::size_t& at) {
    const dag::IpldNode* value = &node;
    const auto begin = at;
    for (; at < segments.size(); ++at) {
        value = value->find(segments[at]);
        if (value == nullptr) return fail(no_link(segments[at], cid));
        if (value->kind != dag::IpldNode::Kind::link) continue;
        ++at;
        return Target{value->cid(), {}};
    }
    return Target{cid, std::vector<std::string>(
                           segments.begin() + static_cast<std::ptrdiff_t>(begin), segments.end())};
}

}  // namespace

Result<ContentPath> parse_content_path(std::string_view text) {
    const auto given = text;
    ContentPath out;
    for (const std::string_view scheme : {"ipfs://", "ipfs:"})
        if (text.starts_with(scheme)) {
            text.remove_prefix(scheme.size());
            break;
        }
    const bool rooted = text.starts_with('/');
    if (rooted) {
        if (text.starts_with("/ipns/"))
            return fail(Kind::unsupported, "this node does not resolve IPNS names");
        out.ipld = text.starts_with("/ipld/");
        if (!out.ipld && !text.starts_with("/ipfs/"))
            return fail(invalid_path(given, "unknown namespace"));
        text.remove_prefix(6);
    }
    std::string_view rest = text;
    const auto root = rest.substr(0, rest.find('/'));
    auto cid = Cid::parse(root);
    if (!cid)
        return fail(invalid_path(given, rooted ? "invalid cid: " + cid.error().text
                                               : "path does not have enough components"));
    out.root = std::move(cid).value();
    out.text = (out.ipld ? "/ipld/" : "/ipfs/") + std::string(root);
    while (true) {
        const auto slash = rest.find('/');
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
        const auto segment = rest.substr(0, rest.find('/'));
        if (segment.empty() || segment == ".") continue;
        if (segment == "..") {
            if (out.segments.empty())
                return fail(invalid_path(given, "path does not have enough components"));
            out.segments.pop_back();
            continue;
        }
        if (out.segments.size() == dag::kPathSegmentsMax)
            return fail(invalid_path(given, "too many segments"));
        out.segments.emplace_back(segment);
    }
    for (const auto& segment : out.segments) out.text += "/" + segment;
    return out;
}

Async<Target> resolve_path(dag::BlockReader& blocks, ContentPath path) {
    Target target{path.root, {}};
    for (std::size_t at = 0; at < path.segments.size();) {
        const Cid cid = target.cid;
        const auto codec = static_cast<Codec>(cid.codec());
        ICL_CO_TRY(auto block, co_await blocks.read(cid));
        if (codec == Codec::raw) co_return fail(no_link(path.segments[at], cid));
        if (codec == Codec::dag_pb && !path.ipld) {
            ICL_CO_TRY(auto view, dag::view_node(cid, std::move(block)));
            ICL_CO_TRY(target.cid,
                       co_await dag::find_entry(blocks, cid, std::move(view), path.segments[at++]));
            continue;
        }
        ICL_CO_TRY(auto node, dag::decode_ipld(cid.codec(), block));
        ICL_CO_TRY(target, follow_data(std::move(node), cid, path.segments, at));
    }
    co_return target;
}

Async<Cid> resolve_to_block(dag::BlockReader& blocks, std::string argument) {
    ICL_CO_TRY(auto path, parse_content_path(argument));
    ICL_CO_TRY(auto target, co_await resolve_path(blocks, std::move(path)));
    co_return std::move(target.cid);
}

}  // namespace ipfscluster::ipfs_rpc
