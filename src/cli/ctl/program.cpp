#include "cli/ctl/program.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <ostream>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "cli/ctl/command_table.hpp"
#include "cli/ctl/commands.hpp"
#include "client/host_list.hpp"
#include "runtime/asio_world.hpp"

namespace ipfscluster::ctl {
namespace {

constexpr const char* kProgram = "ipfs-cluster-ctl";
/// Without --timeout: how long a connection may stand still. Long, because a server that commits a
/// large upload says nothing meanwhile.
constexpr Duration kStallMax = std::chrono::minutes(30);

struct Handler {
    std::string_view path;
    Exit (*run)(Context*);
};
constexpr std::array kHandlers{
    Handler{"id", run_id},
    Handler{"version", run_version},
    Handler{"peers ls", run_peers_ls},
    Handler{"peers add", run_peers_add},
    Handler{"peers rm", run_peers_rm},
    Handler{"peers cordon", run_peers_cordon},
    Handler{"peers uncordon", run_peers_uncordon},
    Handler{"peers drain", run_peers_drain},
    Handler{"add", run_add},
    Handler{"pin add", run_pin_add},
    Handler{"pin rm", run_pin_rm},
    Handler{"pin update", run_pin_update},
    Handler{"pin ls", run_pin_ls},
    Handler{"get", run_get},
    Handler{"cat", run_cat},
    Handler{"status", run_status},
    Handler{"recover", run_recover},
    Handler{"sync", run_sync},
    Handler{"health graph", run_health_graph},
    Handler{"health metrics", run_health_metrics},
    Handler{"health alerts", run_health_alerts},
    Handler{"health bandwidth", run_health_bandwidth},
    Handler{"ipfs gc", run_ipfs_gc},
};

void list_commands(const CommandSpec& command, const std::string& prefix, std::ostream& out) {
    for (const CommandSpec& sub : command.commands) {
        if (sub.name == "h") continue;
        out << prefix << " " << sub.name << "\n";
        list_commands(sub, prefix + " " + sub.name, out);
    }
}

int fail_with(Streams& streams, std::string_view doing, std::string_view cause) {
    streams.err << "error " << doing << ": " << cause << "\n";
    return kExitFailed;
}

int unknown(Streams& streams, const std::string& word) {
    streams.err << "No help topic for '" << word << "'\n";
    return kExitUnknown;
}

int show_help(const std::vector<std::string>& path, Streams& streams) {
    const auto page = help_page(command_table(), path);
    if (!page) return unknown(streams, page.error().text);
    streams.out << page.value();
    return kExitOk;
}

/// What the global flags say of the connection.
Result<client::ClientOptions> client_options(const FlagValues& globals,
                                             const config::Environment& env) {
    client::ClientOptions options;
    const std::string usual = "/ip4/127.0.0.1/tcp/9094";
    ICL_TRY(options.hosts, client::parse_hosts(globals.has("host") ? globals.text("host") : usual));
    const auto secret = hex_decode(globals.text("secret"));
    if (!secret || (!secret.value().empty() && secret.value().size() != 32))
        return fail(Kind::invalid, "secret: must have 64 hexadecimal digits");
    const std::int64_t seconds = globals.integer("timeout");
    if (seconds < 0 || seconds > 1'000'000'000)
        return fail(Kind::invalid, "timeout: must be a number of seconds");
    options.timeout = std::chrono::seconds(seconds);
    const std::string credentials = globals.has("basic-auth")
                                        ? globals.text("basic-auth")
                                        : env.get("CLUSTER_CREDENTIALS").value_or("");
    const bool tls =
        globals.boolean("https") || (!credentials.empty() && !globals.boolean("force-http"));
    const std::size_t colon = credentials.find(':');
    for (http::ClientConfig& host : options.hosts) {
        host.tls = host.tls || (tls && host.unix_path.empty());
        host.tls_verify = !globals.boolean("no-check-certificate");
        host.basic_user = credentials.substr(0, colon);
        if (colon != std::string::npos) host.basic_password = credentials.substr(colon + 1);
        host.stall_timeout = kStallMax;
    }
    return options;
}

asio::awaitable<void> run_handler(Context* context, Exit (*handler)(Context*), int* exit) {
    *exit = co_await handler(context);
    context->api.close();
}

int run_command(const CommandLine& line, Exit (*handler)(Context*), client::ClientOptions options,
                bool as_json, Streams& streams) {
    asio::io_context io;
    AsioWorld world(io);
    int exit = kExitFailed;
    {
        client::RestClient api(world, std::move(options));
        Context context{world, api, line, as_json, streams.terminal, streams.out, streams.err};
        asio::co_spawn(world.executor(), run_handler(&context, handler, &exit), asio::detached);
        io.run();
    }
    world.join();
    streams.out.flush();
    if (!streams.out && exit == kExitOk)
        return fail_with(streams, "printing", "cannot write to standard output");
    return exit;
}

int run_line(const CommandLine& line, const config::Environment& env, Streams& streams) {
    const std::string encoding =
        line.globals.has("encoding") ? line.globals.text("encoding") : "text";
    if (encoding != "text" && encoding != "json")
        return fail_with(streams, "parsing options", "unsupported encoding \"" + encoding + "\"");
    if (auto set = set_log_levels(line.globals.boolean("debug") ? "debug" : "error"); !set)
        return fail_with(streams, "setting the log level", set.error().text);
    const std::string path = joined(line.path);
    const auto handler = std::find_if(kHandlers.begin(), kHandlers.end(),
                                      [&](const Handler& known) { return known.path == path; });
    if (handler == kHandlers.end()) return show_help(line.path, streams);
    auto options = client_options(line.globals, env);
    if (!options) return fail_with(streams, "creating the client", options.error().text);
    return run_command(line, handler->run, std::move(options.value()), encoding == "json", streams);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const config::Environment& env,
        Streams streams) {
    const CommandSpec& app = command_table();
    const auto parsed = parse_command_line(app, arguments);
    if (!parsed) {
        const UsageError& error = parsed.error();
        if (error.unknown_command) return unknown(streams, error.text);
        streams.out << "Incorrect Usage" << (error.path.empty() ? ". " : ": ") << error.text
                    << "\n\n";
        show_help(error.path, streams);
        return kExitFailed;
    }
    const CommandLine& line = parsed.value();
    if (line.version) {
        streams.out << kProgram << " version " << kClusterVersion << "\n";
        return kExitOk;
    }
    if (line.help) return show_help(line.path, streams);
    const std::string path = joined(line.path);
    if (path == "help" || path == "h") return show_help(line.arguments, streams);
    if (path == "commands") {
        list_commands(app, kProgram, streams.out);
        return kExitOk;
    }
    return run_line(line, env, streams);
}

}  // namespace ipfscluster::ctl
