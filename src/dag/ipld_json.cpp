#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "dag/ipld.hpp"

// DAG-JSON (https://ipld.io/specs/codecs/dag-json/spec/): {"/":"CID"} is a link,
// {"/":{"bytes":"BASE64"}} are bytes.
namespace ipfscluster::dag {
namespace {

using ValueKind = IpldNode::Kind;

Error malformed(const std::string& what) {
    return {Kind::corrupt, "dag-json: " + what};
}

void put_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
        out.push_back(static_cast<char>(0xc0 | code >> 6));
        out.push_back(static_cast<char>(0x80 | (code & 63)));
    } else if (code < 0x10000) {
        out.push_back(static_cast<char>(0xe0 | code >> 12));
        out.push_back(static_cast<char>(0x80 | (code >> 6 & 63)));
        out.push_back(static_cast<char>(0x80 | (code & 63)));
    } else {
        out.push_back(static_cast<char>(0xf0 | code >> 18));
        out.push_back(static_cast<char>(0x80 | (code >> 12 & 63)));
        out.push_back(static_cast<char>(0x80 | (code >> 6 & 63)));
        out.push_back(static_cast<char>(0x80 | (code & 63)));
    }
}

/// base64 with or without its padding.
Result<Bytes> any_base64(std::string text) {
    if (text.find('=') == std::string::npos) text.append((4 - text.size() % 4) % 4, '=');
    return base64_decode(text);
}

class Reader {
 public:
    explicit Reader(BytesView in) : in_(in) {}

    Result<IpldNode> document() {
        ICL_TRY(auto node, value(0));
        skip_space();
        if (!in_.empty()) return fail(malformed("content after the value"));
        return node;
    }

 private:
    void skip_space() {
        while (!in_.empty() &&
               (in_[0] == ' ' || in_[0] == '\t' || in_[0] == '\n' || in_[0] == '\r'))
            in_.remove_prefix(1);
    }
    bool take(char c) {
        skip_space();
        if (in_.empty() || in_[0] != c) return false;
        in_.remove_prefix(1);
        return true;
    }
    Result<IpldNode> word(std::string_view text, IpldNode node) {
        if (!in_.starts_with(text)) return fail(malformed("an unknown word"));
        in_.remove_prefix(text.size());
        return node;
    }
    Result<IpldNode> value(std::size_t depth);
    Result<IpldNode> number();
    Result<std::string> text();
    Result<> escape(std::string& out);
    Result<std::uint32_t> hex4();
    Result<IpldNode> list(std::size_t depth);
    Result<IpldNode> map(std::size_t depth);

    BytesView in_;
    std::size_t items_ = 0;
};

Result<IpldNode> Reader::value(std::size_t depth) {
    if (++items_ > kIpldItemsMax) return fail(Kind::unsupported, "dag-json: too many values");
    if (depth > kIpldDepthMax) return fail(malformed("nested too deeply"));
    skip_space();
    if (in_.empty()) return fail(malformed("truncated"));
    IpldNode node;
    switch (in_[0]) {
        case 'n':
            return word("null", node);
        case 't':
        case 'f':
            node.kind = ValueKind::boolean;
            node.boolean = in_[0] == 't';
            return word(node.boolean ? "true" : "false", std::move(node));
        case '"': {
            ICL_TRY(auto string, text());
            return IpldNode::make_text(std::move(string));
        }
        case '[':
            return list(depth);
        case '{':
            return map(depth);
        default:
            return number();
    }
}

