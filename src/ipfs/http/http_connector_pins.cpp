// The pinning half of HttpConnector.
#include <algorithm>

#include "base/log.hpp"
#include "ipfs/http/http_connector.hpp"

namespace ipfscluster::ipfshttp {
namespace {

auto log() {
    return logger("ipfshttp");
}

/// Pause before a second look at a pin that was given up a moment ago: the daemon learns of it when
/// it next looks at the closed connection.
constexpr Duration kSecondLook = std::chrono::milliseconds(500);

const char* true_or_false(bool value) {
    return value ? "true" : "false";
}

/// One listing after the other, each read to its clean end.
class PinLsSource final : public Source<IpfsPinInfo> {
 public:
    PinLsSource(KuboClient& client, std::vector<std::string> types, Duration limit)
        : client_(client), types_(std::move(types)), limit_(limit) {}

    Async<std::optional<IpfsPinInfo>> next() override {
        while (at_ < types_.size()) {
            if (!stream_) {
                KuboCall call;
                call.path = "pin/ls";
                call.arguments = {{"stream", "true"}, {"type", types_[at_]}};
                call.patience.limit = limit_;
                ICL_CO_TRY(stream_, co_await client_.open(std::move(call)));
            }
            ICL_CO_TRY(auto line, co_await stream_->next_line());
            if (!line) {
                stream_.reset();
                ++at_;
                continue;
            }
            auto row = parse_pin_row(*line);
            if (!row) co_return fail(row.error().in("pin/ls"));
            if (row.value().status == IpfsPinStatus::indirect) continue;
            co_return std::optional<IpfsPinInfo>(std::move(row).value());
        }
        co_return std::optional<IpfsPinInfo>{};
    }

 private:
    KuboClient& client_;
    std::vector<std::string> types_;
    Duration limit_;
    std::size_t at_ = 0;
    KuboStreamPtr stream_;
};

Error stalled(Duration patience, const component::PinProgress& seen) {
    return {Kind::timeout, "pin/add: the IPFS daemon has found nothing more for " +
                               format_go_duration(patience) + "; it has " +
                               std::to_string(seen.blocks) + " blocks, " +
                               std::to_string(seen.bytes) + " bytes"};
}

bool names(const std::vector<Cid>& pins, const Cid& cid) {
    // The daemon may be told to print version 1 for a version 0 CID.
    return std::any_of(pins.begin(), pins.end(),
                       [&cid](const Cid& pin) { return pin.multihash() == cid.multihash(); });
}

}  // namespace

/// From when the daemon is told of a pin to its last word: however that ends before, the daemon's
/// fetch may run on for a moment and write the pin.
class HttpConnector::Telling {
 public:
    Telling(HttpConnector& connector, Cid cid) : connector_(connector), cid_(std::move(cid)) {}
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    ~Telling() {
        if (!done_) connector_.note_given_up(std::move(cid_));
    }
    void done() { done_ = true; }
    const Cid& cid() const { return cid_; }

