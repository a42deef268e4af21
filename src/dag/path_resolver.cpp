#include "dag/path_resolver.hpp"

#include "dag/directory_reader.hpp"

namespace ipfscluster::dag {

Result<IpfsPath> parse_ipfs_path(std::string_view path) {
    constexpr std::string_view kPrefix = "/ipfs/";
    constexpr std::string_view kIpldPrefix = "/ipld/";
    auto rest = path;
    const bool ipld = rest.starts_with(kIpldPrefix);
    if (rest.starts_with("/ipns/")) return fail(Kind::unsupported, "/ipns/ paths are not resolved");
    if (rest.starts_with(kPrefix) || ipld)
        rest.remove_prefix(kPrefix.size());
    else if (rest.starts_with('/'))
        return fail(Kind::invalid,
                    "path \"" + std::string(path.substr(0, 200)) + "\" does not start with /ipfs/");

    IpfsPath out;
    const auto slash = rest.find('/');
    ICL_TRY(auto root, Cid::parse(rest.substr(0, slash)));
    out.root = std::move(root);
    while (!rest.empty()) {
        const auto next = rest.find('/');
        if (next == std::string_view::npos) break;
        rest.remove_prefix(next + 1);
        const auto segment = rest.substr(0, rest.find('/'));
        if (segment.empty()) continue;
        if (ipld) return fail(Kind::unsupported, "/ipld/ paths are not resolved beyond their CID");
        if (out.segments.size() == kPathSegmentsMax)
            return fail(Kind::invalid,
                        "a path has more than " + std::to_string(kPathSegmentsMax) + " segments");
        out.segments.emplace_back(segment);
    }
    return out;
}

Async<Resolved> resolve_path(BlockReader& blocks, IpfsPath path) {
    Resolved at{path.root, {}, 0};
    for (std::size_t i = 0;; ++i) {
        ICL_CO_TRY(auto block, co_await blocks.read(at.cid));
        at.block_size = block.size();
        ICL_CO_TRY(auto node, view_node(at.cid, std::move(block)));
        at.node = std::move(node);
        if (i == path.segments.size()) co_return std::move(at);
        ICL_CO_TRY(auto child,
                   co_await find_entry(blocks, at.cid, std::move(at.node), path.segments[i]));
        at.cid = std::move(child);
    }
}

}  // namespace ipfscluster::dag
