#include "cli/grammar/command_line.hpp"

#include <charconv>

#include "base/text.hpp"
#include "model/peer_info.hpp"

namespace ipfscluster::cli {
namespace {

std::optional<std::int64_t> parse_integer(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || rest != end) return std::nullopt;
    return value;
}

const FlagSpec* find_flag(const CommandSpec& command, std::string_view name) {
    for (const FlagSpec& flag : command.flags)
        for (const std::string& known : flag.names)
            if (known == name) return &flag;
    return nullptr;
}

const CommandSpec* find_command(const CommandSpec& parent, std::string_view name) {
    for (const CommandSpec& command : parent.commands)
        if (command.name == name) return &command;
    return nullptr;
}

bool acceptable(const FlagSpec& flag, const std::string& value) {
    switch (flag.kind) {
        case FlagKind::boolean:
            return parse_go_bool(value).has_value();
        case FlagKind::integer:
            return parse_integer(value).has_value();
        case FlagKind::duration:
            return parse_go_duration(value).has_value();
        case FlagKind::text:
        case FlagKind::list:
            return true;
    }
    return true;
}

}  // namespace

bool FlagValues::boolean(std::string_view name) const {
    const auto it = values_.find(name);
    return it != values_.end() && !it->second.empty() &&
           parse_go_bool(it->second.back()).value_or(false);
}

std::string FlagValues::text(std::string_view name) const {
    const auto it = values_.find(name);
    return it == values_.end() || it->second.empty() ? std::string() : it->second.back();
}

std::int64_t FlagValues::integer(std::string_view name) const {
    return parse_integer(text(name)).value_or(0);
}

Duration FlagValues::duration(std::string_view name) const {
    const auto parsed = parse_go_duration(text(name));
    return parsed ? parsed.value() : Duration{};
}

std::vector<std::string> FlagValues::list(std::string_view name) const {
    const auto it = values_.find(name);
    return it == values_.end() ? std::vector<std::string>() : it->second;
}

void FlagValues::put(const std::string& name, std::string value, bool adds_up) {
    auto& list = values_[name];
    if (!adds_up) list.clear();
    list.push_back(std::move(value));
}

/// Walks the arguments once.
class CommandParser {
 public:
    CommandParser(const CommandSpec& app, const std::vector<std::string>& arguments)
        : app_(app), arguments_(arguments) {
        line_.command = &app;
    }

    ParsedLine parse() {
        FlagValues* values = &line_.globals;
        bool only_arguments = false;
        for (at_ = 0; at_ < arguments_.size(); ++at_) {
            const std::string& word = arguments_[at_];
            if (!only_arguments && word == "--") {
                only_arguments = true;
            } else if (!only_arguments && word.size() > 1 && word[0] == '-') {
                if (!take_flag(word, *values)) return boost::outcome_v2::failure(error_);
            } else if (line_.arguments.empty() && !only_arguments && take_command(word)) {
                values = &line_.flags;
                line_.flags = {};
            } else if (line_.command == &app_) {
                return boost::outcome_v2::failure(UsageError{word, true, {}});
            } else if (!line_.command->commands.empty()) {
                return boost::outcome_v2::failure(UsageError{word, true, line_.path});
            } else {
                line_.arguments.push_back(word);
            }
        }
        return std::move(line_);
    }

 private:
    bool take_command(const std::string& word) {
        const CommandSpec* found = find_command(*line_.command, word);
        if (found == nullptr) return false;
        line_.command = found;
        line_.path.push_back(word);
        return true;
    }

    bool take_flag(const std::string& word, FlagValues& values) {
        const std::string_view body = std::string_view(word).substr(word[1] == '-' ? 2 : 1);
        const std::size_t equals = body.find('=');
        const std::string_view name = body.substr(0, equals);
        if (name == "help" || name == "h") return line_.help = true;
        if (line_.command == &app_ && (name == "version" || name == "v"))
            return line_.version = true;
        const FlagSpec* flag = find_flag(*line_.command, name);
        if (flag == nullptr) return refuse("flag provided but not defined: -" + std::string(name));
        std::string value = "true";
        if (equals != std::string_view::npos)
            value = body.substr(equals + 1);
        else if (flag->kind != FlagKind::boolean && at_ + 1 < arguments_.size())
            value = arguments_[++at_];
        else if (flag->kind != FlagKind::boolean)
            return refuse("flag needs an argument: -" + std::string(name));
        if (!acceptable(*flag, value))
            return refuse("invalid value \"" + value + "\" for flag -" + std::string(name));
        auto& spellings = spellings_[flag];
        if (!spellings.empty() && spellings != name)
            return refuse("cannot use two forms of the same flag: -" + spellings + " -" +
                          std::string(name));
        spellings = name;
        values.put(flag->names.front(), std::move(value), flag->kind == FlagKind::list);
        return true;
    }