Result<IpldNode> Reader::number() {
    std::size_t end = 0;
    while (end < in_.size() && (std::isdigit(static_cast<unsigned char>(in_[end])) != 0 ||
                                std::string_view("+-.eE").find(in_[end]) != std::string_view::npos))
        ++end;
    const auto digits = in_.substr(0, end);
    const auto body = digits.starts_with('-') ? digits.substr(1) : digits;
    // JSON's grammar: no leading zeros or plus, a digit on both sides of a point.
    if (body.empty() || std::isdigit(static_cast<unsigned char>(body[0])) == 0 ||
        (body.size() > 1 && body[0] == '0' &&
         std::isdigit(static_cast<unsigned char>(body[1])) != 0))
        return fail(malformed("an unexpected character or number"));
    if (const auto point = body.find('.'); point != std::string_view::npos)
        if (point + 1 == body.size() ||
            std::isdigit(static_cast<unsigned char>(body[point + 1])) == 0)
            return fail(malformed("a malformed number"));
    IpldNode node;
    const auto* stop = digits.data() + digits.size();
    if (body.find_first_of(".eE") != std::string_view::npos) {
        node.kind = ValueKind::floating;
        const auto [at, error] = std::from_chars(digits.data(), stop, node.floating);
        if (error != std::errc() || at != stop || !std::isfinite(node.floating))
            return fail(malformed("a malformed number"));
    } else {
        node.kind = ValueKind::integer;
        const auto [at, error] = std::from_chars(body.data(), stop, node.magnitude);
        if (error != std::errc() || at != stop) return fail(malformed("an integer out of range"));
        if (digits.size() != body.size() && node.magnitude != 0) {
            node.negative = true;
            --node.magnitude;
        }
        // Larger ones fit CBOR, but neither Kubo nor JavaScript reads them.
        if (node.magnitude > static_cast<std::uint64_t>(INT64_MAX))
            return fail(malformed("an integer out of range"));
    }
    in_.remove_prefix(end);
    return node;
}

Result<std::uint32_t> Reader::hex4() {
    std::uint32_t code = 0;
    if (in_.size() < 4) return fail(malformed("truncated"));
    const auto [at, error] = std::from_chars(in_.data(), in_.data() + 4, code, 16);
    if (error != std::errc() || at != in_.data() + 4) return fail(malformed("a bad escape"));
    in_.remove_prefix(4);
    return code;
}

Result<> Reader::escape(std::string& out) {
    if (in_.empty()) return fail(malformed("truncated"));
    const char c = in_[0];
    in_.remove_prefix(1);
    constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (const auto at = kFrom.find(c); at != std::string_view::npos) {
        out.push_back(kTo[at]);
        return ok();
    }
    if (c != 'u') return fail(malformed("a bad escape"));
    ICL_TRY(auto code, hex4());
    if (code >= 0xd800 && code < 0xdc00 && in_.starts_with("\\u")) {
        const auto before = in_;
        in_.remove_prefix(2);
        ICL_TRY(const auto low, hex4());
        if (low >= 0xdc00 && low < 0xe000)
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        else
            in_ = before;
    }
    put_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return ok();
}

Result<std::string> Reader::text() {
    if (!take('"')) return fail(malformed("a text is expected"));
    std::string out;
    while (true) {
        if (in_.empty()) return fail(malformed("truncated"));
        const char c = in_[0];
        if (static_cast<unsigned char>(c) < 0x20)
            return fail(malformed("a control character in a text"));
        if (c == '"' || c == '\\') {
            in_.remove_prefix(1);
            if (c == '"') return out;
            ICL_TRY(escape(out));
            continue;
        }
        const auto size = utf8_size(in_);
        if (size == 0) return fail(malformed("a text that is not UTF-8"));
        out += in_.substr(0, size);
        in_.remove_prefix(size);
    }
}

Result<IpldNode> Reader::list(std::size_t depth) {
    in_.remove_prefix(1);
    IpldNode node;
    node.kind = ValueKind::list;
    if (take(']')) return node;
    while (true) {
        ICL_TRY(auto item, value(depth + 1));
        node.items.push_back(std::move(item));
        if (take(']')) return node;
        if (!take(',')) return fail(malformed("a comma is expected"));
    }
}

