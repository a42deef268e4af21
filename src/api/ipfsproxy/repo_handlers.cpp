// repo/stat, repo/gc.
#include "api/ipfsproxy/handlers.hpp"
#include "api/ipfsproxy/replies.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

/// Causes kept for the trailer of a collection.
constexpr std::size_t kGcErrorBytesMax = 4096;

}  // namespace

Async<> post_repo_stat(Deps deps, Exchange& e) {
    auto total = co_await deps.cluster.repo_stat();
    if (!total) co_return co_await send_failure(e, total.error());
    std::string body;
    codec::append_json(body, total.value());
    co_return co_await send_json(e, std::move(body));
}

Async<> post_repo_gc(Deps deps, Exchange& e, Call call) {
    auto stream_errors = bool_option(call.query, "stream-errors", false);
    if (!stream_errors) co_return co_await send_failure(e, 400, stream_errors.error().text);
    auto silent = bool_option(call.query, "silent", false);
    if (!silent) co_return co_await send_failure(e, 400, silent.error().text);
    auto text = CidWriter::from(call.query);
    if (!text) co_return co_await send_failure(e, text.error());
    auto keys = deps.cluster.repo_gc_keys();
    start_rows(e);
    // A collection takes long; its client shall see that it runs.
    ICL_CO_TRY(co_await e.flush());
    std::string failures;
    for (std::size_t row_count = 1;; ++row_count) {
        auto key = co_await keys->next();
        if (!key) {
            if (key.error().kind == Kind::cancelled) co_return fail(key.error());
            failures += (failures.empty() ? "" : "; ") + key.error().text;
            break;
        }
        if (!key.value()) break;
        if (row_count % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await take_turn());
        }
        const auto& row = *key.value();
        if (!row.error.empty() && failures.size() < kGcErrorBytesMax)
            failures += (failures.empty() ? "" : "; ") + row.error;
        if (silent.value()) continue;
        std::string line;
        if (row.error.empty()) {
            line = "{\"Key\":{\"/\":\"" + text.value()(row.key) + "\"}}\n";
        } else if (stream_errors.value()) {
            line = "{\"Key\":null,\"Error\":";
            codec::append_json(line, row.error);
            line += "}\n";
        }
        if (line.empty()) continue;
        ICL_CO_TRY(co_await e.write(std::move(line)));
    }
    if (failures.empty()) co_return co_await end_rows(e, ok());
    if (stream_errors.value()) failures = "encountered errors during gc run";
    Error error{Kind::internal, std::move(failures)};
    co_return co_await end_rows(e, fail(std::move(error)));
}

}  // namespace ipfscluster::ipfsproxy
