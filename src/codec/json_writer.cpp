#include "codec/json_writer.hpp"

#include <fmt/format.h>

#include <cmath>

namespace ipfscluster::codec {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// Length of the valid UTF-8 sequence at the front of `in`, 0 when there is none.
std::size_t utf8_length(std::string_view in) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(in[i]); };
    const auto first = byte(0);
    std::size_t size = 0;
    std::uint32_t code = 0;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) {
        size = 2;
        code = first & 0x1f;
    } else if (first >= 0xe0 && first <= 0xef) {
        size = 3;
        code = first & 0x0f;
    } else if (first >= 0xf0 && first <= 0xf4) {
        size = 4;
        code = first & 0x07;
    }
    if (size == 0 || in.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte(i) & 0x3f);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return overlong || surrogate || code > 0x10ffff ? 0 : size;
}

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        default:
            out += "\\u00";
            out += kHex[static_cast<std::uint8_t>(c) >> 4];
            out += kHex[static_cast<std::uint8_t>(c) & 15];
    }
}

bool plain(char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        std::size_t run = 0;
        while (run < text.size() && plain(text[run])) ++run;
        out.append(text.substr(0, run));
        text.remove_prefix(run);
        if (text.empty()) break;
        const auto length = utf8_length(text);
        if (length == 1) {
            append_escaped(out, text[0]);
        } else if (length == 0) {
            out += "\\ufffd";
        } else if (text.starts_with("\xe2\x80\xa8")) {
            out += "\\u2028";
        } else if (text.starts_with("\xe2\x80\xa9")) {
            out += "\\u2029";
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

void append_json(std::string& out, double value) {
    // JSON has no other numbers; Go refuses them, we show nothing measured.
    if (!std::isfinite(value)) value = 0;
    fmt::format_to(std::back_inserter(out), "{}", value);
    if (out.ends_with(".0")) out.resize(out.size() - 2);
}

void append_json(std::string& out, Time value) {
    out += '"';
    out += format_rfc3339(value);
    out += '"';
}

void append_json(std::string& out, const Cid& value) {
    if (!value.defined()) {
        out += "null";
        return;
    }
    out += '"';
    out += value.to_string();
    out += '"';
}

void append_json(std::string& out, const PeerId& value) {
    out += '"';
    out += value.to_string();
    out += '"';
}

void append_json(std::string& out, const Multiaddr& value) {
    append_json(out, value.to_string());
}

}  // namespace ipfscluster::codec
