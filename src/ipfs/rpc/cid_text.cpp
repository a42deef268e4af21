#include "ipfs/rpc/cid_text.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "multi/multibase.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

struct Base {
    std::string_view name;
    char prefix;
};
constexpr Base kBases[] = {{"base16", 'f'},    {"base32", 'b'}, {"base36", 'k'},
                           {"base58btc", 'z'}, {"base64", 'm'}, {"base64url", 'u'}};

bool known_prefix(char prefix) {
    return std::any_of(std::begin(kBases), std::end(kBases),
                       [&](const Base& base) { return base.prefix == prefix; });
}

std::string base36_encode(BytesView in) {
    std::string digits;  // little-endian
    for (const char c : in) {
        unsigned carry = static_cast<unsigned char>(c);
        for (auto& digit : digits) {
            carry += static_cast<unsigned>(digit) << 8;
            digit = static_cast<char>(carry % 36);
            carry /= 36;
        }
        for (; carry > 0; carry /= 36) digits.push_back(static_cast<char>(carry % 36));
    }
    for (const char c : in) {
        if (c != '\0') break;
        digits.push_back(0);
    }
    std::reverse(digits.begin(), digits.end());
    for (auto& digit : digits)
        digit = "0123456789abcdefghijklmnopqrstuvwxyz"[static_cast<int>(digit)];
    return digits;
}

std::string encode(char prefix, BytesView in) {
    std::string text;
    switch (prefix) {
        case 'f':
            text = hex_encode(in);
            break;
        case 'k':
            text = base36_encode(in);
            break;
        case 'z':
            text = base58_encode(in);
            break;
        case 'm':
        case 'u':
            text = base64_encode(in);
            while (text.ends_with('=')) text.pop_back();
            if (prefix == 'u') {
                std::replace(text.begin(), text.end(), '+', '-');
                std::replace(text.begin(), text.end(), '/', '_');
            }
            break;
        default:
            text = base32_encode(in);
    }
    return prefix + text;
}

}  // namespace

Result<CidText> CidText::make(std::string_view base, std::optional<bool> upgrade) {
    CidText out;
    if (!base.empty()) {
        const auto* found = std::find_if(std::begin(kBases), std::end(kBases),
                                         [&](const Base& b) { return b.name == base; });
        if (found == std::end(kBases))
            return fail(
                Kind::invalid,
                "cid-base: \"" + std::string(base) +
                    "\" is not one of base16, base32, base36, base58btc, base64, base64url");
        out.base_ = found->prefix;
        out.upgrade_ = out.base_ != 'z';
    }
    if (upgrade) out.upgrade_ = *upgrade;
    return out;
}

CidText CidText::of_path(std::string_view path) {
    CidText out;
    if (path.starts_with('/')) {
        path.remove_prefix(1);
        path.remove_prefix(std::min(path.find('/'), path.size() - 1) + 1);
    }
    const auto text = path.substr(0, path.find('/'));
    const auto cid = Cid::parse(text);
    if (!cid || cid.value().version() == 0) return out;
    out.upgrade_ = true;
    if (known_prefix(text[0])) out.base_ = text[0];
    return out;
}

std::string CidText::operator()(const Cid& cid) const {
    if (!cid.defined()) return {};
    if (cid.version() == 0) {
        if (!upgrade_) return cid.to_string();
        return (*this)(Cid::v1(Codec::dag_pb, cid.multihash()));
    }
    return encode(base_, cid.bytes());
}

}  // namespace ipfscluster::ipfs_rpc
