#include "api/rest/handlers.hpp"
#include "api/rest/replies.hpp"
#include "api/rest/request.hpp"
#include "base/text.hpp"

namespace ipfscluster::rest {

namespace {

/// The bits of a comma list of pin types; empty: all. Unknown words are passed over, but not only
/// those.
Result<std::uint32_t> pin_types_of(std::string_view text) {
    if (text.empty()) return static_cast<std::uint32_t>(PinType::all);
    std::uint32_t bits = 0;
    for (const auto word : split_words(text)) {
        const auto type = parse_pin_type(word);
        if (type != PinType::bad) bits |= static_cast<std::uint32_t>(type);
    }
    if (bits == 0)
        return fail(Kind::invalid, "filter: no pin type in \"" + std::string(text) + "\"");
    return bits;
}

Result<PinOptions> options_of(Deps deps, const Exchange& e) {
    ICL_TRY(auto query, query_of(e));
    return codec::parse_pin_options(query, deps.world.system_now());
}

/// `/ipfs/` and `/ipld/` paths begin with a CID; whatever follows is the daemon's to resolve.
Result<> check_content_path(std::string_view path) {
    const auto root = path.substr(6, path.find('/', 6) - 6);
    if (root.empty())
        return fail(Kind::invalid, "path: nothing after " + std::string(path.substr(0, 6)));
    if (path.starts_with("/ipns/")) return ok();
    ICL_TRY(cid_of(root));
    return ok();
}

}  // namespace

Async<> get_allocations(Deps deps, Exchange& e) {
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    auto types = pin_types_of(codec::query_value(query.value(), "filter"));
    if (!types) co_return co_await send_bad_request(e, types.error());
    co_return co_await stream_rows(e, deps.cluster.pins(types.value()));
}

Async<> get_allocation(Deps deps, Exchange& e, std::string text) {
    auto cid = cid_of(text);
    if (!cid) return send_bad_request(e, cid.error());
    return send_result(e, deps.cluster.pin_get(cid.value()));
}

Async<> post_pin(Deps deps, Exchange& e, std::string text) {
    auto cid = cid_of(text);
    if (!cid) co_return co_await send_bad_request(e, cid.error());
    auto options = options_of(deps, e);
    if (!options) co_return co_await send_bad_request(e, options.error());
    Pin pin;
    pin.cid = std::move(cid.value());
    pin.options = std::move(options.value());
    pin.max_depth = pin.options.mode == PinMode::direct ? kDepthDirect : kDepthRecursive;
    auto pinned = co_await deps.cluster.pin(std::move(pin));
    co_return co_await send_result(e, std::move(pinned));
}

Async<> delete_pin(Deps deps, Exchange& e, std::string text) {
    auto cid = cid_of(text);
    if (!cid) co_return co_await send_bad_request(e, cid.error());
    auto removed = co_await deps.cluster.unpin(std::move(cid.value()));
    co_return co_await send_result(e, std::move(removed));
}

Async<> post_pin_path(Deps deps, Exchange& e, std::string path) {
    auto good = check_content_path(path);
    if (!good) co_return co_await send_bad_request(e, good.error());
    auto options = options_of(deps, e);
    if (!options) co_return co_await send_bad_request(e, options.error());
    auto pinned = co_await deps.cluster.pin_path(std::move(path), std::move(options.value()));
    co_return co_await send_result(e, std::move(pinned));
}

Async<> delete_pin_path(Deps deps, Exchange& e, std::string path) {
    auto good = check_content_path(path);
    if (!good) co_return co_await send_bad_request(e, good.error());
    auto removed = co_await deps.cluster.unpin_path(std::move(path));
    co_return co_await send_result(e, std::move(removed));
}

}  // namespace ipfscluster::rest
