#include <ostream>

#include "cli/ctl/commands.hpp"

namespace ipfscluster::ctl {
namespace {

/// What follows an accepted pin or unpin: wait if asked, then the status or the pin itself.
Exit finish(Context* context, Pin pin, TrackerStatus target) {
    const FlagValues& flags = context->flags();
    Waited waited;
    if (flags.boolean("wait")) {
        std::int64_t limit = flags.integer("wait-limit");
        if (limit == 0 && target == TrackerStatus::pinned) limit = pin.options.replication_min;
        waited = co_await wait_for(context, pin.cid, target, limit);
        if (waited.exit != kExitOk) co_return waited.exit;
    }
    if (flags.boolean("no-status")) {
        put(*context, pin);
        co_return kExitOk;
    }
    if (flags.boolean("wait")) {
        put(*context, waited.status);
        co_return kExitOk;
    }
    // Most pins are under way by then.
    (void)co_await context->world.sleep_for(std::chrono::seconds(1));
    co_return co_await print_one(context, context->api.status(pin.cid, false));
}

Exit pin_path(Context* context, std::string path, PinOptions options) {
    auto pin = co_await context->api.pin(std::move(path), std::move(options));
    if (!pin) co_return report(*context, pin.error());
    co_return co_await finish(context, std::move(pin.value()), TrackerStatus::pinned);
}

}  // namespace

Exit run_pin_add(Context* context) {
    auto path = content_path(context->argument(0));
    if (!path) co_return complain(*context, "parsing cid", path.error().text);
    auto options = pin_options(*context);
    if (!options) co_return complain(*context, "parsing options", options.error().text);
    co_return co_await pin_path(context, std::move(path.value()), std::move(options.value()));
}

Exit run_pin_rm(Context* context) {
    auto path = content_path(context->argument(0));
    if (!path) co_return complain(*context, "parsing cid", path.error().text);
    auto pin = co_await context->api.unpin(std::move(path.value()));
    if (!pin) co_return report(*context, pin.error());
    co_return co_await finish(context, std::move(pin.value()), TrackerStatus::unpinned);
}

Exit run_pin_update(Context* context) {
    const auto from = Cid::parse(context->argument(0));
    if (!from) co_return complain(*context, "parsing the old cid", from.error().text);
    auto path = content_path(context->argument(1));
    if (!path) co_return complain(*context, "parsing the new cid", path.error().text);
    auto options = pin_options(*context);
    if (!options) co_return complain(*context, "parsing options", options.error().text);
    options.value().pin_update = from.value();
    co_return co_await pin_path(context, std::move(path.value()), std::move(options.value()));
}

namespace {

/// The known names of a comma list; `invalid` when there is none in a list that is not empty.
Result<std::string> pin_type_filter(const std::string& list) {
    std::string known;
    std::size_t begin = 0;
    while (begin <= list.size()) {
        const std::size_t comma = std::min(list.find(',', begin), list.size());
        const std::string name = list.substr(begin, comma - begin);
        if (!name.empty() && parse_pin_type(name) != PinType::bad)
            known += (known.empty() ? "" : ",") + name;
        begin = comma + 1;
    }
    if (known.empty() && !list.empty())
        return fail(Kind::invalid, "\"" + list + "\" names no type of pin");
    return known;
}

}  // namespace

Exit run_pin_ls(Context* context) {
    const std::string argument = context->argument(0);
    if (!argument.empty()) {
        const auto cid = Cid::parse(argument);
        if (!cid) co_return complain(*context, "parsing cid", cid.error().text);
        co_return co_await print_one(context, context->api.allocation(cid.value()));
    }
    const FlagValues& flags = context->flags();
    const auto filter = pin_type_filter(flags.has("filter") ? flags.text("filter") : "all");
    if (!filter) co_return complain(*context, "parsing filter", filter.error().text);
    co_return co_await print_stream(context, context->api.allocations(filter.value()));
}

Exit run_status(Context* context) {
    const bool local = context->flags().boolean("local");
    std::vector<Cid> cids;
    for (const std::string& argument : context->line.arguments) {
        const auto cid = Cid::parse(argument);
        if (!cid) co_return complain(*context, "parsing cid", cid.error().text);
        cids.push_back(cid.value());
    }
    if (cids.size() == 1)
        co_return co_await print_one(context, context->api.status(cids[0], local));
    const std::string filter = context->flags().text("filter");
    const auto known = parse_status_filter(filter);
    if (!known) co_return complain(*context, "parsing filter", known.error().text);
    co_return co_await print_stream(context, context->api.statuses(filter, local, std::move(cids)));
}

Exit run_recover(Context* context) {
    const bool local = context->flags().boolean("local");
    const std::string argument = context->argument(0);
    if (argument.empty()) co_return co_await print_stream(context, context->api.recover_all(local));
    const auto cid = Cid::parse(argument);
    if (!cid) co_return complain(*context, "parsing cid", cid.error().text);
    co_return co_await print_one(context, context->api.recover(cid.value(), local));
}

Exit run_sync(Context* context) {
    const bool local = context->flags().boolean("local");
    const std::string argument = context->argument(0);
    if (argument.empty()) co_return co_await print_stream(context, context->api.sync_all(local));
    const auto cid = Cid::parse(argument);
    if (!cid) co_return complain(*context, "parsing cid", cid.error().text);
    co_return co_await print_one(context, context->api.sync(cid.value(), local));
}

}  // namespace ipfscluster::ctl
