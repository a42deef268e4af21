#include "stub_daemon.hpp"

#include <algorithm>

#include "bench_cid.hpp"
#include "codec/json_writer.hpp"
#include "codec/pin_query.hpp"
#include "http/multipart_reader.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster::bench {
namespace {

using codec::append_json;
using http::Exchange;

constexpr std::string_view kApi = "/api/v0/";
/// A listing lets other calls through after so many rows.
constexpr std::uint64_t kRowsPerTurn = 1024;
constexpr std::uint64_t kRepoBytesMax = 1ULL << 40;
/// So often Kubo tells how far a pin is.
constexpr Duration kProgressInterval = std::chrono::milliseconds(500);
/// Kubo's own limit is 2 MiB, unless it is told to take larger ones.
constexpr std::size_t kBlockBytesMax = 4 * 1024 * 1024;

Async<> send_json(Exchange& e, std::string body) {
    body += '\n';
    co_return co_await e.respond(200, "application/json", std::move(body));
}

/// Kubo's error object.
Async<> send_failure(Exchange& e, std::string message, int status = 500) {
    std::string body = "{\"Message\":";
    append_json(body, message);
    body += ",\"Code\":0,\"Type\":\"error\"}\n";
    co_return co_await e.respond(status, "application/json", std::move(body));
}

Result<std::vector<Cid>> cids_of(const codec::Query& query) {
    std::vector<Cid> out;
    for (const auto& [name, value] : query) {
        if (name != "arg") continue;
        std::string_view text = value;
        if (text.starts_with("/ipfs/")) text.remove_prefix(6);
        ICL_TRY(auto cid, Cid::parse(text));
        out.push_back(std::move(cid));
    }
    if (out.empty()) return fail(Kind::invalid, "argument \"ipfs-path\" is required");
    return out;
}

/// The arguments of a call that names CIDs.
struct Arguments {
    codec::Query query;
    std::vector<Cid> cids;
};
Result<Arguments> arguments_of(const Exchange& e) {
    Arguments out;
    ICL_TRY(out.query, codec::parse_query(e.request.query));
    ICL_TRY(out.cids, cids_of(out.query));
    return out;
}

std::string pins_row(const std::vector<Cid>& cids) {
    std::string out = "{\"Pins\":[";
    for (const auto& cid : cids) {
        if (out.back() != '[') out += ',';
        out += "\"" + cid.to_string() + "\"";
    }
    return out + "]}\n";
}

/// A block of the body, not kept.
Async<Bytes> read_block(http::MultipartReader& parts) {
    Bytes block;
    while (true) {
        ICL_CO_TRY(auto piece, co_await parts.read());
        if (piece.empty()) co_return block;
        if (block.size() + piece.size() > kBlockBytesMax)
            co_return fail(Kind::invalid,
                           "a block is larger than " + std::to_string(kBlockBytesMax) + " bytes");
        block += piece;
    }
}

std::string_view mode_name(StubPins::Mode mode) {
    return mode == StubPins::Mode::recursive ? "recursive" : "direct";
}

}  // namespace

StubDaemon::StubDaemon(World& world, StubOptions options)
    : world_(world), options_(std::move(options)) {}

StubDaemon::~StubDaemon() = default;

Async<> StubDaemon::start() {
    http::ServerConfig config;
    config.name = "stub";
    config.listen.push_back(options_.listen);
    http::Handler handler = [this](Exchange& e) { return handle(e); };
    server_ = std::make_unique<http::Server>(world_, std::move(config), std::move(handler));
    co_return co_await server_->start();
}

Async<> StubDaemon::stop() {
    if (!server_) co_return ok();
    co_return co_await server_->stop(Duration::zero());
}

Multiaddr StubDaemon::address() const {
    return server_->addresses().at(0);
}

std::uint64_t StubDaemon::calls(const std::string& name) const {
    const auto found = calls_.find(name);
    return found == calls_.end() ? 0 : found->second;
}

Async<> StubDaemon::handle(Exchange& e) {
    if (e.request.path.starts_with(kApi) && e.request.method == http::Method::post)
        co_return co_await call(e, std::string(e.request.path.substr(kApi.size())));
    if (e.request.path == "/bench/counters") co_return co_await counters(e);
    if (e.request.path == "/bench/reset") {
        calls_.clear();
        co_return co_await send_json(e, "{}");
    }
    co_return co_await send_failure(e, "404 page not found", 404);
}

