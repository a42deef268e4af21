#include "api/adding/add_params.hpp"

#include <charconv>

#include "base/text.hpp"

namespace ipfscluster::adding {

namespace {

/// What the clients of the Go peer send by default; Go's server takes an absent one as 0, and
/// fails.
constexpr std::uint64_t kShardSizeDefault = 104'857'600;

Error bad(std::string_view name, std::string_view value, std::string_view wanted) {
    return {Kind::invalid,
            std::string(name) + ": \"" + std::string(value) + "\" is not " + std::string(wanted)};
}

Result<> read_bool(const codec::Query& query, std::string_view name, bool& value) {
    const auto text = codec::query_value(query, name);
    if (text.empty()) return ok();
    const auto read = parse_go_bool(text);
    if (!read) return fail(bad(name, text, "a boolean"));
    value = *read;
    return ok();
}

Result<> read_choice(const codec::Query& query, std::string_view name,
                     std::initializer_list<std::string_view> choices, std::string& value) {
    const auto text = codec::query_value(query, name);
    if (text.empty()) return ok();
    std::string all;
    for (const auto choice : choices) {
        if (text == choice) {
            value = text;
            return ok();
        }
        all += (all.empty() ? "" : " or ") + std::string(choice);
    }
    return fail(bad(name, text, all));
}

Result<> read_int(const codec::Query& query, std::string_view name, int& value) {
    const auto text = codec::query_value(query, name);
    if (text.empty()) return ok();
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size())
        return fail(bad(name, text, "an integer"));
    return ok();
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

}  // namespace

Result<AddQuery> parse_add_query(const codec::Query& query, Time now) {
    AddQuery out;
    auto& p = out.params;
    ICL_TRY(p.pin, codec::parse_pin_options(query, now));
    p.pin.mode = PinMode::recursive;
    p.pin.pin_update = Cid();
    ICL_TRY(read_choice(query, "format", {"unixfs", "car"}, p.format));
    ICL_TRY(read_choice(query, "layout", {"balanced", "trickle"}, p.layout));
    if (const auto chunker = codec::query_value(query, "chunker"); !chunker.empty())
        p.chunker = chunker;
    if (const auto hash = codec::query_value(query, "hash"); !hash.empty()) p.hash = lower(hash);
    ICL_TRY(read_int(query, "cid-version", p.cid_version));
    p.raw_leaves = p.cid_version > 0;
    ICL_TRY(read_bool(query, "raw-leaves", p.raw_leaves));
    ICL_TRY(read_bool(query, "wrap-with-directory", p.wrap));
    ICL_TRY(read_bool(query, "shard", p.shard));
    ICL_TRY(read_bool(query, "local", p.local));
    ICL_TRY(read_bool(query, "progress", p.progress));
    ICL_TRY(read_bool(query, "no-pin", p.no_pin));
    ICL_TRY(read_bool(query, "nocopy", p.no_copy));
    ICL_TRY(read_bool(query, "stream-channels", out.stream));
    bool client_side = false;  // only clients act on these; a wrong value is an error all the same
    ICL_TRY(read_bool(query, "recursive", client_side));
    ICL_TRY(read_bool(query, "hidden", client_side));
    if (p.shard && p.pin.shard_size == 0) p.pin.shard_size = kShardSizeDefault;
    if (p.format == "car" && p.wrap)
        return fail(Kind::invalid, "wrap-with-directory: not with format=car");
    return out;
}

}  // namespace ipfscluster::adding
