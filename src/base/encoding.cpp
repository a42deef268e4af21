#include "base/encoding.hpp"

#include <array>

namespace ipfscluster {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool unreserved(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

}  // namespace

Bytes hex_encode(BytesView in) {
    Bytes out;
    out.reserve(in.size() * 2);
    for (char c : in) {
        const auto byte = static_cast<std::uint8_t>(c);
        out.push_back(kHexDigits[byte >> 4]);
        out.push_back(kHexDigits[byte & 15]);
    }
    return out;
}

Result<Bytes> hex_decode(std::string_view text) {
    if (text.size() % 2 != 0) return fail(Kind::invalid, "hex text of odd length");
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return fail(Kind::invalid, "not a hex digit in hex text");
        out.push_back(static_cast<char>(high << 4 | low));
    }
    return out;
}

std::string base64_encode(BytesView in) {
    std::string out;
    out.reserve((in.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < in.size(); i += 3) {
        const std::size_t left = in.size() - i;
        std::uint32_t group = static_cast<std::uint8_t>(in[i]) << 16;
        if (left > 1) group |= static_cast<std::uint8_t>(in[i + 1]) << 8;
        if (left > 2) group |= static_cast<std::uint8_t>(in[i + 2]);
        out.push_back(kBase64Alphabet[group >> 18]);
        out.push_back(kBase64Alphabet[group >> 12 & 63]);
        out.push_back(left > 1 ? kBase64Alphabet[group >> 6 & 63] : '=');
        out.push_back(left > 2 ? kBase64Alphabet[group & 63] : '=');
    }
    return out;
}

Result<Bytes> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return fail(Kind::invalid, "base64 text is not padded");
    Bytes out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        int pad = 0;
        if (last && text[i + 3] == '=') pad = text[i + 2] == '=' ? 2 : 1;
        std::uint32_t group = 0;
        for (int k = 0; k < 4; ++k) {
            group <<= 6;
            if (k >= 4 - pad) continue;
            const auto at = kBase64Alphabet.find(text[i + static_cast<std::size_t>(k)]);
            if (at == std::string_view::npos) return fail(Kind::invalid, "not a base64 character");
            group |= static_cast<std::uint32_t>(at);
        }
        out.push_back(static_cast<char>(group >> 16));
        if (pad < 2) out.push_back(static_cast<char>(group >> 8));
        if (pad < 1) out.push_back(static_cast<char>(group));
    }
    return out;
}

std::string url_escape(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (unreserved(c)) {
            out.push_back(c);
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(c);
        out.push_back('%');
        out.push_back("0123456789ABCDEF"[byte >> 4]);
        out.push_back("0123456789ABCDEF"[byte & 15]);
    }
    return out;
}

Result<std::string> url_unescape(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out.push_back(' ');
        } else if (text[i] != '%') {
            out.push_back(text[i]);
        } else {
            if (i + 2 >= text.size()) return fail(Kind::invalid, "percent escape cut short");
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return fail(Kind::invalid, "bad percent escape");
            out.push_back(static_cast<char>(high << 4 | low));
            i += 2;
        }
    }
    return out;
}

}  // namespace ipfscluster