/// The special forms of a map whose only key is "/"; nothing for an ordinary map.
Result<std::optional<IpldNode>> special(const IpldNode& map) {
    if (map.keys.size() != 1 || map.keys[0] != "/") return std::optional<IpldNode>{};
    const auto& inner = map.items[0];
    if (inner.kind == ValueKind::text) {
        auto cid = Cid::parse(inner.text);
        if (!cid) return fail(malformed("a link: " + cid.error().text));
        return std::optional<IpldNode>(IpldNode::make_link(cid.value()));
    }
    const bool bytes = inner.kind == ValueKind::map && inner.keys.size() == 1 &&
                       inner.keys[0] == "bytes" && inner.items[0].kind == ValueKind::text;
    if (!bytes) return std::optional<IpldNode>{};
    auto decoded = any_base64(inner.items[0].text);
    if (!decoded) return fail(malformed("bytes: " + decoded.error().text));
    return std::optional<IpldNode>(IpldNode::make_bytes(std::move(decoded).value()));
}

Result<IpldNode> Reader::map(std::size_t depth) {
    in_.remove_prefix(1);
    IpldNode node;
    node.kind = ValueKind::map;
    if (take('}')) return node;
    while (true) {
        skip_space();
        ICL_TRY(auto key, text());
        if (!take(':')) return fail(malformed("a colon is expected"));
        ICL_TRY(auto item, value(depth + 1));
        node.keys.push_back(std::move(key));
        node.items.push_back(std::move(item));
        if (take('}')) break;
        if (!take(',')) return fail(malformed("a comma is expected"));
    }
    auto sorted = node.keys;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        return fail(malformed("a key stands twice in a map"));
    ICL_TRY(auto found, special(node));
    if (found) return std::move(*found);
    return node;
}

void put_text(std::string& out, std::string_view text) {
    append_json_text(out, text, JsonEscapes::dag_json);
}

/// As ECMAScript writes numbers.
void put_double(std::string& out, double value) {
    char buffer[400];
    const double size = std::fabs(value);
    const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
    const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
    std::string text(buffer, end);
    if (const auto e = text.find("e-0"); e != std::string::npos) text.erase(e + 2, 1);
    out += text;
}

Result<> put_value(std::string& out, const IpldNode& node);

Result<> put_map(std::string& out, const IpldNode& node) {
    std::vector<std::size_t> order(node.keys.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return node.keys[a] < node.keys[b]; });
    out.push_back('{');
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i > 0) out.push_back(',');
        put_text(out, node.keys[order[i]]);
        out.push_back(':');
        ICL_TRY(put_value(out, node.items[order[i]]));
    }
    out.push_back('}');
    return ok();
}

Result<> put_value(std::string& out, const IpldNode& node) {
    switch (node.kind) {
        case ValueKind::null:
            out += "null";
            return ok();
        case ValueKind::boolean:
            out += node.boolean ? "true" : "false";
            return ok();
        case ValueKind::integer:
            if (node.negative && node.magnitude == UINT64_MAX)
                return fail(Kind::invalid, "dag-json: an integer out of range");
            if (node.negative) out.push_back('-');
            out += std::to_string(node.magnitude + (node.negative ? 1 : 0));
            return ok();
        case ValueKind::floating:
            if (!std::isfinite(node.floating))
                return fail(Kind::invalid, "dag-json: a number that is not finite");
            put_double(out, node.floating);
            return ok();
        case ValueKind::text:
            put_text(out, node.text);
            return ok();
        case ValueKind::bytes: {
            auto text = base64_encode(node.text);
            while (text.ends_with('=')) text.pop_back();
            out += "{\"/\":{\"bytes\":\"" + text + "\"}}";
            return ok();
        }
        case ValueKind::link:
            out += "{\"/\":\"" + node.cid().to_string() + "\"}";
            return ok();
        case ValueKind::list:
            out.push_back('[');
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                if (i > 0) out.push_back(',');
                ICL_TRY(put_value(out, node.items[i]));
            }
            out.push_back(']');
            return ok();
        case ValueKind::map:
            break;
    }
    return put_map(out, node);
}

}  // namespace

Result<IpldNode> decode_dag_json(BytesView block) {
    if (block.size() > kBlockBytesMax) return fail(malformed("block is too large"));
    Reader reader(block);
    return reader.document();
}

Result<Bytes> encode_dag_json(const IpldNode& node) {
    Bytes out;
    ICL_TRY(put_value(out, node));
    return out;
}

}  // namespace ipfscluster::dag
