#include "http/header_params.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "http/headers.hpp"

namespace ipfscluster::http {

namespace {

std::string_view trim(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

std::string to_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

/// Takes a quoted text from the front of `text`, which starts with '"'.
Result<std::string> take_quoted(std::string_view& text) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return out;
        }
        // Browsers send Windows paths unescaped, so only \" and \\ are escapes.
        if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\'))
            ++i;
        out.push_back(text[i]);
    }
    return fail(Kind::invalid, "a quoted parameter does not end");
}

/// `UTF-8'en'a%20b` → `a b`.
Result<std::string> decode_extended(std::string_view text) {
    const auto first = text.find('\'');
    const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
    if (second == std::string_view::npos)
        return fail(Kind::invalid, "malformed extended parameter");
    return url_unescape(text.substr(second + 1), false);
}

}  // namespace

std::string_view HeaderParams::get(std::string_view name) const {
    for (const auto& [key, text] : params)
        if (key == name) return text;
    return {};
}

bool HeaderParams::has(std::string_view name) const {
    return std::any_of(params.begin(), params.end(),
                       [&](const auto& p) { return p.first == name; });
}

Result<HeaderParams> parse_header_params(std::string_view text) {
    HeaderParams out;
    auto semicolon = std::min(text.find(';'), text.size());
    out.value = to_lower(trim(text.substr(0, semicolon)));
    text.remove_prefix(semicolon);
    while (!text.empty()) {
        text = trim(text.substr(1));
        if (text.empty()) break;
        if (text.front() == ';') continue;
        const auto equals = text.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return fail(Kind::invalid, "malformed parameter in \"" + out.value + "\"");
        std::string name = to_lower(trim(text.substr(0, equals)));
        if (name == "*") return fail(Kind::invalid, "a parameter without a name");
        text = trim(text.substr(equals + 1));
        std::string value;
        if (!text.empty() && text.front() == '"') {
            ICL_TRY(value, take_quoted(text));
            text = trim(text);
            if (!text.empty() && text.front() != ';')
                return fail(Kind::invalid, "text after the quoted parameter \"" + name + "\"");
        } else {
            semicolon = std::min(text.find(';'), text.size());
            value = trim(text.substr(0, semicolon));
            text.remove_prefix(semicolon);
        }
        if (name.ends_with('*')) {
            name.pop_back();
            ICL_TRY(value, decode_extended(value));
            // The extended form wins over the plain one (RFC 6266 4.3).
            std::erase_if(out.params, [&](const auto& p) { return p.first == name; });
        } else if (out.has(name)) {
            continue;
        }
        out.params.emplace_back(std::move(name), std::move(value));
    }
    return out;
}

}  // namespace ipfscluster::http
