#include <unordered_map>

#include "dag/dag_pb.hpp"
#include "dag/links.hpp"
#include "ipfs/rpc/handlers.hpp"
#include "ipfs/rpc/path.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

/// Levels `refs -r` goes down.
constexpr std::size_t kRefsDepthMax = 4096;
/// Blocks `refs -u` remembers, with their depth: about 100 bytes each.
constexpr std::size_t kRefsSeenMax = 500'000;

struct NamedLink {
    std::string name;
    Cid cid;
};

/// One block on the way down.
struct Frame {
    Cid cid;
    std::vector<NamedLink> links;
    std::size_t at = 0;
};

Result<std::vector<NamedLink>> named_links(const Cid& cid, BytesView block) {
    std::vector<NamedLink> out;
    if (static_cast<Codec>(cid.codec()) == Codec::dag_pb) {
        ICL_TRY(auto node, dag::decode_dag_pb(block));
        for (auto& link : node.links) out.push_back({std::move(link.name), std::move(link.cid)});
        return out;
    }
    ICL_TRY(auto links, dag::child_links(cid, block));
    for (auto& link : links) out.push_back({{}, std::move(link)});
    return out;
}

std::string replace_all(std::string text, std::string_view token, std::string_view value) {
    for (std::size_t at = 0; (at = text.find(token, at)) != std::string::npos; at += value.size())
        text.replace(at, token.size(), value);
    return text;
}

class RefsWalk {
 public:
    RefsWalk(Call& call, std::string format, std::int64_t depth_max, bool unique)
        : call_(call), format_(std::move(format)), depth_max_(depth_max), unique_(unique) {}

    Async<> run(Cid root) {
        std::vector<Frame> path;
        ICL_CO_TRY(co_await enter(path, std::move(root)));
        while (!path.empty()) {
            auto& frame = path.back();
            if (frame.at == frame.links.size()) {
                path.pop_back();
                continue;
            }
            const auto link = frame.links[frame.at++];
            ICL_CO_TRY(const auto visit, look(link.cid, static_cast<std::int64_t>(path.size())));
            if (!visit.deeper && !visit.shown) continue;
            // Each printed reference has been fetched.
            Cid cid = link.cid;
            ICL_CO_TRY(auto block, co_await call_.blocks().read(cid));
            if (visit.shown) {
                ICL_CO_TRY(co_await show(frame.cid, link));
            }
            if (!visit.deeper) continue;
            if (path.size() == kRefsDepthMax)
                co_return fail(Kind::unsupported, "the DAG is too deep");
            ICL_CO_TRY(auto links, named_links(cid, block));
            path.push_back({std::move(cid), std::move(links)});
        }
        co_return ok();
    }

 private:
    struct Visit {
        bool deeper, shown;
    };

    Async<> enter(std::vector<Frame>& path, Cid cid) {
        ICL_CO_TRY(auto block, co_await call_.blocks().read(cid));
        ICL_CO_TRY(auto links, named_links(cid, block));
        path.push_back({std::move(cid), std::move(links)});
        co_return ok();
    }

    /// Whether to print a link at `depth`, and whether to look below it.
    Result<Visit> look(const Cid& cid, std::int64_t depth) {
        const bool bounded = depth_max_ >= 0;
        if (bounded && depth > depth_max_) return Visit{false, false};
        const bool deeper = !bounded || depth != depth_max_;
        if (!unique_) return Visit{deeper, true};
        const auto found = seen_.find(cid);
        if (found != seen_.end() && (!bounded || found->second <= depth))
            return Visit{false, false};
        const bool known = found != seen_.end();
        if (!known && seen_.size() == kRefsSeenMax)
            return fail(Kind::unsupported, "more than " + std::to_string(kRefsSeenMax) +
                                               " references; they can only be listed without "
                                               "--unique");
        seen_[cid] = depth;
        return Visit{deeper, !known};
    }

    Async<> show(const Cid& from, const NamedLink& link) {
        auto text = replace_all(format_, "<src>", call_.cid(from));
        text = replace_all(std::move(text), "<dst>", call_.cid(link.cid));
        text = replace_all(std::move(text), "<linkname>", link.name);
        std::string row;
        {
            codec::JsonObject o(row);
            o.put("Ref", text);
            o.put("Err", "");
        }
        co_return co_await call_.emit(std::move(row));
    }

    Call& call_;
    std::string format_;
    std::int64_t depth_max_;
    bool unique_;
    std::unordered_map<Cid, std::int64_t> seen_;
};

Async<> emit_ref_error(Call& call, std::string text) {
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("Ref", "");
        o.put("Err", text);
    }
    co_return co_await call.emit(std::move(row));
}

}  // namespace

Async<> refs(Call& call) {
    std::string format(call.text("format"));
    if (call.flag("edges")) {
        if (format != "<dst>")
            co_return fail(Kind::invalid, "using format argument with edges is not allowed");
        format = "<src> -> <dst>";
    }
    const auto depth = call.flag("recursive") ? call.number("max-depth") : 1;
    std::vector<Cid> roots;
    for (const auto& argument : call.arguments()) {
        ICL_CO_TRY(auto cid, co_await resolve_to_block(call.blocks(), argument));
        roots.push_back(std::move(cid));
    }
    RefsWalk walk(call, std::move(format), depth, call.flag("unique"));
    for (auto& root : roots) {
        auto done = co_await walk.run(std::move(root));
        if (done) continue;
        if (done.error().kind == Kind::cancelled) co_return done;
        ICL_CO_TRY(co_await emit_ref_error(call, done.error().text));
    }
    co_return ok();
}

Async<> refs_local(Call& call) {
    // What is not durable yet would not be listed.
    auto& store = call.node().blocks();
    ICL_CO_TRY(co_await store.sync(store.loss_epoch()));
    const auto list = store.list();
    while (true) {
        ICL_CO_TRY(const auto block, co_await list->next());
        if (!block) co_return ok();
        std::string row;
        {
            codec::JsonObject o(row);
            o.put("Ref", call.cid(Cid::v1(Codec::raw, block->multihash)));
            o.put("Err", "");
        }
        ICL_CO_TRY(co_await call.emit(std::move(row)));
    }
}

Async<> resolve(Call& call) {
    const auto& argument = call.arguments()[0];
    ICL_CO_TRY(auto path, parse_content_path(argument));
    const auto text = call.has("cid-base") ? call.cid_text() : CidText::of_path(path.text);
    const std::string space = path.ipld ? "/ipld/" : "/ipfs/";
    ICL_CO_TRY(const auto target, co_await resolve_path(call.blocks(), std::move(path)));
    std::string resolved = space + text(target.cid);
    for (const auto& name : target.rest) resolved += "/" + name;
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("Path", resolved);
    }
    co_return co_await call.emit_once(std::move(row));
}

}  // namespace ipfscluster::ipfs_rpc
