// Members that are emptied, and those that go.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/ctl/commands.hpp"

namespace ipfscluster::ctl {

namespace {

/// Between two looks at a peer that leaves.
constexpr Duration kFollowPause = std::chrono::seconds(1);
/// Looks in a row that may fail before it is given up: whoever is asked may be busy, or restart.
constexpr int kFollowFailuresMax = 10;
/// The status of a peer that is no member.
constexpr int kNotFound = 404;

asio::awaitable<int> tell(Context* context, std::string verb) {
    const bool everything = verb != "uncordon" && context->flags().boolean("everything");
    const auto peer = peer_argument(context->argument(0));
    if (!peer) co_return complain(*context, "parsing peer ID", peer.error().text);
    co_return co_await print_one(context,
                                 context->api.peer_tell(peer.value(), std::move(verb), everything,
                                                        context->flags().boolean("dry-run")));
}

/// Whether the peer that is asked is the one that leaves: then its silence does not tell whether it
/// is gone.
asio::awaitable<bool> asks_itself(Context* context, PeerId peer) {
    const auto asked = co_await context->api.id();
    co_return asked&& asked.value().id == peer;
}

std::string progress_of(const DrainReport& report, std::uint64_t most) {
    auto line = fmt::format("{}: {} of {} to go", report.kind, report.left(), most);
    if (report.kept && *report.kept > 0)
        line += fmt::format(", {} of them kept until others have theirs", *report.kept);
    if (!report.alive) line += "; it is away";
    for (const auto& item : report.stuck)
        line += fmt::format("\n  {}: {}", item.cid.to_string(), item.reason);
    return line;
}

}  // namespace

Exit run_peers_cordon(Context* context) {
    return tell(context, "cordon");
}

Exit run_peers_uncordon(Context* context) {
    return tell(context, "uncordon");
}

Exit run_peers_drain(Context* context) {
    return tell(context, "drain");
}

Exit follow_leave(Context* context, PeerId peer) {
    const bool own = co_await asks_itself(context, peer);
    std::uint64_t most = 0;
    std::string shown;
    for (int failures = 0;;) {
        const auto report = co_await context->api.peer_drain(peer);
        if (report) {
            failures = 0;
            if (report.value().kind != "leaving")
                co_return complain(*context, "following the peer",
                                   "it stays a member: it was told otherwise and is " +
                                       report.value().kind + " now");
            most = std::max(most, report.value().left() + report.value().moved.value_or(0));
            auto line = progress_of(report.value(), most);
            if (line != shown) context->err << line << std::endl;
            shown = std::move(line);
        } else if (report.error().code == kNotFound) {
            co_return kExitOk;
        } else if (++failures == kFollowFailuresMax) {
            if (!own) co_return ctl::report(*context, report.error());
            co_return complain(*context, "following the peer",
                               "the peer that leaves was asked itself and does not answer any "
                               "more: it is gone, or down; another member can tell");
        }
        (void)co_await context->world.sleep_for(kFollowPause);
    }
}

}  // namespace ipfscluster::ctl
