#include "base/text.hpp"

#include <array>
#include <cstdint>

namespace ipfscluster {

std::optional<bool> parse_go_bool(std::string_view text) {
    constexpr std::array<std::string_view, 6> kYes{"1", "t", "T", "true", "True", "TRUE"};
    constexpr std::array<std::string_view, 6> kNo{"0", "f", "F", "false", "False", "FALSE"};
    if (contains(kYes, text)) return true;
    if (contains(kNo, text)) return false;
    return std::nullopt;
}

std::vector<std::string_view> split_words(std::string_view list, char separator) {
    constexpr std::string_view kBlanks = " \t";
    std::vector<std::string_view> out;
    while (!list.empty()) {
        const auto end = std::min(list.find(separator), list.size());
        auto word = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        word.remove_prefix(std::min(word.find_first_not_of(kBlanks), word.size()));
        word = word.substr(0, word.find_last_not_of(kBlanks) + 1);
        if (!word.empty()) out.push_back(word);
    }
    return out;
}

std::string clean_relative_path(std::string_view path) {
    std::vector<std::string_view> kept;
    while (!path.empty()) {
        const auto slash = std::min(path.find('/'), path.size());
        const auto part = path.substr(0, slash);
        path.remove_prefix(std::min(slash + 1, path.size()));
        if (part.empty() || part == ".") continue;
        if (part != "..")
            kept.push_back(part);
        else if (!kept.empty())
            kept.pop_back();
    }
    std::string out;
    for (const auto part : kept) {
        if (!out.empty()) out += '/';
        out += part;
    }
    return out;
}

std::size_t utf8_size(std::string_view text) {
    const auto first = static_cast<std::uint8_t>(text[0]);
    const std::size_t size = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
    if (size == 0 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((static_cast<std::uint8_t>(text[i]) & 0xc0) != 0x80) return 0;
    if (size < 3) return size;
    const auto second = static_cast<std::uint8_t>(text[1]);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
    return overlong || outside ? 0 : size;
}

namespace {

bool is_plain(char c, JsonEscapes escapes) {
    const auto byte = static_cast<std::uint8_t>(c);
    const bool html = c == '<' || c == '>' || c == '&';
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\' &&
           !(html && escapes == JsonEscapes::go);
}

void append_escaped(std::string& out, char c, JsonEscapes escapes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    constexpr std::string_view kRaw = "\"\\\n\r\t\b\f";
    constexpr std::string_view kShort = "\"\\nrtbf";
    const auto at = kRaw.find(c);
    out += '\\';
    if (at < (escapes == JsonEscapes::go ? kRaw.size() : 5)) {
        out += kShort[at];
        return;
    }
    out += "u00";
    out += kHex[static_cast<std::uint8_t>(c) >> 4];
    out += kHex[static_cast<std::uint8_t>(c) & 15];
}

}  // namespace

void append_json_text(std::string& out, std::string_view text, JsonEscapes escapes) {
    out += '"';
    while (!text.empty()) {
        std::size_t run = 0;
        while (run < text.size() && is_plain(text[run], escapes)) ++run;
        out.append(text.substr(0, run));
        text.remove_prefix(run);
        if (text.empty()) break;
        const auto size = utf8_size(text);
        if (size == 1)
            append_escaped(out, text[0], escapes);
        else if (size == 0)
            out += "\\ufffd";
        else if (text.starts_with("\xe2\x80\xa8"))
            out += "\\u2028";
        else if (text.starts_with("\xe2\x80\xa9"))
            out += "\\u2029";
        else
            out.append(text.substr(0, size));
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    out += '"';
}

}  // namespace ipfscluster
