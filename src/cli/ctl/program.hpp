#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "config/environment.hpp"

namespace ipfscluster::ctl {

/// Where the program prints.
struct Streams {
    std::ostream& out;
    std::ostream& err;
    bool terminal = false;  ///< `err` is one
};

/// The whole of ipfs-cluster-ctl: reads the arguments (without the program's name), runs one
/// command over a World of its own and gives the exit code.
int run(const std::vector<std::string>& arguments, const config::Environment& env, Streams streams);

}  // namespace ipfscluster::ctl
