#include "codec/msgpack.hpp"

#include <fmt/format.h>

#include <bit>
#include <limits>

namespace ipfscluster::codec {
namespace {

void put_be(Bytes& out, std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift));
}

void put_tagged(Bytes& out, unsigned tag, std::uint64_t value, int bytes) {
    out.push_back(static_cast<char>(tag));
    put_be(out, value, bytes);
}

std::uint64_t get_be(BytesView in, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
    return value;
}

std::uint64_t sign_extend(std::uint64_t value, std::size_t bytes) {
    const auto shift = static_cast<unsigned>(64 - 8 * bytes);
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << shift) >> shift);
}

/// What follows the tags c0 to df: how many bytes of number, and whether one extension type byte
/// comes after.
struct Tag {
    MsgpackType type;
    std::uint8_t number_bytes;
    std::uint8_t fixed = 0;  ///< value when there is no number
};
constexpr Tag kTags[32] = {
    {MsgpackType::nil, 0},           {MsgpackType::nil, 0},          {MsgpackType::boolean, 0, 0},
    {MsgpackType::boolean, 0, 1},    {MsgpackType::raw, 1},          {MsgpackType::raw, 2},
    {MsgpackType::raw, 4},           {MsgpackType::extension, 1},    {MsgpackType::extension, 2},
    {MsgpackType::extension, 4},     {MsgpackType::float64, 4},      {MsgpackType::float64, 8},
    {MsgpackType::unsigned_int, 1},  {MsgpackType::unsigned_int, 2}, {MsgpackType::unsigned_int, 4},
    {MsgpackType::unsigned_int, 8},  {MsgpackType::signed_int, 1},   {MsgpackType::signed_int, 2},
    {MsgpackType::signed_int, 4},    {MsgpackType::signed_int, 8},   {MsgpackType::extension, 0, 1},
    {MsgpackType::extension, 0, 2},  {MsgpackType::extension, 0, 4}, {MsgpackType::extension, 0, 8},
    {MsgpackType::extension, 0, 16}, {MsgpackType::raw, 1},          {MsgpackType::raw, 2},
    {MsgpackType::raw, 4},           {MsgpackType::array, 2},        {MsgpackType::array, 4},
    {MsgpackType::map, 2},           {MsgpackType::map, 4},
};

constexpr std::size_t kSkipMax = std::size_t{1} << 40;

MsgpackHead fixed_head(MsgpackType type, std::uint64_t value) {
    return {type, 1, value, 0};
}

}  // namespace

void Writer::signed_int(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= -32 && value <= 127)
        out_.push_back(static_cast<char>(bits));
    else if (value >= -128 && value < 0)
        put_tagged(out_, 0xd0, bits, 1);
    else if (value >= INT16_MIN && value <= INT16_MAX)
        put_tagged(out_, 0xd1, bits, 2);
    else if (value >= INT32_MIN && value <= INT32_MAX)
        put_tagged(out_, 0xd2, bits, 4);
    else
        put_tagged(out_, 0xd3, bits, 8);
}

void Writer::unsigned_int(std::uint64_t value) {
    if (value <= 127)
        out_.push_back(static_cast<char>(value));
    else if (value <= UINT8_MAX)
        put_tagged(out_, 0xcc, value, 1);
    else if (value <= UINT16_MAX)
        put_tagged(out_, 0xcd, value, 2);
    else if (value <= UINT32_MAX)
        put_tagged(out_, 0xce, value, 4);
    else
        put_tagged(out_, 0xcf, value, 8);
}

void Writer::raw(BytesView bytes) {
    if (bytes.size() < 32)
        out_.push_back(static_cast<char>(0xa0 | bytes.size()));
    else if (bytes.size() <= UINT16_MAX)
        put_tagged(out_, 0xda, bytes.size(), 2);
    else
        put_tagged(out_, 0xdb, bytes.size(), 4);
    out_.append(bytes);
}

void Writer::array(std::size_t count) {
    if (count < 16)
        out_.push_back(static_cast<char>(0x90 | count));
    else if (count <= UINT16_MAX)
        put_tagged(out_, 0xdc, count, 2);
    else
        put_tagged(out_, 0xdd, count, 4);
}

void Writer::map(std::size_t pairs) {
    if (pairs < 16)
        out_.push_back(static_cast<char>(0x80 | pairs));
    else if (pairs <= UINT16_MAX)
        put_tagged(out_, 0xde, pairs, 2);
    else
        put_tagged(out_, 0xdf, pairs, 4);
}

Result<std::optional<MsgpackHead>> read_msgpack_head(BytesView in) {
    using Out = std::optional<MsgpackHead>;
    if (in.empty()) return Out{};
    const auto first = static_cast<std::uint8_t>(in[0]);
    if (first <= 0x7f) return Out(fixed_head(MsgpackType::unsigned_int, first));
    if (first >= 0xe0) return Out(fixed_head(MsgpackType::signed_int, sign_extend(first, 1)));
    if (first <= 0x8f) return Out(fixed_head(MsgpackType::map, first & 0x0f));
    if (first <= 0x9f) return Out(fixed_head(MsgpackType::array, first & 0x0f));
    if (first <= 0xbf) return Out(fixed_head(MsgpackType::raw, first & 0x1f));
    if (first == 0xc1) return fail(Kind::corrupt, "msgpack: the byte c1 starts no value");

    const Tag& tag = kTags[first - 0xc0];
    const bool extension = tag.type == MsgpackType::extension;
    const std::size_t size = 1 + std::size_t{tag.number_bytes} + (extension ? 1 : 0);
    if (in.size() < size) return Out{};
    MsgpackHead head{tag.type, size, tag.fixed, 0};
    if (tag.number_bytes > 0) head.value = get_be(in.substr(1), tag.number_bytes);
    if (extension) head.extension = static_cast<std::int8_t>(in[size - 1]);
    if (tag.type == MsgpackType::float64 && tag.number_bytes == 4)
        head.value = std::bit_cast<std::uint64_t>(
            static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(head.value))));
    if (tag.type == MsgpackType::signed_int) {
        head.value = sign_extend(head.value, tag.number_bytes);
        if (static_cast<std::int64_t>(head.value) >= 0) head.type = MsgpackType::unsigned_int;
    }
    return Out(head);
}

