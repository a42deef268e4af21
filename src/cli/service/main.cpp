#include <unistd.h>

#include <iostream>

#include "base/log.hpp"
#include "cli/service/daemon_command.hpp"
#include "cli/service/flags.hpp"
#include "cli/service/init_command.hpp"
#include "cli/service/state_command.hpp"
#include "model/peer_info.hpp"

namespace {

using namespace ipfscluster;
using service::Flags;

int report(const char* doing, const Error& error) {
    std::cerr << "error " << doing << ": " << error.text << std::endl;
    return 1;
}

int run(std::vector<std::string> args) {
    const auto env = config::Environment::of_process();
    auto flags = service::parse_flags(std::move(args), env);
    if (!flags) {
        if (flags.error().kind == Kind::not_found) {
            std::cerr << flags.error().text << std::endl;
            return 3;
        }
        std::cout << "Incorrect Usage: " << flags.error().text << std::endl;
        return 1;
    }
    const auto& f = flags.value();
    if (auto set = set_log_levels(f.debug ? "debug" : f.loglevel); !set)
        return report("setting the log level", set.error());
    switch (f.command) {
        case Flags::Command::version:
            std::cout << (f.version_of_program ? "ipfs-cluster-service version " : "")
                      << kClusterVersion << std::endl;
            return 0;
        case Flags::Command::help:
            std::cout << f.help_text;
            return 0;
        case Flags::Command::init: {
            auto asking = f;
            asking.terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
            auto done = service::run_init(asking, env, std::cin, std::cout, std::cerr);
            return done ? 0 : report("initialising", done.error());
        }
        case Flags::Command::daemon: {
            auto done = service::run_daemon(f, env);
            return done ? 0 : report("running the daemon", done.error());
        }
        case Flags::Command::state_export: {
            auto done = service::run_state_export(f, env, std::cout);
            return done ? 0 : report("exporting state", done.error());
        }
        case Flags::Command::state_import: {
            auto done = service::run_state_import(f, env, std::cin, std::cout);
            return done ? 0 : report("importing state", done.error());
        }
        case Flags::Command::state_cleanup: {
            auto done = service::run_state_cleanup(f, env, std::cin, std::cout);
            return done ? 0 : report("cleaning state", done.error());
        }
        case Flags::Command::state_accept_loss: {
            auto done = service::run_state_accept_loss(f, env, std::cin, std::cout);
            return done ? 0 : report("accepting a loss", done.error());
        }
        case Flags::Command::none:
            break;
    }
    std::cout << f.help_text;
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    init_logging();
    return run(std::vector<std::string>(argv + 1, argv + argc));
}