Async<> StubDaemon::call(Exchange& e, std::string name) {
    ++calls_[name];
    if (name == "pin/add") co_return co_await pin_add(e);
    if (name == "pin/rm") co_return co_await pin_remove(e);
    if (name == "pin/ls") co_return co_await pin_list(e);
    if (name == "pin/update") co_return co_await pin_update(e);
    if (name == "block/put") co_return co_await block_put(e);
    if (name == "id")
        co_return co_await send_json(e,
                                     "{\"ID\":\"" + options_.peer_id +
                                         "\",\"PublicKey\":\"\",\"Addresses\":[],\"AgentVersion\":"
                                         "\"icl-bench-stub\",\"Protocols\":[]}");
    if (name == "version")
        co_return co_await send_json(
            e, R"({"Version":"0.43.0","Commit":"stub","Repo":"16","System":"","Golang":""})");
    if (name == "repo/stat")
        co_return co_await send_json(e, "{\"RepoSize\":" + std::to_string(pins_.size()) +
                                            ",\"StorageMax\":" + std::to_string(kRepoBytesMax) +
                                            ",\"NumObjects\":" + std::to_string(pins_.size()) +
                                            ",\"RepoPath\":\"/\",\"Version\":\"fs-repo@16\"}");
    if (name == "repo/gc") co_return co_await e.respond(200, "application/json", {});
    if (name == "swarm/peers") co_return co_await send_json(e, R"({"Peers":[]})");
    if (name == "swarm/connect")
        co_return co_await send_json(e, R"({"Strings":["connect success"]})");
    if (name == "config/show")
        co_return co_await send_json(e, R"({"Datastore":{"StorageMax":"1TB"}})");
    if (name == "resolve") {
        auto query = codec::parse_query(e.request.query);
        if (!query) co_return co_await send_failure(e, query.error().text, 400);
        std::string body = "{\"Path\":";
        append_json(body, codec::query_value(query.value(), "arg"));
        co_return co_await send_json(e, body + "}");
    }
    --calls_[name];
    ++calls_["unknown " + name];
    co_return co_await send_failure(e, "404 page not found", 404);
}

Async<> StubDaemon::pin_add(Exchange& e) {
    auto read = arguments_of(e);
    if (!read) co_return co_await send_failure(e, read.error().text, 400);
    const auto arguments = std::move(read).value();
    const auto number = ++pin_adds_;
    if (options_.pin_delay.count() > 0) {
        ICL_CO_TRY(co_await world_.sleep_for(options_.pin_delay));
    }
    if (options_.fail_every != 0 && number % options_.fail_every == 0)
        co_return co_await send_failure(e, "the stub was told to fail this pin");
    if (std::any_of(arguments.cids.begin(), arguments.cids.end(),
                    [this](const Cid& cid) { return is_dead(cid); }))
        co_return co_await find_nothing(e);
    const bool direct = codec::query_value(arguments.query, "recursive") == "false";
    if (codec::query_value(arguments.query, "progress") != "true") {
        for (const auto& cid : arguments.cids)
            pins_.add(cid, direct ? StubPins::Mode::direct : StubPins::Mode::recursive);
        co_return co_await e.respond(200, "application/json", pins_row(arguments.cids));
    }
    e.headers.add("X-Chunked-Output", "1");
    e.headers.add("Trailer", "X-Stream-Error");
    e.start(200, "application/json");
    ICL_CO_TRY(co_await e.write("{\"Progress\":1}\n"));
    if (options_.late_error_every != 0 && number % options_.late_error_every == 0) {
        e.add_trailer("X-Stream-Error", "the stub was told to fail this pin late");
        co_return co_await e.finish();
    }
    for (const auto& cid : arguments.cids)
        pins_.add(cid, direct ? StubPins::Mode::direct : StubPins::Mode::recursive);
    ICL_CO_TRY(co_await e.write(pins_row(arguments.cids)));
    co_return co_await e.finish();
}

bool StubDaemon::is_dead(const Cid& cid) const {
    const auto item = bench_item(cid);
    return options_.dead_seed && item && item->seed == *options_.dead_seed;
}

/// Until the caller goes away.
Async<> StubDaemon::find_nothing(Exchange& e) {
    e.headers.add("X-Chunked-Output", "1");
    e.headers.add("Trailer", "X-Stream-Error");
    e.start(200, "application/json");
    while (true) {
        ICL_CO_TRY(co_await e.write("{\"Progress\":0}\n"));
        ICL_CO_TRY(co_await world_.sleep_for(kProgressInterval));
    }
}

Async<> StubDaemon::pin_remove(Exchange& e) {
    auto read = arguments_of(e);
    if (!read) co_return co_await send_failure(e, read.error().text, 400);
    const auto arguments = std::move(read).value();
    if (options_.unpin_delay.count() > 0) {
        ICL_CO_TRY(co_await world_.sleep_for(options_.unpin_delay));
    }
    for (const auto& cid : arguments.cids)
        if (!pins_.remove(cid))
            co_return co_await send_failure(e, "not pinned or pinned indirectly");
    co_return co_await e.respond(200, "application/json", pins_row(arguments.cids));
}

