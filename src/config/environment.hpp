#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ipfscluster::config {

/// The environment variables a program was started with: a plain copy, so tests can bring their
/// own.
class Environment {
 public:
    using Variables = std::map<std::string, std::string, std::less<>>;

    Environment() = default;
    explicit Environment(Variables variables) : variables_(std::move(variables)) {}
    /// A copy of the process's own.
    static Environment of_process();

    /// Empty text is a value: a variable that is set to nothing counts as set.
    std::optional<std::string> get(std::string_view name) const;

 private:
    Variables variables_;
};

}  // namespace ipfscluster::config
