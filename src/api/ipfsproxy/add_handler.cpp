// add.
#include "api/adding/upload.hpp"
#include "api/ipfsproxy/add_query.hpp"
#include "api/ipfsproxy/handlers.hpp"
#include "api/ipfsproxy/replies.hpp"
#include "http/multipart_reader.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

/// `{"Name":…,"Hash":…,"Size":"…"}`, or `{"Name":…,"Bytes":…}` while a file is read.
void append_event(std::string& out, const AddedOutput& output, const CidWriter& text) {
    codec::JsonObject object(out);
    object.put("Name", output.name);
    if (output.cid.defined()) object.put("Hash", text(output.cid));
    if (output.bytes > 0) object.put("Bytes", output.bytes);
    if (output.cid.defined()) object.put("Size", std::to_string(output.size));
}

}  // namespace

Async<> post_add(Deps deps, Exchange& e, Call call) {
    auto boundary = http::multipart_boundary(e.request.headers.get("Content-Type"));
    if (!boundary) co_return co_await send_failure(e, boundary.error());
    auto text = CidWriter::from(call.query);
    if (!text) co_return co_await send_failure(e, text.error());
    auto parsed = parse_kubo_add(call.query, deps.world.system_now());
    if (!parsed) co_return co_await send_failure(e, parsed.error());

    adding::AddForm form;
    form.stream = parsed.value().stream;
    form.append = [text = text.value()](std::string& out, const AddedOutput& output) {
        append_event(out, output, text);
    };
    form.send_error = [](Exchange& exchange, Error error) {
        return send_failure(exchange, std::move(error));
    };
    // What the importer refuses at once is a failure at once, as Kubo's: the answer begins after
    // it.
    auto session = co_await deps.cluster.add(std::move(parsed.value().params));
    if (!session) co_return co_await send_failure(e, session.error());
    adding::AddReply reply(deps.world, e, std::move(form));
    auto done = co_await adding::upload(e, std::move(boundary.value()), *session.value(), reply);
    // An unfinished session lets go of its blocks before the client hears of the failure.
    session.value().reset();
    if (!done) co_return co_await reply.fail_with(done.error());
    co_return co_await reply.succeed();
}

}  // namespace ipfscluster::ipfsproxy