Result<bool> Scanner::step(BytesView in) {
    ICL_TRY(const auto head, read_msgpack_head(in.substr(at_)));
    if (!head) return false;
    std::uint64_t payload = 0;
    std::uint64_t children = 0;
    switch (head->type) {
        case MsgpackType::raw:
        case MsgpackType::extension:
            payload = head->value;
            break;
        case MsgpackType::array:
            children = head->value;
            break;
        case MsgpackType::map:
            children = 2 * head->value;
            break;
        default:
            break;
    }
    // Each element takes a byte at least: a false count is refused before anything waits for it.
    if (at_ + head->size + payload + children > bytes_max_)
        return fail(Kind::corrupt,
                    fmt::format("msgpack: a value longer than {} bytes", bytes_max_));
    if (in.size() - at_ - head->size < payload) return false;
    at_ += head->size + payload;
    if (!open_.empty()) --open_.back();
    if (children > 0) {
        if (open_.size() == kMsgpackDepthMax)
            return fail(Kind::corrupt, fmt::format("msgpack: deeper than {}", kMsgpackDepthMax));
        open_.push_back(children);
    }
    while (!open_.empty() && open_.back() == 0) open_.pop_back();
    started_ = true;
    return true;
}

Result<std::optional<std::size_t>> Scanner::scan(BytesView in) {
    while (!started_ || !open_.empty()) {
        ICL_TRY(const bool moved, step(in));
        if (!moved) {
            if (in.size() > bytes_max_)
                return fail(Kind::corrupt,
                            fmt::format("msgpack: a value longer than {} bytes", bytes_max_));
            return std::optional<std::size_t>{};
        }
    }
    return std::optional<std::size_t>(at_);
}

void Scanner::reset() {
    at_ = 0;
    started_ = false;
    open_.clear();
}

Error Reader::error(std::string what) const {
    return {Kind::corrupt, fmt::format("msgpack decode error [pos {}]: {}", at_, what)};
}

Result<MsgpackHead> Reader::head() {
    auto head = read_msgpack_head(in_.substr(at_));
    if (!head) return fail(error(head.error().text));
    if (!head.value()) return fail(error("cut short"));
    return *head.value();
}

Result<BytesView> Reader::payload(const MsgpackHead& h) {
    if (in_.size() - at_ - h.size < h.value) return fail(error("cut short"));
    const auto bytes = in_.substr(at_ + h.size, h.value);
    at_ += h.size + h.value;
    return bytes;
}

bool Reader::take_nil() {
    if (at_ == in_.size() || in_[at_] != '\xc0') return false;
    ++at_;
    return true;
}

Result<bool> Reader::boolean() {
    ICL_TRY(const auto h, head());
    if (h.type != MsgpackType::boolean) return fail(error("not a boolean"));
    at_ += h.size;
    return h.value != 0;
}

Result<std::int64_t> Reader::signed_int() {
    ICL_TRY(const auto h, head());
    if (h.type != MsgpackType::signed_int && h.type != MsgpackType::unsigned_int)
        return fail(error("not an integer"));
    if (h.type == MsgpackType::unsigned_int &&
        h.value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return fail(error("an integer beyond 63 bits"));
    at_ += h.size;
    return static_cast<std::int64_t>(h.value);
}

Result<std::uint64_t> Reader::unsigned_int() {
    ICL_TRY(const auto h, head());
    if (h.type == MsgpackType::signed_int)
        return fail(error("a negative number where none may be"));
    if (h.type != MsgpackType::unsigned_int) return fail(error("not an integer"));
    at_ += h.size;
    return h.value;
}

Result<BytesView> Reader::raw() {
    ICL_TRY(const auto h, head());
    if (h.type != MsgpackType::raw) return fail(error("not a string"));
    return payload(h);
}

Result<BytesView> Reader::raw_or_timestamp() {
    ICL_TRY(const auto h, head());
    if (h.type != MsgpackType::raw && !(h.type == MsgpackType::extension && h.extension == -1))
        return fail(error("not a time"));
    return payload(h);
}

Result<std::size_t> Reader::array() {
    if (take_nil()) return 0U;
    ICL_TRY(const auto h, head());
    if (h.type != MsgpackType::array) return fail(error("not an array"));
    if (h.value > in_.size() - at_) return fail(error("cut short"));
    at_ += h.size;
    return static_cast<std::size_t>(h.value);
}

Result<std::size_t> Reader::map() {
    if (take_nil()) return 0U;
    ICL_TRY(const auto h, head());
    if (h.type != MsgpackType::map) return fail(error("not a map"));
    if (2 * h.value > in_.size() - at_) return fail(error("cut short"));
    at_ += h.size;
    return static_cast<std::size_t>(h.value);
}

Result<> Reader::skip() {
    Scanner scanner(kSkipMax);  // the buffer is the limit
    auto end = scanner.scan(in_.substr(at_));
    if (!end) return fail(error(end.error().text));
    if (!end.value()) return fail(error("cut short"));
    at_ += *end.value();
    return ok();
}

}  // namespace ipfscluster::codec
