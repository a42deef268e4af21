#include "api/content/tar_stream.hpp"
#include "dag/dag_walk.hpp"
#include "dag/file_reader.hpp"
#include "dag/node_view.hpp"
#include "http/tar_format.hpp"
#include "ipfs/rpc/gzip.hpp"
#include "ipfs/rpc/handlers.hpp"
#include "ipfs/rpc/path.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

using component::FileInfo;
using content::ByteSink;
using NodeType = dag::NodeView::Type;

/// A block as a file or directory.
struct Looked {
    Cid cid;
    dag::NodeView view;
    std::size_t block_size = 0;
};

Async<Looked> look(Call& call, std::string argument) {
    ICL_CO_TRY(auto cid, co_await resolve_to_block(call.blocks(), std::move(argument)));
    ICL_CO_TRY(auto block, co_await call.blocks().read(cid));
    const auto size = block.size();
    ICL_CO_TRY(auto view, dag::view_node(cid, std::move(block)));
    co_return Looked{std::move(cid), std::move(view), size};
}

Async<SourcePtr<Bytes>> open_file(Call& call, Cid file, std::uint64_t offset,
                                  std::uint64_t length) {
    dag::ByteRange range{offset, length};
    ICL_CO_TRY(auto opened, co_await dag::FileReader::open(call.blocks(), std::move(file), range));
    co_return SourcePtr<Bytes>(std::move(opened));
}

/// What is left of one argument of `cat`.
struct Part {
    Cid file;
    std::uint64_t offset;
    std::uint64_t length;
};

Async<std::vector<Part>> cat_parts(Call& call, std::uint64_t offset, std::uint64_t limit) {
    std::vector<Part> parts;
    for (const auto& argument : call.arguments()) {
        if (limit == 0) break;
        ICL_CO_TRY(auto file, co_await look(call, argument));
        if (file.view.is_directory()) co_return fail(Kind::invalid, "this dag node is a directory");
        if (file.view.type != NodeType::file)
            co_return fail(Kind::invalid, "operation not supported");
        const auto size = file.view.file_size;
        if (offset > size) {
            offset -= size;
            continue;
        }
        const auto length = std::min(size - offset, limit);
        parts.push_back({std::move(file.cid), std::exchange(offset, 0), length});
        limit -= length;
    }
    co_return parts;
}

}  // namespace

Async<> cat(Call& call) {
    if (call.number("offset") < 0) co_return fail(Kind::invalid, "cannot specify negative offset");
    if (call.number("length") < 0) co_return fail(Kind::invalid, "cannot specify negative length");
    const auto limit =
        call.has("length") ? static_cast<std::uint64_t>(call.number("length")) : UINT64_MAX;
    const auto offset = static_cast<std::uint64_t>(call.number("offset"));
    ICL_CO_TRY(const auto parts, co_await cat_parts(call, offset, limit));
    std::uint64_t total = 0;
    for (const auto& part : parts) total += part.length;
    // The first bytes must be at hand before success is claimed.
    for (const auto& part : parts) {
        SourcePtr<Bytes> content;
        std::optional<Bytes> piece;
        if (part.length > 0) {
            ICL_CO_TRY(content, co_await open_file(call, part.file, part.offset, part.length));
            ICL_CO_TRY(piece, co_await content->next());
        }
        if (!call.exchange().started()) {
            ICL_CO_TRY(co_await call.begin_bytes("text/plain", total));
        }
        while (piece) {
            ICL_CO_TRY(co_await call.write(std::move(*piece)));
            ICL_CO_TRY(piece, co_await content->next());
        }
    }
    if (!call.exchange().started()) co_return co_await call.begin_bytes("text/plain", 0);
    co_return ok();
}

namespace {

Async<> write_content(Call& call, Looked file, ByteSink sink) {
    ICL_CO_TRY(auto content, co_await open_file(call, file.cid, 0, file.view.file_size));
    while (true) {
        ICL_CO_TRY(auto piece, co_await content->next());
        if (!piece) co_return ok();
        ICL_CO_TRY(co_await sink(std::move(*piece)));
    }
}

Async<> write_symlink(ByteSink sink, std::string name, std::string target) {
    ICL_CO_TRY(co_await sink(http::tar_header(http::TarType::symlink, name, 0, target)));
    co_return co_await sink(http::tar_end());
}

}  // namespace

