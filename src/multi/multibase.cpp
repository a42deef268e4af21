#include "multi/multibase.hpp"

#include <array>
#include <cstdint>

namespace ipfscluster {
namespace {

/// Longest text of a base whose decoding costs the square of its length.
constexpr std::size_t kRadixTextMax = 1024;
/// Longest text of the other bases.
constexpr std::size_t kBitTextMax = 64 * 1024;

constexpr std::string_view kBase58Btc =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBase58Flickr =
    "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase16 = "0123456789abcdef";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase32Hex = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using DigitTable = std::array<std::int8_t, 256>;

constexpr DigitTable make_table(std::string_view alphabet, bool any_case) {
    DigitTable table{};
    for (auto& digit : table) digit = -1;
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        const char c = alphabet[i];
        table[static_cast<unsigned char>(c)] = static_cast<std::int8_t>(i);
        if (any_case && c >= 'a' && c <= 'z') table[c - 'a' + 'A'] = static_cast<std::int8_t>(i);
    }
    return table;
}

constexpr DigitTable kBase58BtcDigits = make_table(kBase58Btc, false);
constexpr DigitTable kBase58FlickrDigits = make_table(kBase58Flickr, false);
constexpr DigitTable kBase36Digits = make_table(kBase36, true);
constexpr DigitTable kBase16Digits = make_table(kBase16, true);
constexpr DigitTable kBase32Digits = make_table(kBase32, true);
constexpr DigitTable kBase32HexDigits = make_table(kBase32Hex, true);
constexpr DigitTable kBase64Digits = make_table(kBase64, false);
constexpr DigitTable kBase64UrlDigits = make_table(kBase64Url, false);

auto bad_character() {
    return fail(Kind::invalid, "a character outside the encoding's alphabet");
}

/// Positional decoding for a radix that is no power of two; leading zero digits are zero bytes.
Result<Bytes> radix_decode(std::string_view text, const DigitTable& digits, unsigned radix) {
    if (text.size() > kRadixTextMax) return fail(Kind::invalid, "encoded text is too long");
    std::size_t zeros = 0;
    while (zeros < text.size() && digits[static_cast<unsigned char>(text[zeros])] == 0) ++zeros;
    Bytes little_endian;
    for (const char c : text.substr(zeros)) {
        const int digit = digits[static_cast<unsigned char>(c)];
        if (digit < 0) return bad_character();
        unsigned carry = static_cast<unsigned>(digit);
        for (char& byte : little_endian) {
            carry += static_cast<std::uint8_t>(byte) * radix;
            byte = static_cast<char>(carry & 0xff);
            carry >>= 8;
        }
        if (carry != 0) little_endian.push_back(static_cast<char>(carry));
    }
    Bytes out(zeros, '\0');
    out.append(little_endian.rbegin(), little_endian.rend());
    return out;
}

/// Decoding of a radix 2^bits. Left-over bits must be zero, so each value has one text.
Result<Bytes> bit_decode(std::string_view text, const DigitTable& digits, unsigned bits,
                         bool padded) {
    if (text.size() > kBitTextMax) return fail(Kind::invalid, "encoded text is too long");
    if (padded) {
        const std::size_t group = bits == 5 ? 8 : 4;
        if (text.size() % group != 0) return fail(Kind::invalid, "wrong padding");
        for (std::size_t i = 0; i + 1 < group && !text.empty() && text.back() == '='; ++i)
            text.remove_suffix(1);
    }
    Bytes out;
    out.reserve(text.size() * bits / 8);
    unsigned buffer = 0;
    unsigned filled = 0;
    for (const char c : text) {
        const int digit = digits[static_cast<unsigned char>(c)];
        if (digit < 0) return bad_character();
        buffer = buffer << bits | static_cast<unsigned>(digit);
        filled += bits;
        if (filled >= 8) {
            filled -= 8;
            out.push_back(static_cast<char>(buffer >> filled));
            buffer &= (1u << filled) - 1;
        }
    }
    if (filled >= bits || buffer != 0) return fail(Kind::invalid, "encoded text is cut off");
    return out;
}

}  // namespace

std::string base58_encode(BytesView in) {
    std::size_t zeros = 0;
    while (zeros < in.size() && in[zeros] == '\0') ++zeros;
    std::string little_endian;
    for (const char c : in.substr(zeros)) {
        unsigned carry = static_cast<std::uint8_t>(c);
        for (char& digit : little_endian) {
            carry += static_cast<unsigned>(digit) << 8;
            digit = static_cast<char>(carry % 58);
            carry /= 58;
        }
        for (; carry != 0; carry /= 58) little_endian.push_back(static_cast<char>(carry % 58));
    }
    std::string out(zeros, kBase58Btc[0]);
    out.reserve(zeros + little_endian.size());
    for (auto it = little_endian.rbegin(); it != little_endian.rend(); ++it)
        out.push_back(kBase58Btc[static_cast<std::uint8_t>(*it)]);
    return out;
}

Result<Bytes> base58_decode(std::string_view text) {
    return radix_decode(text, kBase58BtcDigits, 58);
}

std::string base32_encode(BytesView in) {
    std::string out;
    out.reserve((in.size() * 8 + 4) / 5);
    unsigned buffer = 0;
    unsigned filled = 0;
    for (const char c : in) {
        buffer = (buffer << 8 | static_cast<std::uint8_t>(c)) & 0xfff;
        for (filled += 8; filled >= 5; filled -= 5)
            out.push_back(kBase32[buffer >> (filled - 5) & 31]);
    }
    if (filled > 0) out.push_back(kBase32[buffer << (5 - filled) & 31]);
    return out;
}

Result<Bytes> base32_decode(std::string_view text) {
    return bit_decode(text, kBase32Digits, 5, false);
}

Result<Bytes> multibase_decode(std::string_view text) {
    if (text.empty()) return fail(Kind::invalid, "empty multibase text");
    const std::string_view body = text.substr(1);
    switch (text[0]) {
        case 'f':
        case 'F':
            return bit_decode(body, kBase16Digits, 4, false);
        case 'b':
        case 'B':
            return bit_decode(body, kBase32Digits, 5, false);
        case 'c':
        case 'C':
            return bit_decode(body, kBase32Digits, 5, true);
        case 'v':
        case 'V':
            return bit_decode(body, kBase32HexDigits, 5, false);
        case 't':
        case 'T':
            return bit_decode(body, kBase32HexDigits, 5, true);
        case 'z':
            return radix_decode(body, kBase58BtcDigits, 58);
        case 'Z':
            return radix_decode(body, kBase58FlickrDigits, 58);
        case 'k':
        case 'K':
            return radix_decode(body, kBase36Digits, 36);
        case 'm':
            return bit_decode(body, kBase64Digits, 6, false);
        case 'M':
            return bit_decode(body, kBase64Digits, 6, true);
        case 'u':
            return bit_decode(body, kBase64UrlDigits, 6, false);
        case 'U':
            return bit_decode(body, kBase64UrlDigits, 6, true);
        default:
            return fail(Kind::invalid, "unknown multibase prefix");
    }
}

}  // namespace ipfscluster