    bool refuse(std::string text) {
        error_ = {std::move(text), false, line_.path};
        return false;
    }

    const CommandSpec& app_;
    const std::vector<std::string>& arguments_;
    std::size_t at_ = 0;
    std::map<const FlagSpec*, std::string> spellings_;
    CommandLine line_;
    UsageError error_;
};

ParsedLine parse_command_line(const CommandSpec& app, const std::vector<std::string>& arguments) {
    return CommandParser(app, arguments).parse();
}

namespace {

constexpr std::size_t kHelpColumns = 118;

/// `text` in lines that keep the page within kHelpColumns, each but the first behind `indent`
/// blanks.
std::string wrapped(std::string_view text, std::size_t indent) {
    std::string out;
    std::size_t column = indent;
    while (!text.empty()) {
        const std::size_t blank = text.find(' ');
        const std::string_view word = text.substr(0, blank);
        if (column > indent && column + 1 + word.size() > kHelpColumns) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        if (blank == std::string_view::npos) break;
        text.remove_prefix(blank + 1);
    }
    return out;
}

std::string flag_names(const FlagSpec& flag) {
    std::string out;
    for (const std::string& name : flag.names) {
        out += (out.empty() ? "" : ", ") + std::string(name.size() == 1 ? "-" : "--") + name;
        if (flag.kind != FlagKind::boolean) out += " value";
    }
    return out;
}

std::string flag_help(const std::vector<FlagSpec>& flags) {
    std::string out;
    constexpr std::size_t indent = 12;
    for (const FlagSpec& flag : flags) {
        if (flag.hidden) continue;
        std::string usage = flag.usage;
        if (!flag.fallback.empty()) usage += " (default: " + flag.fallback + ")";
        if (!flag.variable.empty()) usage += " [$" + flag.variable + "]";
        out += "   " + flag_names(flag) + "\n" + std::string(indent, ' ') + wrapped(usage, indent) +
               "\n";
    }
    return out;
}

std::string help_text(const CommandSpec& command, const std::string& path, bool is_app) {
    std::string out = "NAME:\n   " + path + " - " + wrapped(command.usage, 6) + "\n\nUSAGE:\n   ";
    out += path;
    if (is_app) out += " [global options]";
    if (!command.commands.empty()) out += " command";
    if (is_app || !command.flags.empty()) out += " [command options]";
    out += " " + (command.arguments.empty() && !command.commands.empty() ? "[arguments...]"
                                                                         : command.arguments);
    out += "\n";
    if (is_app) out += "\nVERSION:\n   " + std::string(kClusterVersion) + "\n";
    if (!command.commands.empty()) {
        out += "\nCOMMANDS:\n";
        for (const CommandSpec& sub : command.commands) {
            if (sub.hidden) continue;
            std::string name = "   " + sub.name;
            name.resize(std::max<std::size_t>(name.size() + 2, 16), ' ');
            out += name + wrapped(sub.usage, 16) + "\n";
        }
    }
    out += is_app ? "\nGLOBAL OPTIONS:\n" : "\nOPTIONS:\n";
    out += flag_help(command.flags);
    out += flag_help({{{"help", "h"}, FlagKind::boolean, "show help", "", ""}});
    if (is_app)
        out += flag_help({{{"version", "v"}, FlagKind::boolean, "print the version", "", ""}});
    return out;
}

}  // namespace

Result<std::string> help_page(const CommandSpec& app, const std::vector<std::string>& path) {
    const CommandSpec* command = &app;
    std::string typed = app.name;
    for (const std::string& word : path) {
        command = find_command(*command, word);
        if (command == nullptr) return fail(Kind::not_found, word);
        typed += " " + word;
    }
    return help_text(*command, typed, path.empty());
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

}  // namespace ipfscluster::cli