 private:
    HttpConnector& connector_;
    Cid cid_;
    bool done_ = false;
};

SourcePtr<IpfsPinInfo> HttpConnector::pin_ls(std::vector<std::string> types) {
    bool recursive = types.empty(), direct = types.empty();
    for (const auto& type : types) {
        recursive = recursive || type == "recursive" || type == "all";
        direct = direct || type == "direct" || type == "all";
    }
    std::vector<std::string> wanted;
    if (recursive) wanted.emplace_back("recursive");
    if (direct) wanted.emplace_back("direct");
    return std::make_unique<PinLsSource>(client_, std::move(wanted), options_.request_timeout);
}

Async<bool> HttpConnector::holds(Cid cid, std::string type) {
    auto call = request("pin/ls");
    call.arguments = {{"stream", "true"}, {"arg", cid.to_string()}, {"type", type}};
    auto body = co_await client_.fetch(std::move(call));
    if (!body) {
        if (says_not_pinned(body.error())) co_return false;
        co_return fail(body.error());
    }
    auto row = parse_pin_row(body.value());
    if (!row) co_return fail(row.error().in("pin/ls"));
    co_return row.value().cid.multihash() == cid.multihash() &&
        row.value().status == (type == "direct" ? IpfsPinStatus::direct : IpfsPinStatus::recursive);
}

Async<IpfsPinStatus> HttpConnector::pin_status(Pin pin) {
    if (pin.max_depth == kDepthDirect) {
        ICL_CO_TRY(const bool direct, co_await holds(pin.cid, "direct"));
        if (direct) co_return IpfsPinStatus::direct;
    }
    ICL_CO_TRY(const bool recursive, co_await holds(pin.cid, "recursive"));
    co_return recursive ? IpfsPinStatus::recursive : IpfsPinStatus::unpinned;
}

void HttpConnector::note_answer(Duration took) {
    const int before = limit_.limit();
    limit_.answered(took);
    if (limit_.limit() > before) tell_changed();
}

/// "retryable": it said itself that it has too much to do.
void HttpConnector::note_refusal(const Error& error) {
    if (error.kind == Kind::retryable) limit_.overloaded();
}

Async<bool> HttpConnector::is_held(Pin pin) {
    const auto asked = world_.steady_now();
    const auto held = co_await pin_status(std::move(pin));
    if (!held) {
        note_refusal(held.error());
        if (held.error().kind == Kind::timeout) limit_.overloaded();
        co_return fail(held.error());
    }
    note_answer(world_.steady_now() - asked);
    co_return held.value() != IpfsPinStatus::unpinned;
}

Async<> HttpConnector::pin(component::PinRequest request, component::ProgressHandler progress) {
    auto& pin = request.pin;
    if (!pin.cid.defined()) co_return fail(Kind::invalid, "a pin needs a CID");
    // Kubo refuses a direct pin of what it holds recursively.
    if (request.held == component::Held::unknown || pin.max_depth == kDepthDirect) {
        ICL_CO_TRY(const bool held, co_await is_held(pin));
        if (held) co_return ok();
    }
    if (progress) progress({});
    auto done = co_await pin_unheld(std::move(pin), std::move(progress));
    if (!done) note_refusal(done.error());
    if (done) count_operations(1);
    co_return done;
}

/// Without a question before: to pin what is held already is slow only where there is much of it,
/// and then the limit ends it.
Async<> HttpConnector::pin_together(std::vector<Cid> cids, Duration limit) {
    auto call = request("pin/add");
    for (const auto& cid : cids) call.arguments.emplace_back("arg", cid.to_string());
    call.arguments.emplace_back("recursive", "true");
    call.patience.limit = limit;
    std::deque<Telling> tellings;  // it stays where it is
    for (auto& cid : cids) tellings.emplace_back(*this, std::move(cid));
    const auto begun = world_.steady_now();
    auto body = co_await client_.fetch(std::move(call));
    if (!body) {
        note_refusal(body.error());
        co_return fail(body.error());
    }
    auto pins = parse_pins(body.value());
    if (!pins) co_return fail(pins.error().in("pin/add"));
    const bool all = std::equal(pins.value().begin(), pins.value().end(), tellings.begin(),
                                tellings.end(), [](const Cid& pinned, const Telling& told) {
                                    return pinned.multihash() == told.cid().multihash();
                                });
    if (!all) co_return fail(Kind::corrupt, "pin/add: the daemon pinned something else");
    for (auto& telling : tellings) telling.done();
    note_answer(world_.steady_now() - begun);
    count_operations(tellings.size());
    co_return ok();
}

Async<> HttpConnector::pin_unheld(Pin pin, component::ProgressHandler progress) {
    if (!pin.options.origins.empty()) {
        ICL_CO_TRY(co_await connect_origins(pin.options.origins));
    }
    const auto& from = pin.options.pin_update;
    const bool may_update = from.defined() && from != pin.cid && pin.max_depth < 0;
    bool old_held = false;
    if (may_update) {
        ICL_CO_TRY(old_held, co_await holds(from, "recursive"));
    }
    Telling telling(*this, pin.cid);
    if (old_held) {
        auto updated = co_await update_pin(from, pin.cid);
        if (updated) {
            telling.done();
            co_return updated;
        }
        const auto kind = updated.error().kind;
        if (kind == Kind::cancelled || kind == Kind::unavailable) co_return updated;
        // An update shows no progress, so a large one may time out; what it fetched stays.
        log()->info("pin/update failed, the item is pinned as a whole cid={} error=\"{}\"",
                    pin.cid.to_string(), updated.error().text);
    }
    ICL_CO_TRY(co_await add_pin(std::move(pin), std::move(progress)));
    telling.done();
    co_return ok();
}

Async<> HttpConnector::add_pin(Pin pin, component::ProgressHandler progress) {
    auto call = request("pin/add");
    call.arguments = {{"arg", pin.cid.to_string()},
                      {"recursive", true_or_false(pin.max_depth != kDepthDirect)},
                      {"progress", "true"},
                      {"stream-channels", "true"}};
    if (pin.max_depth > 0) call.arguments.emplace_back("max-depth", std::to_string(pin.max_depth));
    call.patience = {.limit = options_.pin_timeout, .gives_up = false};
    const auto begun = world_.steady_now();
    ICL_CO_TRY(auto stream, co_await client_.open(std::move(call)));
    // Kubo begins its answer after half a second, whatever it has to fetch. Others may do so only
    // when they are done, so one that comes late says nothing.
    if (const auto took = world_.steady_now() - begun; took <= kQuickAnswer) note_answer(took);
    ICL_CO_TRY(co_await follow_pin(std::move(stream), std::move(pin.cid), std::move(progress)));
    co_return ok();
}

Async<> HttpConnector::follow_pin(KuboStreamPtr stream, Cid cid,
                                  component::ProgressHandler progress) {
    const auto patience = options_.pin_timeout;
    auto grown_at = world_.steady_now();
    component::PinProgress seen;
    bool done = false;
    while (true) {
        // Kubo repeats its numbers twice a second: only growth is progress.
        const auto left = grown_at + std::chrono::duration_cast<SteadyTime::duration>(patience) -
                          world_.steady_now();
        if (patience.count() > 0) {
            if (left <= SteadyTime::duration::zero()) co_return fail(stalled(patience, seen));
            stream->set_limit(left);
        }
        auto line = co_await stream->next_line();
        if (!line && line.error().kind == Kind::timeout) co_return fail(stalled(patience, seen));
        if (!line) co_return fail(line.error());
        if (!line.value()) break;
        auto row = parse_pin_add(*line.value());
        if (!row) co_return fail(row.error().in("pin/add"));
        if (!row.value().pins.empty()) {
            if (!names(row.value().pins, cid))
                co_return fail(Kind::corrupt, "pin/add: the daemon pinned " +
                                                  row.value().pins.front().to_string() +
                                                  " instead");
            done = true;
        }
        const auto& now = row.value().progress;
        if (now.blocks <= seen.blocks && now.bytes <= seen.bytes) continue;
        seen = {std::max(seen.blocks, now.blocks), std::max(seen.bytes, now.bytes)};
        grown_at = world_.steady_now();
        if (progress) progress(seen);
    }
    if (!done)
        co_return fail(Kind::corrupt,
                       "pin/add: the daemon's answer ended without saying that the item is pinned");
    co_return ok();
}

Async<> HttpConnector::update_pin(Cid from, Cid to) {
    auto call = request("pin/update");
    call.arguments = {{"arg", from.to_string()}, {"arg", to.to_string()}, {"unpin", "false"}};
    call.patience = {.limit = options_.pin_timeout, .gives_up = false};
    ICL_CO_TRY(const auto body, co_await client_.fetch(std::move(call)));
    auto pins = parse_pins(body);
    if (!pins) co_return fail(pins.error().in("pin/update"));
    if (!names(pins.value(), to))
        co_return fail(Kind::corrupt,
                       "pin/update: the daemon does not say that " + to.to_string() + " is pinned");
    co_return ok();
}

Async<> HttpConnector::remove_pin(Cid cid) {
    auto call = request("pin/rm");
    call.arguments.emplace_back("arg", cid.to_string());
    call.patience = {.limit = options_.unpin_timeout, .gives_up = false};
    auto body = co_await client_.fetch(std::move(call));
    if (!body) {
        if (says_not_pinned(body.error())) co_return ok();
        co_return fail(body.error());
    }
    auto pins = parse_pins(body.value());
    if (!pins) co_return fail(pins.error().in("pin/rm"));
    if (!names(pins.value(), cid))
        co_return fail(Kind::corrupt,
                       "pin/rm: the daemon does not say that " + cid.to_string() + " is unpinned");
    co_return ok();
}

Async<> HttpConnector::unpin(Cid cid) {
    if (options_.unpin_disable)
        co_return fail(Kind::denied,
                       "ipfs_connector.ipfshttp.unpin_disable is set: this peer does not unpin");
    const bool given_up = take_given_up(cid);
    ICL_CO_TRY(co_await remove_pin(cid));
    if (given_up) {
        // Its pin may have been written after the removal looked.
        ICL_CO_TRY(co_await world_.sleep_for(kSecondLook));
        ICL_CO_TRY(co_await remove_pin(std::move(cid)));
    }
    count_operations(1);
    co_return ok();
}

void HttpConnector::note_given_up(Cid cid) {
    if (given_up_.size() == kGivenUpMax) given_up_.pop_front();
    given_up_.push_back({std::move(cid), world_.steady_now()});
}

bool HttpConnector::take_given_up(const Cid& cid) {
    const auto now = world_.steady_now();
    while (!given_up_.empty() && now - given_up_.front().at > kGivenUpFor) given_up_.pop_front();
    const auto found = std::find_if(given_up_.begin(), given_up_.end(),
                                    [&cid](const GivenUp& entry) { return entry.cid == cid; });
    if (found == given_up_.end()) return false;
    given_up_.erase(found);
    return true;
}

asio::awaitable<void> HttpConnector::connect_origin(Multiaddr origin,
                                                    std::shared_ptr<std::size_t> left) {
    auto connected = co_await connect_one(origin);
    if (!connected)
        log()->debug("an origin cannot be reached address={} error=\"{}\"", origin.to_string(),
                     connected.error().text);
    --*left;
    --origins_connecting_;
    origins_changed_.notify_all();
}

Async<> HttpConnector::connect_origins(std::vector<Multiaddr> origins) {
    if (origins.size() > kOriginsMax) origins.resize(kOriginsMax);
    auto left = std::make_shared<std::size_t>(0);  // of those that have been begun
    const auto end =
        world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(kOriginsLimit);
    std::size_t at = 0;
    while (true) {
        for (; at < origins.size() && origins_connecting_ < kOriginConnectsMax; ++at) {
            if (!tasks_.spawn(connect_origin(std::move(origins[at]), left))) continue;
            ++*left;
            ++origins_connecting_;
        }
        // What takes longer goes on beside the pin; what had no turn by then is left out.
        const bool over = at == origins.size() && *left == 0;
        if (over || world_.steady_now() >= end) co_return ok();
        auto woken = co_await with_deadline<void>(world_, end - world_.steady_now(), "origins",
                                                  origins_changed_.wait());
        if (!woken && woken.error().kind == Kind::cancelled) co_return woken;
    }
}

}  // namespace ipfscluster::ipfshttp
