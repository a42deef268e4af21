#include "api/adding/upload.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "http/header_params.hpp"
#include "http/multipart_reader.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::adding {

namespace {

using component::AddSession;

constexpr std::size_t kLinkTargetMax = 4096;

enum class NodeKind { file, directory, symlink };

struct NodeHead {
    NodeKind kind = NodeKind::file;
    std::string path;
};

Result<NodeHead> parse_node_head(const http::Headers& fields) {
    NodeHead head;
    const auto type = http::parse_header_params(fields.get("Content-Type"));
    if (!type) return fail(type.error().in("Content-Type of a part"));
    if (type.value().value == "application/x-directory" ||
        type.value().value == "multipart/form-data")
        head.kind = NodeKind::directory;
    else if (type.value().value == "application/symlink")
        head.kind = NodeKind::symlink;
    const auto disposition = http::parse_header_params(fields.get("Content-Disposition"));
    if (!disposition) return fail(disposition.error().in("Content-Disposition of a part"));
    const std::string raw(disposition.value().get("filename"));
    auto name = url_unescape(raw, true);
    // As in Go, a name that is not escaped properly stands for itself.
    head.path = clean_relative_path(name ? name.value() : raw);
    if (head.path.find('\0') != std::string::npos)
        return fail(Kind::invalid, "a file name holds a zero byte");
    return head;
}

struct Upload {
    http::MultipartReader& parts;
    AddSession& session;
    AddReply& reply;

    Async<> flush_outputs() { return reply.put(session.take_outputs()); }
    Async<> one_file(std::string path);
    Async<> one_link(std::string path);
    Async<> run();
};

Async<> Upload::one_file(std::string path) {
    ICL_CO_TRY(co_await session.begin_file(std::move(path)));
    while (true) {
        ICL_CO_TRY(auto piece, co_await parts.read());
        if (piece.empty()) break;
        ICL_CO_TRY(co_await session.write(std::move(piece)));
        ICL_CO_TRY(co_await check_cancelled());
        ICL_CO_TRY(co_await flush_outputs());
    }
    co_return co_await session.end_file();
}

Async<> Upload::one_link(std::string path) {
    std::string target;
    while (true) {
        ICL_CO_TRY(auto piece, co_await parts.read());
        if (piece.empty()) break;
        target += piece;
        if (target.size() > kLinkTargetMax)
            co_return fail(Kind::invalid, path + ": the link's target is too long");
    }
    co_return co_await session.add_symlink(std::move(path), std::move(target));
}

Async<> Upload::run() {
    std::size_t count = 0;
    while (true) {
        ICL_CO_TRY(auto fields, co_await parts.next_part());
        if (!fields) break;
        ++count;
        ICL_CO_TRY(auto head, parse_node_head(*fields));
        Result<> added = ok();
        if (head.kind == NodeKind::directory)
            added = co_await session.add_directory(std::move(head.path));
        else if (head.kind == NodeKind::symlink)
            added = co_await one_link(std::move(head.path));
        else
            added = co_await one_file(std::move(head.path));
        if (!added) co_return added;
        ICL_CO_TRY(co_await flush_outputs());
    }
    if (count == 0) co_return fail(Kind::invalid, "the multipart body has no parts");
    ICL_CO_TRY(auto root, co_await session.finish());
    (void)root;  // the last output names it
    co_return co_await flush_outputs();
}

}  // namespace

Async<> upload(http::Exchange& exchange, std::string boundary, component::AddSession& session,
               AddReply& reply) {
    auto* from = &exchange;
    http::MultipartReader parts(std::move(boundary), [from] { return from->read_body(); });
    Upload work{parts, session, reply};
    co_return co_await work.run();
}

}  // namespace ipfscluster::adding
