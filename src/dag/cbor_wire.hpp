#pragma once
#include <string>

#include "dag/block.hpp"

/// The pieces of CBOR (RFC 8949) that DAG-CBOR is made of; included by sources only.
namespace ipfscluster::dag::cbor {

enum Major : unsigned { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };
constexpr std::uint64_t kLinkTag = 42;

struct Head {
    unsigned major = 0;
    unsigned info = 0;
    std::uint64_t value = 0;
};

inline Error malformed(const char* what) {
    return {Kind::corrupt, std::string("dag-cbor: ") + what};
}

inline Result<Head> take_head(BytesView& in) {
    if (in.empty()) return fail(malformed("truncated"));
    const unsigned first = static_cast<std::uint8_t>(in[0]);
    Head head{first >> 5u, first & 31u, 0};
    in.remove_prefix(1);
    if (head.info < 24) {
        head.value = head.info;
        return head;
    }
    if (head.info > 27) return fail(malformed("indefinite or reserved length"));
    const auto size = std::size_t{1} << (head.info - 24);
    if (in.size() < size) return fail(malformed("truncated"));
    for (std::size_t i = 0; i < size; ++i)
        head.value = head.value << 8 | static_cast<std::uint8_t>(in[i]);
    in.remove_prefix(size);
    return head;
}

inline Result<BytesView> take_string(BytesView& in, std::uint64_t size) {
    if (size > in.size()) return fail(malformed("truncated string"));
    const auto out = in.substr(0, size);
    in.remove_prefix(size);
    return out;
}

/// The content of tag 42: a byte string of 00 (identity multibase) and the binary CID.
inline Result<Cid> take_tagged_cid(BytesView& in) {
    ICL_TRY(auto head, take_head(in));
    if (head.major != kBytes) return fail(malformed("link is not a byte string"));
    ICL_TRY(auto bytes, take_string(in, head.value));
    if (bytes.empty() || bytes[0] != 0) return fail(malformed("link without its prefix"));
    auto cid = Cid::from_bytes(bytes.substr(1));
    if (!cid) return fail(malformed(cid.error().text.c_str()));
    return cid;
}

inline Result<Cid> take_link(BytesView& in) {
    ICL_TRY(auto head, take_head(in));
    if (head.major != kTag || head.value != kLinkTag) return fail(malformed("expected a link"));
    return take_tagged_cid(in);
}

inline void put_head(Bytes& out, unsigned major, std::uint64_t value) {
    const auto first = [&](unsigned info) { out.push_back(static_cast<char>(major << 5 | info)); };
    const auto tail = [&](int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
            out.push_back(static_cast<char>(value >> shift));
    };
    if (value < 24) {
        first(static_cast<unsigned>(value));
    } else if (value <= 0xff) {
        first(24);
        tail(1);
    } else if (value <= 0xffff) {
        first(25);
        tail(2);
    } else if (value <= 0xffffffff) {
        first(26);
        tail(4);
    } else {
        first(27);
        tail(8);
    }
}

inline void put_text(Bytes& out, std::string_view text) {
    put_head(out, kText, text.size());
    out += text;
}

inline void put_link(Bytes& out, const Cid& cid) {
    put_head(out, kTag, kLinkTag);
    put_head(out, kBytes, cid.bytes().size() + 1);
    out.push_back('\0');
    out += cid.bytes();
}

}  // namespace ipfscluster::dag::cbor
