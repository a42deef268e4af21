#pragma once
#include <iosfwd>
#include <string>
#include <utility>

#include "cli/ctl/format.hpp"
#include "cli/grammar/command_line.hpp"
#include "client/rest_client.hpp"

namespace ipfscluster::ctl {

using namespace cli;

/// Exit codes (reference/programs 4.8).
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;   ///< bad arguments, local failures, no answer
inline constexpr int kExitRefused = 2;  ///< the server answered with an error
inline constexpr int kExitUnknown = 3;  ///< unknown command
inline constexpr int kExitWaitTimeout = 62;

/// What a command works with. Owned by run(), outlives the command.
struct Context {
    World& world;
    client::RestClient& api;
    const CommandLine& line;
    bool json = false;
    bool terminal = false;  ///< standard error is one
    std::ostream& out;
    std::ostream& err;

    const FlagValues& flags() const { return line.flags; }
    /// The argument at that place; empty when missing.
    std::string argument(std::size_t at) const {
        return at < line.arguments.size() ? line.arguments[at] : std::string();
    }
};

/// The exit code of a command. Everything it has to say has been printed.
using Exit = asio::awaitable<int>;

/// Prints a failed request: the error block on standard output; code 0 is logged, too.
int report(Context& context, const client::ApiError& error);
/// `error <doing>: <cause>` on standard error.
int complain(Context& context, std::string_view doing, std::string_view cause);

template <class T>
void put(Context& context, const T& value) {
    context.out << (context.json ? json_of(value) : text_of(value));
}

/// Prints what a call gives, or its failure.
template <class T>
Exit print_one(Context* context, client::Call<T> call) {
    const auto value = co_await std::move(call);
    if (!value) co_return report(*context, value.error());
    put(*context, value.value());
    co_return kExitOk;
}

/// Prints each item as it comes.
template <class T>
Exit print_stream(Context* context, client::Call<client::StreamPtr<T>> call) {
    auto stream = co_await std::move(call);
    if (!stream) co_return report(*context, stream.error());
    while (true) {
        const auto item = co_await stream.value()->next();
        if (!item) co_return report(*context, item.error());
        if (!item.value()) co_return kExitOk;
        put(*context, *item.value());
        if (!context->out) co_return kExitOk;  // nobody reads on; whoever ends the command says so
    }
}

/// A peer id, or that of an address which ends with one.
Result<PeerId> peer_argument(const std::string& text);
/// "/ipfs/<cid>…" of a CID or path the user gave; the CID in it has been checked.
Result<std::string> content_path(const std::string& argument);
/// Pin options from the flags pin add, pin update and add share.
Result<PinOptions> pin_options(Context& context);

/// Polls the status of `cid` each second until enough peers have reached `target`. The exit code
/// when it fails, after saying why.
struct Waited {
    int exit = kExitOk;
    GlobalPinInfo status;
};
asio::awaitable<Waited> wait_for(Context* context, Cid cid, TrackerStatus target,
                                 std::int64_t limit);

}  // namespace ipfscluster::ctl
