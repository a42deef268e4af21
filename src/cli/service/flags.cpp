#include "cli/service/flags.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "cli/grammar/command_line.hpp"
#include "config/config.hpp"

namespace ipfscluster::service {

namespace {

using cli::CommandSpec;
using cli::FlagKind;
using cli::FlagSpec;
using Command = Flags::Command;

/// Comma lists, added up.
std::vector<std::string> split_list(const std::vector<std::string>& values) {
    std::vector<std::string> out;
    for (const auto& value : values)
        for (const auto word : split_words(value)) out.emplace_back(word);
    return out;
}

/// Absolute, without a slash at its end.
std::string absolute_folder(const std::string& given) {
    auto path = std::filesystem::absolute(given).lexically_normal();
    return (path.has_filename() || path == path.root_path() ? path : path.parent_path()).string();
}

FlagSpec boolean(std::vector<std::string> names, std::string usage, bool hidden = false) {
    return {std::move(names), FlagKind::boolean, std::move(usage), "", "", hidden};
}
FlagSpec text(std::vector<std::string> names, std::string usage, std::string fallback = "",
              std::string variable = "") {
    return {std::move(names), FlagKind::text, std::move(usage), std::move(fallback),
            std::move(variable)};
}

CommandSpec init_command() {
    return {
        "init",
        "[address of a remote configuration]",
        "write configuration, identity and peerstore",
        {text({"consensus"}, "kind of consensus", std::string(config::kDefaultConsensus)),
         text({"datastore"}, "accepted for compatibility; used by crdt only"),
         text({"ipfs"},
              "\"kubo\", \"embedded\" or \"auto\": a Kubo daemon when one answers, else the node "
              "inside the peer",
              "auto"),
         boolean({"custom-secret", "s"}, "ask for the cluster secret"),
         {{"peers"}, FlagKind::list, "addresses of the other founders, each with /p2p/<id>"},
         boolean({"force", "f"}, "overwrite without asking"),
         text({"from"},
              "take identity, secret, addresses and all settings over from this folder of a Go "
              "peer"),
         boolean({"randomports"}, "listen on free ports")},
        {},
        false};
}

CommandSpec daemon_command() {
    return {
        "daemon",
        "",
        "run the peer",
        {{{"bootstrap", "j"}, FlagKind::list, "addresses of members to join"},
         boolean({"found-alone"},
                 "without data, begin a new cluster even where members that this peer remembers "
                 "do not answer"),
         boolean({"leave", "x"}, "leave the cluster at shutdown", true),
         boolean({"upgrade", "u"}, "no effect", true),
         boolean({"no-trust"}, "no effect: every member is trusted"),
         boolean({"stats"}, "not served by this build"),
         boolean({"tracing"}, "not served by this build")},
        {},
        false};
}

CommandSpec state_command() {
    const auto force = boolean({"force", "f"}, "do not ask");
    return {
        "state",
        "",
        "work on the pinset of a peer that does not run",
        {},
        {{"export",
          "",
          "write the pinset, one pin per line",
          {text({"file", "f"}, "write to this file instead of standard output")},
          {},
          false},
         {"import",
          "[file]",
          "replace the pinset by one that export wrote; without a file, by standard input",
          {force,
           {{"replication-min", "rmin"},
            FlagKind::integer,
            "smallest number of copies, for every pin"},
           {{"replication-max", "rmax"},
            FlagKind::integer,
            "largest number of copies, for every pin"},
           {{"allocations", "allocs"}, FlagKind::list, "the peers to hold every pin, by comma"}},
          {},
          false},
         {"cleanup", "", "remove the pinset and all consensus data", {force}, {}, false},
         {"accept-loss",
          "",
          "go on with data of which a part that was agreed on is lost",
          {force},
          {},
          false},
         {"crdt", "[arguments...]", "not served: this build has no crdt", {}, {}, true}},
        false};
}

const CommandSpec& grammar() {
    static const CommandSpec app{
        "ipfs-cluster-service",
        "",
        "IPFS Cluster peer",
        {text({"config", "c"}, "folder of configuration and data", "", "IPFS_CLUSTER_PATH"),
         boolean({"force", "f"}, "no effect; the commands have their own"),
         boolean({"debug", "d"}, "log everything"),
         text({"loglevel", "l"}, "\"level\" or \"level,facility:level\"", "info",
              "IPFS_CLUSTER_LOG_LEVEL")},
        {init_command(),
         daemon_command(),
         state_command(),
         {"version", "", "print the version", {}, {}, false},
         {"help", "[command]", "show help", {}, {}, false},
         {"h", "[command]", "show help", {}, {}, true}},
        false};
    return app;
}

/// What each command is called, and how many arguments it takes.
struct Known {
    std::string_view path;
    Command command;
    std::size_t arguments_max = 0;
};
constexpr std::array kKnown{
    Known{"", Command::none},
    Known{"init", Command::init, 1},
    Known{"daemon", Command::daemon},
    Known{"state", Command::help},
    Known{"state export", Command::state_export},
    Known{"state import", Command::state_import, 1},
    Known{"state cleanup", Command::state_cleanup},
    Known{"state accept-loss", Command::state_accept_loss},
    Known{"state crdt", Command::none, SIZE_MAX},
    Known{"version", Command::version},
    Known{"help", Command::help, SIZE_MAX},
    Known{"h", Command::help, SIZE_MAX},
};

Result<> set_help(Flags& flags, const std::vector<std::string>& path) {
    auto page = cli::help_page(grammar(), path);
    if (!page) return fail(Kind::not_found, "No help topic for '" + page.error().text + "'");
    flags.help_text = std::move(page.value());
    return ok();
}

void set_globals(const cli::FlagValues& given, const config::Environment& env, Flags& flags) {
    flags.folder = given.text("config");
    if (flags.folder.empty()) flags.folder = env.get("IPFS_CLUSTER_PATH").value_or("");
    if (flags.folder.empty()) flags.folder = config::default_folder(env);
    flags.folder = absolute_folder(flags.folder);
    flags.debug = given.boolean("debug");
    flags.loglevel = given.has("loglevel")
                         ? given.text("loglevel")
                         : env.get("IPFS_CLUSTER_LOG_LEVEL").value_or(flags.loglevel);
}

Result<> set_own(const cli::CommandLine& line, Flags& flags) {
    const auto& given = line.flags;
    flags.force = given.boolean("force");
    if (given.has("consensus")) flags.consensus = given.text("consensus");
    flags.ipfs_given = given.has("ipfs");
    if (flags.ipfs_given) flags.ipfs = given.text("ipfs");
    flags.custom_secret = given.boolean("custom-secret");
    flags.random_ports = given.boolean("randomports");
    flags.peers = split_list(given.list("peers"));
    if (!given.text("from").empty()) flags.from = absolute_folder(given.text("from"));
    flags.bootstrap = split_list(given.list("bootstrap"));
    flags.found_alone = given.boolean("found-alone");
    flags.leave = given.boolean("leave");
    // As their keys in the file: the peer runs, and says what it does not do.
    for (const char* flag : {"stats", "tracing"})
        if (given.boolean(flag)) flags.not_served.push_back(std::string("--") + flag);
    flags.file = given.text("file");
    if (!line.arguments.empty())
        (flags.command == Command::init ? flags.source_url : flags.file) = line.arguments.front();
    flags.allocations = split_list(given.list("allocations"));
    const auto min = given.integer("replication-min"), max = given.integer("replication-max");
    if (min < 0 || max < 0 || min > INT_MAX || max > INT_MAX)
        return fail(
            Kind::invalid,
            "--replication-min and --replication-max must be numbers that are not negative");
    flags.replication_min = static_cast<int>(min);
    flags.replication_max = static_cast<int>(max);
    if (flags.found_alone && !flags.bootstrap.empty())
        return fail(Kind::invalid, "--found-alone begins a cluster, --bootstrap joins one: choose");
    return ok();
}

}  // namespace

Result<Flags> parse_flags(std::vector<std::string> args, const config::Environment& env) {
    auto parsed = cli::parse_command_line(grammar(), args);
    if (!parsed) {
        const auto& error = parsed.error();
        if (!error.unknown_command) return fail(Kind::invalid, error.text);
        if (error.path.empty()) return fail(Kind::invalid, "no command \"" + error.text + "\"");
        return fail(Kind::not_found, "No help topic for '" + error.text + "'");
    }
    const auto& line = parsed.value();
    Flags flags;
    set_globals(line.globals, env, flags);
    const auto path = cli::joined(line.path);
    const auto known = std::find_if(kKnown.begin(), kKnown.end(),
                                    [&](const Known& one) { return one.path == path; });
    ICL_ASSERT(known != kKnown.end(), "a command without a meaning");
    flags.command = line.help ? Command::help : known->command;
    flags.version_of_program = line.version;
    if (line.version) flags.command = Command::version;
    if (line.help || flags.command == Command::none || flags.command == Command::help) {
        const bool asked = !line.help && (path == "help" || path == "h");
        ICL_TRY(set_help(flags, asked ? line.arguments : line.path));
    }
    if (line.help || line.version) return flags;
    if (path == "state crdt")
        return fail(Kind::unsupported,
                    "state crdt: no peer of this build keeps its pinset that way");
    if (line.arguments.size() > known->arguments_max)
        return fail(Kind::invalid, "unexpected argument \"" + line.arguments.back() + "\"");
    ICL_TRY(set_own(line, flags));
    return flags;
}

}  // namespace ipfscluster::service
