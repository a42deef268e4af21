#include "codec/pin_query.hpp"

#include <charconv>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace ipfscluster::codec {
namespace {

constexpr std::string_view kMetaPrefix = "meta-";
constexpr Duration kExpireInMin = std::chrono::seconds(1);

template <class T>
Result<T> parse_number(std::string_view name, std::string_view text) {
    T value{};
    // A leading plus is part of Go's integers.
    const auto digits = text.starts_with('+') ? text.substr(1) : text;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (ec != std::errc{} || end != digits.data() + digits.size())
        return fail(Kind::invalid,
                    std::string(name) + ": \"" + std::string(text) + "\" is not a number here");
    return value;
}

Result<> parse_replication(const Query& query, PinOptions& o) {
    const auto read = [&](std::string_view name, int& value) -> Result<> {
        const auto text = query_value(query, name);
        if (text.empty()) return ok();
        ICL_TRY(value, parse_number<int>(name, text));
        return ok();
    };
    ICL_TRY(read("replication-min", o.replication_min));
    ICL_TRY(read("replication-max", o.replication_max));
    if (const auto both = query_value(query, "replication"); !both.empty()) {
        ICL_TRY(o.replication_min, parse_number<int>("replication", both));
        o.replication_max = o.replication_min;
    }
    return ok();
}

Result<> parse_expiry(const Query& query, Time now, PinOptions& o) {
    if (const auto at = query_value(query, "expire-at"); !at.empty()) {
        auto time = parse_rfc3339(at);
        if (!time) return fail(time.error().in("expire-at"));
        o.expire_at = time.value();
        return ok();
    }
    const auto in = query_value(query, "expire-in");
    if (in.empty()) return ok();
    auto span = parse_go_duration(in);
    if (!span) return fail(span.error().in("expire-in"));
    if (span.value() < kExpireInMin) return fail(Kind::invalid, "expire-in: shorter than 1s");
    if (span.value() > Time::max() - now) return fail(Kind::invalid, "expire-in: too long");
    o.expire_at = now + span.value();
    return ok();
}

Result<> parse_lists(const Query& query, PinOptions& o) {
    for (const auto text : split_words(query_value(query, "user-allocations"))) {
        auto peer = PeerId::parse(text);
        if (!peer)
            return fail(Kind::invalid, "user-allocations: \"" + std::string(text.substr(0, 128)) +
                                           "\" is no peer id");
        o.user_allocations.push_back(std::move(peer.value()));
    }
    for (const auto text : split_words(query_value(query, "origins"))) {
        auto origin = Multiaddr::parse(text);
        if (!origin) return fail(origin.error().in("origins"));
        if (!origin.value().peer_id())
            return fail(Kind::invalid, "origins: " + std::string(text) + " lacks /p2p/<peer id>");
        o.origins.push_back(std::move(origin.value()));
    }
    return ok();
}

void append_parameter(std::string& out, std::string_view name, std::string_view value) {
    if (!out.empty()) out += '&';
    out += url_escape(name);
    out += '=';
    out += url_escape(value);
}

template <class T>
std::string join(const std::vector<T>& list) {
    std::string out;
    for (const auto& item : list) {
        if (!out.empty()) out += ',';
        out += item.to_string();
    }
    return out;
}

}  // namespace

Result<Query> parse_query(std::string_view text) {
    Query query;
    while (!text.empty()) {
        const auto end = text.find('&');
        const auto part = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (part.empty()) continue;
        const auto equals = part.find('=');
        ICL_TRY(auto name, url_unescape(part.substr(0, equals), true));
        std::string value;
        if (equals != std::string_view::npos) {
            ICL_TRY(value, url_unescape(part.substr(equals + 1), true));
        }
        query.emplace_back(std::move(name), std::move(value));
    }
    return query;
}

std::string_view query_value(const Query& query, std::string_view name) {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return {};
}

Result<PinOptions> parse_pin_options(const Query& query, Time now) {
    PinOptions o;
    ICL_TRY(parse_replication(query, o));
    o.name = query_value(query, "name");
    const auto mode = query_value(query, "mode");
    if (mode == to_string(PinMode::direct))
        o.mode = PinMode::direct;
    else if (!mode.empty() && mode != to_string(PinMode::recursive))
        return fail(Kind::invalid, "mode: \"" + std::string(mode.substr(0, 64)) +
                                       "\" is neither recursive nor direct");
    if (const auto size = query_value(query, "shard-size"); !size.empty()) {
        ICL_TRY(o.shard_size, parse_number<std::uint64_t>("shard-size", size));
    }
    ICL_TRY(parse_lists(query, o));
    ICL_TRY(parse_expiry(query, now, o));
    for (const auto& [name, value] : query)
        if (name.starts_with(kMetaPrefix) && name.size() > kMetaPrefix.size() && !value.empty())
            o.metadata.emplace(name.substr(kMetaPrefix.size()), value);
    if (const auto update = query_value(query, "pin-update"); !update.empty()) {
        auto cid = Cid::parse(update);
        if (!cid) return fail(cid.error().in("pin-update"));
        o.pin_update = std::move(cid.value());
    }
    return o;
}

std::string format_pin_options(const PinOptions& o) {
    std::string out;
    if (o.expire_at != kTimeUnset) append_parameter(out, "expire-at", format_rfc3339(o.expire_at));
    for (const auto& [key, value] : o.metadata)
        if (!key.empty()) append_parameter(out, std::string(kMetaPrefix) + key, value);
    append_parameter(out, "mode", to_string(o.mode));
    if (!o.name.empty()) append_parameter(out, "name", o.name);
    if (!o.origins.empty()) append_parameter(out, "origins", join(o.origins));
    if (o.pin_update.defined()) append_parameter(out, "pin-update", o.pin_update.to_string());
    append_parameter(out, "replication-max", std::to_string(o.replication_max));
    append_parameter(out, "replication-min", std::to_string(o.replication_min));
    if (o.shard_size != 0) append_parameter(out, "shard-size", std::to_string(o.shard_size));
    if (!o.user_allocations.empty())
        append_parameter(out, "user-allocations", join(o.user_allocations));
    return out;
}

}  // namespace ipfscluster::codec
