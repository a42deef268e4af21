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

template <class T, class F>
void take_word(JsonFields& f, std::string_view name, T& value, F parse) {
    std::string text;
    f.take(name, text);
    if (text.empty()) return;
    if (auto known = parse(text))
        value = *known;
    else
        f.set_error({Kind::invalid, std::string(name) + ": unknown word \"" + text + "\""});
}

void take_nanoseconds(JsonFields& f, std::string_view name, Time& value) {
    std::int64_t count = 0;
    f.take(name, count);
    value = Time(std::chrono::nanoseconds(count));
}

/// A number that is missing or null while it is not known.
void take_known(JsonFields& f, std::string_view name, std::optional<std::uint64_t>& value) {
    const auto* found = f.find(name);
    if (found == nullptr || found->is_null()) return;
    value.emplace();
    f.take(name, *value);
}

void take_options(JsonFields& f, PinOptions& o) {
    f.take("replication_factor_min", o.replication_min);
    f.take("replication_factor_max", o.replication_max);
    f.take("name", o.name);
    std::string mode;
    f.take("mode", mode);
    o.mode = mode == to_string(PinMode::direct) ? PinMode::direct : PinMode::recursive;
    f.take("shard_size", o.shard_size);
    f.take("user_allocations", o.user_allocations);
    f.take("expire_at", o.expire_at);
    f.take("metadata", o.metadata);
    f.take("pin_update", o.pin_update);
    f.take("origins", o.origins);
}

std::optional<PinType> known_pin_type(std::string_view text) {
    const auto type = parse_pin_type(text);
    if (type == PinType::bad && text != to_string(PinType::bad)) return std::nullopt;
    return type;
}

