#include "cli/service/flags.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>

#include "config/config.hpp"
#include "model/peer_info.hpp"

namespace ipfscluster::service {

namespace {

/// The long name of a short option; `-f` is a file of some commands and a flag of the others.
std::string long_name(char letter, const std::vector<std::string>& args) {
    static const std::map<char, std::string> names{
        {'c', "config"},  {'l', "loglevel"},      {'d', "debug"},
        {'v', "version"}, {'j', "bootstrap"},     {'x', "leave"},
        {'u', "upgrade"}, {'s', "custom-secret"}, {'h', "help"}};
    if (letter == 'f')
        return std::find(args.begin(), args.end(), "export") == args.end() ? "force" : "file";
    const auto found = names.find(letter);
    return found == names.end() ? std::string() : found->second;
}

/// Go's flag package takes one dash or two for every name; CLI11 wants two for long ones.
std::vector<std::string> normalise(std::vector<std::string> args) {
    for (auto& arg : args) {
        if (arg == "--") break;
        const bool single = arg.size() > 2 && arg[0] == '-' && arg[1] != '-';
        const bool number = single && arg[1] >= '0' && arg[1] <= '9';
        if (!single || number) continue;
        // CLI11 would take the '=' of "-c=folder" for a part of the value.
        if (arg[2] == '=') {
            if (const auto name = long_name(arg[1], args); !name.empty())
                arg.replace(1, 1, "-" + name);
        } else {
            arg.insert(arg.begin(), '-');
        }
    }
    return args;
}

/// Comma lists, blanks trimmed.
std::vector<std::string> split_list(const std::vector<std::string>& values) {
    std::vector<std::string> out;
    for (const auto& value : values) {
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = rest.find(',');
            auto word = rest.substr(0, comma);
            rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            while (word.starts_with(' ')) word.remove_prefix(1);
            while (word.ends_with(' ')) word.remove_suffix(1);
            if (!word.empty()) out.emplace_back(word);
        }
    }
    return out;
}

/// Absolute, without a slash at its end.
std::string absolute_folder(const std::string& given) {
    auto path = std::filesystem::absolute(given).lexically_normal();
    return (path.has_filename() || path == path.root_path() ? path : path.parent_path()).string();
}

/// The application with all its commands; fills `flags` when it parses.
struct Grammar {
    explicit Grammar(Flags& flags) : app("IPFS Cluster peer", "ipfs-cluster-service") {
        app.set_help_flag("-h,--help", "show this help");
        app.fallthrough(false);
        app.option_defaults()->multi_option_policy(
            CLI::MultiOptionPolicy::TakeLast);  // as Go's flag package
        app.add_option("-c,--config", flags.folder,
                       "folder of configuration and data ($IPFS_CLUSTER_PATH)");
        app.add_flag("-f,--force", ignored, "no effect; the commands have their own");
        app.add_flag("-d,--debug", flags.debug, "log everything");
        app.add_option("-l,--loglevel", flags.loglevel,
                       "\"level\" or \"level,facility:level\" ($IPFS_CLUSTER_LOG_LEVEL)");
        app.add_flag("-v,--version", print_version, "print the version");

        init = app.add_subcommand("init", "write configuration, identity and peerstore");
        init->add_option("source", flags.source_url, "address of a remote configuration");
        init->add_option("--consensus", flags.consensus, "\"" + flags.consensus + "\"");
        init->add_option("--datastore", datastore, "accepted for compatibility; used by crdt only");
        init->add_option("--ipfs", flags.ipfs,
                         "\"kubo\", \"embedded\" or \"auto\": a Kubo daemon when one answers, else "
                         "the node inside the peer");
        init->add_flag("-s,--custom-secret", flags.custom_secret, "ask for the cluster secret");
        init->add_option("--peers", peers, "addresses of the other founders, each with /p2p/<id>");
        init->add_flag("-f,--force", flags.force, "overwrite without asking");
        init->add_option(
            "--from", flags.from,
            "take identity, secret, addresses and all settings over from this folder of a Go peer");
        init->add_flag("--randomports", flags.random_ports, "listen on free ports");

        daemon = app.add_subcommand("daemon", "run the peer");
        daemon->add_option("-j,--bootstrap", bootstrap, "addresses of members to join");
        daemon->add_flag("--found-alone", flags.found_alone,
                         "without data, begin a new cluster even where members that this peer "
                         "remembers do not answer");
        daemon->add_flag("-x,--leave", flags.leave, "leave the cluster at shutdown")->group("");
        daemon->add_flag("-u,--upgrade", ignored, "no effect")->group("");
        daemon->add_flag("--no-trust", ignored, "no effect: every member is trusted");
        daemon->add_flag("--stats", stats, "not served by this build");
        daemon->add_flag("--tracing", tracing, "not served by this build");

        add_state(flags);
        version = app.add_subcommand("version", "print the version");
        help = app.add_subcommand("help", "show help");
        help->alias("h");
        help->add_option("command", help_about, "the command to explain");
    }