Async<> get(Call& call) {
    const bool compress = call.flag("compress");
    const auto level = call.has("compression-level") ? call.number("compression-level") : 6;
    if (compress && (level < 1 || level > 9))
        co_return fail(Kind::invalid, "compression level must be between 1 and 9");
    ICL_CO_TRY(const auto path, parse_content_path(call.arguments()[0]));
    ICL_CO_TRY(auto found, co_await look(call, call.arguments()[0]));
    const bool plain = compress && !call.flag("archive");
    const bool file = found.view.type == NodeType::file;
    const bool link = found.view.type == NodeType::symlink;
    if (plain && !file) co_return fail(Kind::invalid, "file is not regular");
    if (!file && !link && !found.view.is_directory())
        co_return fail(Kind::invalid, "unrecognized node type");
    const auto length =
        file ? found.view.file_size : dag::cumulative_size(found.view, found.block_size);

    Gzip gzip(static_cast<int>(level));
    auto* to = &call;
    auto* packer = &gzip;
    ByteSink sink = [to](Bytes piece) { return to->write(std::move(piece)); };
    if (compress) sink = [to, packer](Bytes piece) { return to->write(packer->pack(piece)); };
    ICL_CO_TRY(
        co_await call.begin_bytes(compress ? "application/gzip" : "application/x-tar", length));
    const std::string name = path.text.substr(path.text.rfind('/') + 1);
    Result<> done = ok();
    if (plain)
        done = co_await write_content(call, std::move(found), sink);
    else if (link)
        done = co_await write_symlink(sink, name, std::move(found.view.data));
    else {
        FileInfo info{found.cid, !file,
                      found.view.file_size};  // named: g++ 12 destroys it twice otherwise
        done = co_await content::write_tar(call.node(), sink, std::move(info), name);
    }
    if (!done) {
        if (done.error().kind != Kind::cancelled && !plain) {
            ICL_CO_TRY(co_await sink(http::tar_damage(done.error().text)));
        }
        co_return done;
    }
    if (compress) co_return co_await call.write(gzip.finish());
    co_return ok();
}

namespace {

/// Sizes of the held part of a DAG.
struct Locality {
    bool whole = true;
    std::uint64_t bytes = 0;
};

Async<Locality> locality(Call& call, Cid root) {
    Locality out;
    dag::DagWalk walk(std::move(root));
    const auto held = call.node().reader(true);
    while (auto step = walk.next()) {
        auto block = co_await held->read(step->cid);
        if (!block) {
            if (block.error().kind != Kind::not_found) co_return fail(block.error());
            out.whole = false;
            walk.skip(*step);
            continue;
        }
        out.bytes += block.value().size();
        ICL_CO_TRY(walk.arrived(*step, block.value()));
    }
    co_return out;
}

}  // namespace

Async<> files_stat(Call& call) {
    const auto& argument = call.arguments()[0];
    const bool formats = (call.flag("hash") && call.flag("size")) ||
                         ((call.flag("hash") || call.flag("size")) && call.has("format") &&
                          !call.text("format").starts_with("<hash>\nSize: <size>"));
    if (formats)
        co_return fail(Kind::invalid,
                       "invalid parameters: format was set by multiple options. Only one format "
                       "option is allowed");
    if (argument.starts_with('/') && !argument.starts_with("/ipfs/") &&
        !argument.starts_with("/ipld/") && !argument.starts_with("/ipns/"))
        co_return fail(Kind::unsupported,
                       "this node has no mutable file system: only /ipfs/ paths are known, not \"" +
                           argument + "\"");
    if (!argument.starts_with('/') && !argument.starts_with("ipfs:"))
        co_return fail(Kind::invalid, "paths must start with a leading slash");
    ICL_CO_TRY(auto found, co_await look(call, argument));
    const auto& view = found.view;
    if (view.type == NodeType::other)
        co_return fail(Kind::invalid, "not unixfs node (proto or raw)");
    const auto links =
        view.type == NodeType::hamt_directory ? view.shard.links.size() : view.links.size();
    std::optional<Locality> local;
    if (call.flag("with-local")) {
        ICL_CO_TRY(local, co_await locality(call, found.cid));
    }
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("Hash", call.cid(found.cid));
        o.put("Size", view.file_size);
        o.put("CumulativeSize", dag::cumulative_size(view, found.block_size));
        o.put("Blocks", links);
        o.put("Type", view.is_directory() ? "directory" : "file");
        if (local) {
            o.put("WithLocality", true);
            if (local->whole) o.put("Local", true);
            if (local->bytes > 0) o.put("SizeLocal", local->bytes);
        }
        // Go's mode bits of a symbolic link, in octal.
        if (view.type == NodeType::symlink) o.put("Mode", "1000000777");
    }
    co_return co_await call.emit_once(std::move(row));
}

}  // namespace ipfscluster::ipfs_rpc
