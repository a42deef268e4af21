#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "base/log.hpp"
#include "cli/ctl/program.hpp"

int main(int argc, char** argv) {
    using namespace ipfscluster;
    // A closed pipe shows as a failed write, which is reported.
    ::signal(SIGPIPE, SIG_IGN);
    std::ios::sync_with_stdio(false);
    init_logging();
    return ctl::run({argv + 1, argv + argc}, config::Environment::of_process(),
                    {std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1});
}