    void add_state(Flags& flags) {
        state = app.add_subcommand("state", "work on the pinset of a peer that does not run");
        state_export = state->add_subcommand("export", "write the pinset, one pin per line");
        state_export->add_option("-f,--file", flags.file,
                                 "write to this file instead of standard output");
        state_import =
            state->add_subcommand("import", "replace the pinset by one that export wrote");
        state_import->add_option("file", flags.file, "the file; standard input without one");
        state_import->add_flag("-f,--force", flags.force, "do not ask");
        state_import->add_option("--rmin,--replication-min", flags.replication_min,
                                 "smallest number of copies, for every pin");
        state_import->add_option("--rmax,--replication-max", flags.replication_max,
                                 "largest number of copies, for every pin");
        state_import
            ->add_option("--allocs,--allocations", allocations,
                         "the peers to hold every pin, by comma")
            ->allow_extra_args(false);  // the file may follow
        state_cleanup =
            state->add_subcommand("cleanup", "remove the pinset and all consensus data");
        state_cleanup->add_flag("-f,--force", flags.force, "do not ask");
        state_accept_loss = state->add_subcommand(
            "accept-loss", "go on with data of which a part that was agreed on is lost");
        state_accept_loss->add_flag("-f,--force", flags.force, "do not ask");
        state_crdt = state->add_subcommand("crdt", "not served: this build has no crdt")->group("");
        state_crdt->allow_extras();
        // An unknown word is a help topic, as in Go. Last: sub-commands would inherit it.
        state->allow_extras();
    }

    CLI::App app;
    CLI::App *init, *daemon, *version, *help;
    CLI::App *state, *state_export, *state_import, *state_cleanup, *state_accept_loss, *state_crdt;
    bool ignored = false, print_version = false, stats = false, tracing = false;
    std::string datastore, help_about;
    std::vector<std::string> peers, bootstrap, allocations;
};

Result<> finish_state(Grammar& g, Flags& flags) {
    flags.allocations = split_list(g.allocations);
    if (g.state_crdt->parsed())
        return fail(Kind::unsupported,
                    "state crdt: no peer of this build keeps its pinset that way");
    if (flags.replication_min < 0 || flags.replication_max < 0)
        return fail(Kind::invalid, "--replication-min and --replication-max must not be negative");
    if (g.state_export->parsed()) {
        flags.command = Flags::Command::state_export;
    } else if (g.state_import->parsed()) {
        flags.command = Flags::Command::state_import;
    } else if (g.state_cleanup->parsed()) {
        flags.command = Flags::Command::state_cleanup;
    } else if (g.state_accept_loss->parsed()) {
        flags.command = Flags::Command::state_accept_loss;
    } else {
        const auto words = g.state->remaining();
        if (!words.empty())
            return fail(Kind::not_found, "No help topic for '" + words.front() + "'");
        flags.command = Flags::Command::help;
        flags.help_text = g.state->help();
    }
    return ok();
}

Result<> finish(Grammar& g, Flags& flags, const config::Environment& env) {
    if (flags.folder.empty()) flags.folder = env.get("IPFS_CLUSTER_PATH").value_or("");
    if (flags.folder.empty()) flags.folder = config::default_folder(env);
    flags.folder = absolute_folder(flags.folder);
    if (g.app.get_option("--loglevel")->count() == 0)
        flags.loglevel = env.get("IPFS_CLUSTER_LOG_LEVEL").value_or(flags.loglevel);
    flags.peers = split_list(g.peers);
    flags.bootstrap = split_list(g.bootstrap);
    if (g.print_version || g.version->parsed()) {
        flags.command = Flags::Command::version;
        flags.version_of_program = g.print_version;
    } else if (g.help->parsed()) {
        flags.command = Flags::Command::help;
        flags.help_text = g.app.help();
        if (!g.help_about.empty()) {
            const auto about =
                g.app.get_subcommands([&](CLI::App* sub) { return sub->check_name(g.help_about); });
            if (about.empty())
                return fail(Kind::not_found, "No help topic for '" + g.help_about + "'");
            flags.help_text = about.front()->help();
        }
    } else if (g.init->parsed()) {
        flags.command = Flags::Command::init;
        flags.ipfs_given = g.init->get_option("--ipfs")->count() > 0;
        if (!flags.from.empty()) flags.from = absolute_folder(flags.from);
    } else if (g.state->parsed()) {
        return finish_state(g, flags);
    } else if (g.daemon->parsed()) {
        flags.command = Flags::Command::daemon;
        if (flags.found_alone && !flags.bootstrap.empty())
            return fail(Kind::invalid,
                        "--found-alone begins a cluster, --bootstrap joins one: choose");
        // As their keys in the file: the peer runs, and says what it does not do.
        if (g.stats) flags.not_served.push_back("--stats");
        if (g.tracing) flags.not_served.push_back("--tracing");
    } else {
        flags.help_text = g.app.help();
    }
    return ok();
}

}  // namespace

Result<Flags> parse_flags(std::vector<std::string> args, const config::Environment& env) {
    Flags flags;
    Grammar grammar(flags);
    args = normalise(std::move(args));
    std::reverse(args.begin(), args.end());  // CLI11 takes them from the back
    try {
        grammar.app.parse(std::move(args));
    } catch (const CLI::CallForHelp&) {
        flags.command = Flags::Command::help;
        flags.help_text = grammar.app.help();
        for (auto* sub : grammar.app.get_subcommands()) {
            flags.help_text = sub->help();
            for (auto* inner : sub->get_subcommands()) flags.help_text = inner->help();
        }
        return flags;
    } catch (const CLI::ParseError& error) {
        return fail(Kind::invalid, error.what());
    }
    ICL_TRY(finish(grammar, flags, env));
    return flags;
}

}  // namespace ipfscluster::service
