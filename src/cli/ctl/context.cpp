#include "cli/ctl/context.hpp"

#include <ostream>

#include "base/log.hpp"
#include "base/text.hpp"
#include "http/pipeline.hpp"

namespace ipfscluster::ctl {

int report(Context& context, const client::ApiError& error) {
    std::string text = error.error.text;
    if (error.error.kind == Kind::unknown_outcome)
        text += " (the request was sent: it may have been carried out)";
    if (error.code == 0) logger("apiclient")->error("no answer from the server error=\"{}\"", text);
    context.out << error_block(error.code, text, context.json);
    return error.code == 0 ? kExitFailed : kExitRefused;
}

int complain(Context& context, std::string_view doing, std::string_view cause) {
    context.err << "error " << doing << ": " << cause << "\n";
    return kExitFailed;
}

Result<PeerId> peer_argument(const std::string& text) {
    if (text.empty()) return fail(Kind::invalid, "a peer id is needed");
    const auto quoted = "\"" + text + "\"";
    if (!text.starts_with('/')) {
        auto id = PeerId::parse(text);
        if (!id) return fail(id.error().in(quoted));
        return id;
    }
    const auto address = Multiaddr::parse(text);
    if (!address) return fail(address.error().in(quoted));
    const auto id = address.value().peer_id();
    if (!id) return fail(Kind::invalid, quoted + ": the address has no /p2p/<peer id>");
    return *id;
}

Result<std::string> content_path(const std::string& argument) {
    if (argument.empty()) return fail(Kind::invalid, "a CID or path is needed");
    // As the server takes it: an address with `//` or `.` in it would only be sent elsewhere.
    std::string path = argument.starts_with('/') ? argument : "/ipfs/" + argument;
    if ((path + "/").find("/../") != std::string::npos)
        return fail(Kind::invalid, "\"" + argument + "\": a path must not climb by \"..\"");
    path = http::clean_path(path);
    if (path.ends_with('/')) path.pop_back();
    const std::size_t end_of_kind = path.find('/', 1);
    const std::string kind = path.substr(0, end_of_kind);
    if (end_of_kind == std::string::npos || (kind != "/ipfs" && kind != "/ipns" && kind != "/ipld"))
        return fail(Kind::invalid, "\"" + argument + "\" is no CID and no path in /ipfs or /ipns");
    if (kind != "/ipns") {
        const std::size_t start = end_of_kind + 1;
        const std::size_t end = path.find('/', start);
        const auto cid =
            Cid::parse(path.substr(start, end == std::string::npos ? end : end - start));
        if (!cid) return fail(cid.error().in("\"" + argument + "\""));
    }
    return path;
}

namespace {

Result<> take_allocations(const std::string& list, PinOptions& options) {
    for (const auto item : split_words(list)) {
        const auto id = PeerId::parse(item);
        if (!id) return fail(id.error().in("allocations: \"" + std::string(item) + "\""));
        options.user_allocations.push_back(id.value());
    }
    return ok();
}

}  // namespace

Result<PinOptions> pin_options(Context& context) {
    const FlagValues& flags = context.flags();
    PinOptions options;
    options.name = flags.text("name");
    for (const auto& [flag, field] : {std::pair("replication-min", &options.replication_min),
                                      std::pair("replication-max", &options.replication_max)}) {
        std::int64_t value = flags.integer(flag);
        if (flags.integer("replication") != 0) value = flags.integer("replication");
        if (value < -1 || value > INT32_MAX)
            return fail(Kind::invalid, std::string(flag) + ": must be -1 or more");
        *field = static_cast<int>(value);
    }
    const std::string mode = flags.text("mode");
    if (mode == "direct")
        options.mode = PinMode::direct;
    else if (!mode.empty() && mode != "recursive")
        return fail(Kind::invalid, "mode: \"" + mode + "\" is neither recursive nor direct");
    if (flags.duration("expire-in").count() < 0)
        return fail(Kind::invalid, "expire-in: must not be negative");
    if (flags.duration("expire-in").count() > 0)
        options.expire_at = context.world.system_now() + flags.duration("expire-in");
    for (const std::string& item : flags.list("metadata")) {
        const std::size_t equals = item.find('=');
        if (equals == std::string::npos || equals == 0)
            return fail(Kind::invalid, "metadata: \"" + item + "\" is not key=value");
        options.metadata[item.substr(0, equals)] = item.substr(equals + 1);
    }
    ICL_TRY(take_allocations(flags.text("allocations"), options));
    return options;
}

namespace {

bool failed(TrackerStatus status) {
    return status == TrackerStatus::undefined || status == TrackerStatus::cluster_error ||
           status == TrackerStatus::pin_error || status == TrackerStatus::unpin_error;
}

/// How far a pin is from where it shall be.
struct Distance {
    std::string failure;  ///< what a peer says went wrong
    bool reached = false;
};

Distance measure(const GlobalPinInfo& status, TrackerStatus target, std::int64_t limit) {
    std::int64_t reached = 0;
    std::int64_t concerned = 0;
    for (const auto& [id, info] : status.peer_map) {
        if (failed(info.status))
            return {std::string(to_string(info.status)) + " on " +
                        (info.peername.empty() ? id.to_string() : info.peername) +
                        (info.error.empty() ? "" : ": " + info.error),
                    false};
        if (target == TrackerStatus::pinned && info.status == TrackerStatus::remote) continue;
        ++concerned;
        if (info.status == target) ++reached;
    }
    const auto peers = static_cast<std::int64_t>(status.peer_map.size());
    if (limit > 0) return {{}, reached >= std::min(limit, peers)};
    // Nobody concerned: nothing has been allocated to a peer that answers yet.
    return {{}, concerned > 0 && reached == concerned};
}

}  // namespace

asio::awaitable<Waited> wait_for(Context* context, Cid cid, TrackerStatus target,
                                 std::int64_t limit) {
    constexpr std::string_view doing = "waiting for pin status";
    const Duration patience = context->flags().duration("wait-timeout");
    const auto start = context->world.steady_now();
    while (true) {
        (void)co_await context->world.sleep_for(std::chrono::seconds(1));
        auto status = co_await context->api.status(cid, false);
        if (!status) co_return Waited{report(*context, status.error()), {}};
        const Distance distance = measure(status.value(), target, limit);
        if (!distance.failure.empty())
            co_return Waited{complain(*context, doing, distance.failure), {}};
        if (distance.reached) co_return Waited{kExitOk, std::move(status.value())};
        if (patience.count() > 0 && context->world.steady_now() - start >= patience) {
            complain(*context, doing, "deadline exceeded after " + format_go_duration(patience));
            co_return Waited{kExitWaitTimeout, {}};
        }
    }
}

}  // namespace ipfscluster::ctl
