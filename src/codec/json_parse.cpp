#include <boost/json/parse.hpp>

#include "codec/json_reader.hpp"

namespace ipfscluster::codec {

Result<std::int64_t> json_signed(const json::value& in) {
    if (in.is_int64()) return in.get_int64();
    if (in.is_uint64() || in.is_double()) return fail(Kind::invalid, "not a 64-bit integer");
    return fail(Kind::invalid, "not a number");
}
Result<std::uint64_t> json_unsigned(const json::value& in) {
    if (in.is_uint64()) return in.get_uint64();
    if (in.is_int64() && in.get_int64() >= 0) return static_cast<std::uint64_t>(in.get_int64());
    return fail(Kind::invalid, "not a number without sign");
}

Result<> from_json(const json::value& in, bool& value) {
    value = false;
    if (in.is_null()) return ok();
    if (!in.is_bool()) return fail(Kind::invalid, "neither true nor false");
    value = in.get_bool();
    return ok();
}
Result<> from_json(const json::value& in, double& value) {
    value = 0;
    if (in.is_null()) return ok();
    if (!in.is_number()) return fail(Kind::invalid, "not a number");
    value = in.to_number<double>();
    return ok();
}
Result<> from_json(const json::value& in, std::string& value) {
    value.clear();
    if (in.is_null()) return ok();
    if (!in.is_string()) return fail(Kind::invalid, "not a string");
    value.assign(in.get_string().data(), in.get_string().size());
    return ok();
}

namespace {
/// Reads a value that has a text form; an empty text means none.
template <class T, class F>
Result<> from_text(const json::value& in, T& value, F parse) {
    value = {};
    std::string text;
    ICL_TRY(from_json(in, text));
    if (text.empty()) return ok();
    ICL_TRY(value, parse(text));
    return ok();
}

/// Reads a word; an empty one changes nothing.
template <class T, class F>
Result<> from_word(const json::value& in, T& value, F parse) {
    std::string text;
    ICL_TRY(from_json(in, text));
    if (text.empty()) return ok();
    const std::optional<T> known = parse(text);
    if (!known) return fail(Kind::invalid, "unknown word \"" + text + "\"");
    value = *known;
    return ok();
}

std::optional<PinType> known_pin_type(std::string_view text) {
    const auto type = parse_pin_type(text);
    if (type == PinType::bad && text != to_string(PinType::bad)) return std::nullopt;
    return type;
}
}  // namespace

Result<> from_json(const json::value& in, Cid& value) {
    // The foreign form {"/":"…"} is understood too.
    if (in.is_object()) {
        const auto* link = in.get_object().if_contains("/");
        if (link == nullptr) return fail(Kind::invalid, "not a CID");
        return from_text(*link, value, Cid::parse);
    }
    return from_text(in, value, Cid::parse);
}
Result<> from_json(const json::value& in, PeerId& value) {
    return from_text(in, value, PeerId::parse);
}
Result<> from_json(const json::value& in, Multiaddr& value) {
    return from_text(in, value, Multiaddr::parse);
}
Result<> from_json(const json::value& in, Time& value) {
    return from_text(in, value, parse_rfc3339);
}

Result<> from_json(const json::value& in, PinMode& value) {
    std::string text;
    ICL_TRY(from_json(in, text));
    value = text == to_string(PinMode::direct) ? PinMode::direct : PinMode::recursive;
    return ok();
}
Result<> from_json(const json::value& in, PinType& value) {
    return from_word(in, value, known_pin_type);
}
Result<> from_json(const json::value& in, TrackerStatus& value) {
    return from_word(in, value, parse_status);
}

template <class T>
Result<T> parse_json(std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max)
        return fail(Kind::invalid, "JSON: " + std::to_string(text.size()) + " bytes are too many");
    json::parse_options options;
    options.max_depth = kJsonDepthMax;
    boost::system::error_code ec;
    const auto document = json::parse(json::string_view(text.data(), text.size()), ec, {}, options);
    if (ec) return fail(Kind::invalid, "JSON: " + ec.message());
    T value{};
    if (auto read = from_json(document, value); !read) return fail(read.error().in("JSON"));
    return value;
}

template Result<JsonError> parse_json(std::string_view, std::size_t);
template Result<Version> parse_json(std::string_view, std::size_t);
template Result<PeerAddBody> parse_json(std::string_view, std::size_t);
template Result<PinOptions> parse_json(std::string_view, std::size_t);
template Result<Pin> parse_json(std::string_view, std::size_t);
template Result<GlobalPinInfo> parse_json(std::string_view, std::size_t);
template Result<PeerInfo> parse_json(std::string_view, std::size_t);
template Result<Metric> parse_json(std::string_view, std::size_t);
template Result<Alert> parse_json(std::string_view, std::size_t);
template Result<DrainReport> parse_json(std::string_view, std::size_t);
template Result<ConnectGraph> parse_json(std::string_view, std::size_t);
template Result<RepoStat> parse_json(std::string_view, std::size_t);
template Result<GlobalRepoGc> parse_json(std::string_view, std::size_t);
template Result<AddedOutput> parse_json(std::string_view, std::size_t);
template Result<BandwidthByProtocol> parse_json(std::string_view, std::size_t);
template Result<std::vector<std::string>> parse_json(std::string_view, std::size_t);
template Result<std::vector<Metric>> parse_json(std::string_view, std::size_t);
template Result<std::vector<Alert>> parse_json(std::string_view, std::size_t);
template Result<std::vector<Pin>> parse_json(std::string_view, std::size_t);
template Result<std::vector<PeerInfo>> parse_json(std::string_view, std::size_t);
template Result<std::vector<GlobalPinInfo>> parse_json(std::string_view, std::size_t);
template Result<std::vector<AddedOutput>> parse_json(std::string_view, std::size_t);

}  // namespace ipfscluster::codec
