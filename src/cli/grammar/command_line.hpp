#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

/// The flag grammar of the Go programs (reference/programs 3.1), described by data: `-name` and
/// `--name` are the same, flags of a command may stand before or after its arguments, `--` ends
/// them, no bundling, the last one wins. Pure; no output.
namespace ipfscluster::cli {

enum class FlagKind {
    boolean,  ///< takes a value only with '='
    text,
    integer,
    duration,
    list,  ///< may be repeated; values add up
};

struct FlagSpec {
    std::vector<std::string> names;  ///< the long one first; it is the key of the values
    FlagKind kind = FlagKind::boolean;
    std::string usage;
    std::string fallback;  ///< shown in help and used when absent
    std::string variable;  ///< environment variable that stands in for it
    bool hidden = false;   ///< from help
};

struct CommandSpec {
    std::string name;
    std::string arguments;  ///< as help shows them
    std::string usage;
    std::vector<FlagSpec> flags;
    std::vector<CommandSpec> commands;
    bool hidden = false;
};

/// Values by the flag's first name. Integers and durations have been checked.
class FlagValues {
 public:
    bool has(std::string_view name) const { return values_.contains(name); }
    bool boolean(std::string_view name) const;
    std::string text(std::string_view name) const;
    std::int64_t integer(std::string_view name) const;
    Duration duration(std::string_view name) const;
    std::vector<std::string> list(std::string_view name) const;

    /// The value takes the place of those before, unless they add up.
    void put(const std::string& name, std::string value, bool adds_up);

 private:
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

struct CommandLine {
    std::vector<std::string> path;  ///< names of the command and its sub-command; empty: none
    const CommandSpec* command = nullptr;
    FlagValues globals;
    FlagValues flags;
    std::vector<std::string> arguments;
    bool help = false;
    bool version = false;
};

/// What is wrong with a command line.
struct UsageError {
    std::string text;
    bool unknown_command = false;   ///< `text` is the word
    std::vector<std::string> path;  ///< of the command whose help is to be shown
};

using ParsedLine =
    boost::outcome_v2::basic_result<CommandLine, UsageError, boost::outcome_v2::policy::terminate>;

/// Reads the arguments behind the program's name. `app` must outlive the result.
ParsedLine parse_command_line(const CommandSpec& app, const std::vector<std::string>& arguments);

/// The help page of the command that `path` names below `app` ("pin", "add"), of the program itself
/// without any. `not_found` says which word names none.
Result<std::string> help_page(const CommandSpec& app, const std::vector<std::string>& path);
/// Words with blanks between them.
std::string joined(const std::vector<std::string>& words);

}  // namespace ipfscluster::cli
