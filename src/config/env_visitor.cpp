#include <charconv>

#include "base/text.hpp"
#include "config/visitors.hpp"

namespace ipfscluster::config {
namespace {

/// What the value should have been, or nothing.
using Problem = std::optional<std::string>;

Problem read(const std::string& text, bool& out) {
    const auto value = parse_go_bool(text);
    if (!value) return "a boolean";
    out = *value;
    return {};
}

template <class Int>
Problem read_int(std::string_view text, Int& out) {
    const bool negative = text.starts_with('-');
    std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
    int base = 10;
    if (digits.size() > 2 && digits[0] == '0') {
        const char mark = digits[1];
        base = mark == 'x' || mark == 'X' ? 16 : mark == 'o' || mark == 'O' ? 8 : base;
        base = mark == 'b' || mark == 'B' ? 2 : base;
        if (base != 10) digits.remove_prefix(2);
    }
    const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
    Int value{};
    const char* const end = signed_digits.data() + signed_digits.size();
    const auto [rest, error] = std::from_chars(signed_digits.data(), end, value, base);
    if (digits.empty() || digits[0] == '-' || error != std::errc{} || rest != end)
        return "an integer";
    out = value;
    return {};
}

Problem read(const std::string& text, std::int64_t& out) {
    return read_int(text, out);
}

Problem read(const std::string& text, std::uint64_t& out) {
    return read_int(text, out);
}

Problem read(const std::string& text, double& out) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end) return "a number";
    out = value;
    return {};
}

Problem read(const std::string& text, std::string& out) {
    out = text;
    return {};
}

Problem read(const std::string& text, Duration& out) {
    if (text.empty()) return {};
    const auto parsed = parse_go_duration(text);
    if (!parsed) return "a duration";
    out = parsed.value();
    return {};
}

Problem read(const std::string& text, SizeSpec& out) {
    const auto parsed = SizeSpec::parse(text);
    if (!parsed) return "a size";
    out = parsed.value();
    return {};
}

Problem read(const std::string& text, Multiaddr& out) {
    if (text.empty()) return {};
    const auto parsed = Multiaddr::parse(text);
    if (!parsed) return "a multiaddress (" + parsed.error().text + ")";
    out = parsed.value();
    return {};
}

Problem read(const std::string& text, PeerId& out) {
    const auto parsed = PeerId::parse(text);
    if (!parsed) return "a peer id (" + parsed.error().text + ")";
    out = parsed.value();
    return {};
}

Strings split(std::string_view text, char separator) {
    Strings out;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        out.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
        if (text.empty()) out.emplace_back();
    }
    return out;
}

template <class T>
Problem read(const std::string& text, std::vector<T>& out) {
    std::vector<T> values;
    for (const std::string& item : split(text, ',')) {
        T value;
        if (auto problem = read(item, value)) return "a comma separated list, each " + *problem;
        values.push_back(std::move(value));
    }
    out = std::move(values);
    return {};
}

void assign(std::string& out, std::string value) {
    out = std::move(value);
}

void assign(Strings& out, std::string value) {
    out = {std::move(value)};
}

template <class T>
Problem read(const std::string& text, std::map<std::string, T>& out) {
    std::map<std::string, T> values;
    for (const std::string& item : split(text, ',')) {
        const Strings pair = split(item, ':');
        if (pair.size() != 2) return "a list of key:value pairs";
        assign(values[pair[0]], pair[1]);
    }
    out = std::move(values);
    return {};
}

}  // namespace

std::string variable_name(std::string_view prefix, std::string_view key) {
    std::string out(prefix);
    out.push_back('_');
    for (const char c : key) {
        if (c == '_') continue;
        out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
    return out;
}

EnvVisitor::EnvVisitor(std::string path, std::string prefix, const Environment& environment)
    : PathVisitor(std::move(path)), environment_(environment) {
    prefixes_.push_back(std::move(prefix));
}

void EnvVisitor::field(std::string_view name, ValueRef value, const FieldOptions& options) {
    if (error_ || options.never_written) return;
    const std::string variable = variable_name(prefixes_.back(), name);
    const auto text = environment_.get(variable);
    if (!text) return;
    applied_ = true;
    std::visit(
        [&](auto* p) {
            const auto before = *p;
            if (const auto problem = read(*text, *p)) {
                const std::string shown = options.secret ? "(hidden)" : text->substr(0, 128);
                refuse(name, variable + "=\"" + shown + "\" is not " + *problem);
            } else if (text->empty() &&
                       (options.null_when_empty || (options.secret && !(before == *p)))) {
                // A variable that is set but has nothing in it must not take a protection away.
                refuse(name, variable + " is empty; unset it, or give it a value");
            } else if (options.zero_is_default && *p == std::remove_cvref_t<decltype(*p)>{}) {
                *p = before;
            }
        },
        value);
}

void EnvVisitor::begin_object(std::string_view name) {
    PathVisitor::begin_object(name);
    prefixes_.push_back(variable_name(prefixes_.back(), name));
}

void EnvVisitor::end_object() {
    prefixes_.pop_back();
    PathVisitor::end_object();
}

}  // namespace ipfscluster::config