Async<> StubDaemon::pin_update(Exchange& e) {
    auto read = arguments_of(e);
    if (!read) co_return co_await send_failure(e, read.error().text, 400);
    const auto arguments = std::move(read).value();
    if (arguments.cids.size() != 2)
        co_return co_await send_failure(e, "two paths are required", 400);
    if (pins_.find(arguments.cids[0]) != StubPins::Mode::recursive)
        co_return co_await send_failure(e, "'from' cid was not recursively pinned already");
    pins_.add(arguments.cids[1], StubPins::Mode::recursive);
    if (codec::query_value(arguments.query, "unpin") != "false") pins_.remove(arguments.cids[0]);
    co_return co_await e.respond(200, "application/json", pins_row(arguments.cids));
}

Async<> StubDaemon::pin_list(Exchange& e) {
    auto parsed = codec::parse_query(e.request.query);
    if (!parsed) co_return co_await send_failure(e, parsed.error().text, 400);
    const auto query = std::move(parsed).value();
    const std::string type(codec::query_value(query, "type"));
    const bool stream = codec::query_value(query, "stream") == "true";
    auto wanted = [&type](StubPins::Mode mode) {
        return type.empty() || type == "all" || type == mode_name(mode);
    };
    auto row = [stream](const Cid& cid, StubPins::Mode mode) {
        std::string out = stream ? "{\"Cid\":\"" : "\"";
        out += cid.to_string();
        out += stream ? "\",\"Type\":\"" : "\":{\"Type\":\"";
        out += mode_name(mode);
        out += stream ? "\"}\n" : "\"}";
        return out;
    };
    if (!codec::query_value(query, "arg").empty()) {
        auto cids = cids_of(query);
        if (!cids) co_return co_await send_failure(e, cids.error().text, 400);
        std::string body = stream ? "" : "{\"Keys\":{";
        for (const auto& cid : cids.value()) {
            const auto mode = pins_.find(cid);
            if (!mode || !wanted(*mode))
                co_return co_await send_failure(
                    e, "path '/ipfs/" + cid.to_string() + "' is not pinned");
            if (body.ends_with('}')) body += ',';
            body += row(cid, *mode);
        }
        if (!stream) body += "}}\n";
        co_return co_await e.respond(200, "application/json", std::move(body));
    }
    e.headers.add("X-Chunked-Output", "1");
    e.headers.add("Trailer", "X-Stream-Error");
    e.start(200, "application/json");
    if (!stream) {
        ICL_CO_TRY(co_await e.write("{\"Keys\":{"));
    }
    StubPins::Cursor cursor;
    std::uint64_t rows = 0;
    while (const auto next = pins_.next(cursor)) {
        if (!wanted(next->mode)) continue;
        if (options_.cut_listing_after != 0 && rows == options_.cut_listing_after)
            co_return fail(Kind::cancelled, "the stub was told to break off");
        std::string text = rows != 0 && !stream ? "," : "";
        text += row(next->cid, next->mode);
        ICL_CO_TRY(co_await e.write(std::move(text)));
        if (++rows % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await world_.sleep_for(Duration::zero()));
        }
    }
    if (!stream) {
        ICL_CO_TRY(co_await e.write("}}\n"));
    }
    co_return co_await e.finish();
}

/// Each block is answered with its key, as the peers check what was stored.
Async<> StubDaemon::block_put(Exchange& e) {
    auto query = codec::parse_query(e.request.query);
    if (!query) co_return co_await send_failure(e, query.error().text, 400);
    const std::string named(codec::query_value(query.value(), "mhtype"));
    const auto code = parse_hash_name(named.empty() ? "sha2-256" : named);
    if (!code) co_return co_await send_failure(e, code.error().text);
    auto boundary = http::multipart_boundary(e.request.headers.get("Content-Type"));
    if (!boundary) co_return co_await send_failure(e, boundary.error().text, 400);
    auto* from = &e;
    http::MultipartReader parts(std::move(boundary).value(), [from] { return from->read_body(); });
    e.headers.add("X-Chunked-Output", "1");
    e.headers.add("Trailer", "X-Stream-Error");
    e.start(200, "application/json");
    while (true) {
        ICL_CO_TRY(const auto head, co_await parts.next_part());
        if (!head) break;
        ICL_CO_TRY(const auto block, co_await read_block(parts));
        ICL_CO_TRY(auto multihash, multihash_digest(code.value(), block));
        const auto cid = Cid::v1(Codec::raw, std::move(multihash));
        ICL_CO_TRY(co_await e.write("{\"Key\":\"" + cid.to_string() +
                                    "\",\"Size\":" + std::to_string(block.size()) + "}\n"));
    }
    co_return co_await e.finish();
}

Async<> StubDaemon::counters(Exchange& e) {
    std::string body;
    {
        codec::JsonObject out(body);
        out.put("pins", pins_.size());
        out.put("calls", calls_);
    }
    co_return co_await send_json(e, std::move(body));
}

}  // namespace ipfscluster::bench