void take_metric(JsonFields& f, Metric& m) {
    f.take("name", m.name);
    f.take("peer", m.peer);
    f.take("value", m.value);
    take_nanoseconds(f, "expire", m.expire);
    f.take("valid", m.valid);
    f.take("weight", m.weight);
    f.take("partitionable", m.partitionable);
    take_nanoseconds(f, "received_at", m.received_at);
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

Result<> from_json(const json::value& in, JsonError& value) {
    JsonFields f(in);
    f.take("code", value.code);
    f.take("message", value.message);
    return f.result();
}
Result<> from_json(const json::value& in, Version& value) {
    JsonFields f(in);
    f.take("version", value.version);
    return f.result();
}
Result<> from_json(const json::value& in, PeerAddBody& value) {
    JsonFields f(in);
    f.take("peer_id", value.peer_id);
    return f.result();
}
Result<> from_json(const json::value& in, PinOptions& value) {
    JsonFields f(in);
    take_options(f, value);
    return f.result();
}
Result<> from_json(const json::value& in, Pin& value) {
    JsonFields f(in);
    take_options(f, value.options);
    f.take("cid", value.cid);
    value.type = PinType::data;
    take_word(f, "type", value.type, known_pin_type);
    f.take("allocations", value.allocations);
    // Absent: what the mode says.
    value.max_depth = value.options.mode == PinMode::direct ? kDepthDirect : kDepthRecursive;
    f.take("max_depth", value.max_depth);
    f.take("reference", value.reference);
    f.take("timestamp", value.timestamp);
    return f.result();
}
Result<> from_json(const json::value& in, PinInfoShort& value) {
    JsonFields f(in);
    f.take("peername", value.peername);
    f.take("ipfs_peer_id", value.ipfs_peer);
    f.take("ipfs_peer_addresses", value.ipfs_addresses);
    take_word(f, "status", value.status, parse_status);
    f.take("timestamp", value.timestamp);
    f.take("error", value.error);
    f.take("attempt_count", value.attempt_count);
    f.take("priority_pin", value.priority_pin);
    f.take("fetched_blocks", value.fetched_blocks);
    f.take("fetched_bytes", value.fetched_bytes);
    return f.result();
}
Result<> from_json(const json::value& in, GlobalPinInfo& value) {
    JsonFields f(in);
    f.take("cid", value.cid);
    f.take("name", value.name);
    f.take("allocations", value.allocations);
    f.take("origins", value.origins);
    f.take("created", value.created);
    f.take("metadata", value.metadata);
    f.take("peer_map", value.peer_map);
    return f.result();
}
Result<> from_json(const json::value& in, IpfsId& value) {
    JsonFields f(in);
    f.take("id", value.id);
    f.take("addresses", value.addresses);
    f.take("error", value.error);
    return f.result();
}
Result<> from_json(const json::value& in, PeerInfo& value) {
    JsonFields f(in);
    f.take("id", value.id);
    f.take("addresses", value.addresses);
    f.take("cluster_peers", value.cluster_peers);
    f.take("cluster_peers_addresses", value.cluster_peers_addresses);
    f.take("version", value.version);
    f.take("commit", value.commit);
    f.take("rpc_protocol_version", value.rpc_protocol);
    f.take("error", value.error);
    f.take("ipfs", value.ipfs);
    f.take("peername", value.peername);
    auto& note = value.note;
    f.take("cordon", note.cordon);
    f.take("cordon_since", note.cordon_since);
    take_known(f, "left", note.left);
    f.take("away_since", note.away_since);
    return f.result();
}
Result<> from_json(const json::value& in, StuckItem& value) {
    JsonFields f(in);
    f.take("cid", value.cid);
    f.take("reason", value.reason);
    return f.result();
}
Result<> from_json(const json::value& in, DrainReport& value) {
    JsonFields f(in);
    f.take("id", value.peer);
    f.take("kind", value.kind);
    f.take("since", value.since);
    f.take("everything", value.everything);
    f.take("alive", value.alive);
    f.take("pins", value.pins);
    take_known(f, "kept", value.kept);
    f.take("everywhere", value.everywhere);
    take_known(f, "bytes", value.bytes);
    f.take("blocked", value.blocked);
    f.take("waiting", value.waiting);
    f.take("stuck", value.stuck);
    return f.result();
}
Result<> from_json(const json::value& in, Metric& value) {
    JsonFields f(in);
    take_metric(f, value);
    return f.result();
}
Result<> from_json(const json::value& in, Alert& value) {
    JsonFields f(in);
    take_metric(f, value.metric);
    f.take("triggered_at", value.triggered_at);
    return f.result();
}
Result<> from_json(const json::value& in, ConnectGraph& value) {
    JsonFields f(in);
    f.take("cluster_id", value.cluster_id);
    f.take("id_to_peername", value.id_to_peername);
    f.take("ipfs_links", value.ipfs_links);
    f.take("cluster_links", value.cluster_links);
    f.take("cluster_trust_links", value.cluster_trust_links);
    f.take("cluster_to_ipfs", value.cluster_to_ipfs);
    return f.result();
}
Result<> from_json(const json::value& in, RepoStat& value) {
    JsonFields f(in);
    f.take("RepoSize", value.repo_size);
    f.take("StorageMax", value.storage_max);
    return f.result();
}
Result<> from_json(const json::value& in, RepoGcKey& value) {
    JsonFields f(in);
    f.take("key", value.key);
    f.take("error", value.error);
    return f.result();
}
Result<> from_json(const json::value& in, RepoGc& value) {
    JsonFields f(in);
    f.take("peer", value.peer);
    f.take("peername", value.peername);
    f.take("keys", value.keys);
    f.take("error", value.error);
    return f.result();
}
Result<> from_json(const json::value& in, GlobalRepoGc& value) {
    JsonFields f(in);
    f.take("peer_map", value.peer_map);
    return f.result();
}
Result<> from_json(const json::value& in, AddedOutput& value) {
    JsonFields f(in);
    f.take("name", value.name);
    f.take("cid", value.cid);
    f.take("bytes", value.bytes);
    f.take("size", value.size);
    f.take("allocations", value.allocations);
    return f.result();
}
Result<> from_json(const json::value& in, Bandwidth& value) {
    JsonFields f(in);
    f.take("total_in", value.total_in);
    f.take("total_out", value.total_out);
    f.take("rate_in", value.rate_in);
    f.take("rate_out", value.rate_out);
    return f.result();
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
