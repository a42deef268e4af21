#pragma once
#include <functional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/describe.hpp"

namespace ipfscluster::config {

/// One component of a configuration. Points into the Config it was made from.
struct Component {
    std::string_view section;
    std::string_view name;    ///< empty for `cluster`, which is its own section
    std::string_view prefix;  ///< of environment variables
    bool* enabled;
    std::string_view no_effect;  ///< not empty: why the whole component has none
    std::function<void(FieldVisitor&)> describe;

    std::string path() const {
        return name.empty() ? std::string(section) : join_path(section, name);
    }
};

/// Every component this build knows, in the order service.json is written.
std::vector<Component> components(Config& config);

/// Rules between fields, and those a bound cannot say. Brings the secret to lower case.
Result<> check_rules(Config& config);

/// A free TCP port found by binding port 0; another program may take it before it is used.
Result<std::uint16_t> free_tcp_port();

}  // namespace ipfscluster::config
