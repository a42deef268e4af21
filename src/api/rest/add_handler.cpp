#include "api/adding/add_params.hpp"
#include "api/adding/upload.hpp"
#include "api/rest/handlers.hpp"
#include "api/rest/replies.hpp"
#include "api/rest/request.hpp"
#include "http/multipart_reader.hpp"

namespace ipfscluster::rest {

namespace {

void append_output(std::string& out, const AddedOutput& output) {
    codec::append_json(out, output);
}

}  // namespace

Async<> post_add(Deps deps, Exchange& e) {
    auto boundary = http::multipart_boundary(e.request.headers.get("Content-Type"));
    if (!boundary) co_return co_await send_bad_request(e, boundary.error());
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    auto parsed = adding::parse_add_query(query.value(), deps.world.system_now());
    if (!parsed) co_return co_await send_bad_request(e, parsed.error());

    adding::AddForm form;
    form.stream = parsed.value().stream;
    form.append = append_output;
    form.send_error = [](Exchange& exchange, Error error) {
        return send_error(exchange, 500, std::move(error.text));
    };
    adding::AddReply reply(deps.world, e, form);
    auto session = co_await deps.cluster.add(std::move(parsed.value().params));
    if (!session) co_return co_await reply.fail_with(session.error());
    auto done = co_await adding::upload(e, std::move(boundary.value()), *session.value(), reply);
    // An unfinished session lets go of its blocks before the client hears of the failure.
    session.value().reset();
    if (!done) co_return co_await reply.fail_with(done.error());
    co_return co_await reply.succeed();
}

}  // namespace ipfscluster::rest
