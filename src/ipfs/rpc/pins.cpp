#include "ipfs/rpc/handlers.hpp"
#include "ipfs/rpc/path.hpp"
#include "ipfs/rpc/seen_blocks.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

constexpr Duration kProgressInterval = std::chrono::milliseconds(500);
constexpr std::size_t kPinsPerPage = 256;

Result<> check_name(std::string_view name) {
    if (name.size() <= blockstore::kPinNameBytesMax) return ok();
    return fail(Kind::invalid, "pin name is " + std::to_string(name.size()) + " bytes (max " +
                                   std::to_string(blockstore::kPinNameBytesMax) + " bytes)");
}

std::string pins_row(const std::vector<std::string>& pins) {
    std::string row;
    codec::JsonObject(row).put("Pins", pins);
    return row;
}

/// Pins the argument of `pin add` one after the other.
Async<> pin_one(Call& call, std::string argument, component::ProgressHandler progress,
                std::vector<std::string>& pinned) {
    ICL_CO_TRY(const auto cid, co_await resolve_to_block(call.blocks(), std::move(argument)));
    Pin pin;
    pin.cid = cid;
    pin.options.name = call.text("name");
    if (!call.flag("recursive")) {
        pin.max_depth = kDepthDirect;
        ICL_CO_TRY(const auto held, call.node().pins().get(cid));
        if (held && held->depth != 0)
            co_return fail(Kind::conflict,
                           "pin: " + cid.to_string() + " already pinned recursively");
    }
    Result<> done = ok();
    if (call.offline())
        done = co_await call.node().pin_held(std::move(pin));
    else
        done = co_await call.node().pin_or_undo(std::move(pin), std::move(progress));
    if (!done) co_return fail(done.error().in("pin"));
    pinned.push_back(call.cid(cid));
    co_return ok();
}

/// Work that runs beside its handler, which reports on it.
struct Pinning {
    explicit Pinning(Call& owner) : call(owner), ended(owner.world().executor()) {}
    Call& call;
    Signal ended;
    std::optional<Result<>> result;
    std::vector<std::string> pinned;
    component::PinProgress before;  ///< of the arguments that are done
    component::PinProgress now;

    Async<> all() {
        for (const auto& argument : call.arguments()) {
            component::ProgressHandler progress = [this](component::PinProgress p) { now = p; };
            ICL_CO_TRY(co_await check_cancelled());
            ICL_CO_TRY(co_await pin_one(call, argument, std::move(progress), pinned));
            before.blocks += now.blocks;
            before.bytes += now.bytes;
            now = {};
        }
        co_return ok();
    }
    asio::awaitable<void> run() {
        co_await asio::this_coro::throw_if_cancelled(false);
        result = co_await all();
        ended.notify_all();
    }
    std::string row() const {
        std::string out;
        {
            codec::JsonObject o(out);
            const auto blocks = before.blocks + now.blocks, bytes = before.bytes + now.bytes;
            if (blocks > 0) o.put("Progress", blocks);
            if (bytes > 0) o.put("Bytes", bytes);
        }
        return out;
    }
};

/// Reports until the pinning has ended.
Async<> report(Pinning& work) {
    while (!work.result) {
        ICL_CO_TRY(co_await check_cancelled());
        auto woken = co_await with_deadline(work.call.world(), kProgressInterval, "progress",
                                            work.ended.wait());
        if (woken) continue;
        if (woken.error().kind != Kind::timeout) co_return woken;
        ICL_CO_TRY(co_await work.call.emit(work.row()));
    }
    if (!*work.result) co_return *work.result;
    if (work.before.blocks > 0) {
        ICL_CO_TRY(co_await work.call.emit(work.row()));
    }
    co_return co_await work.call.emit(pins_row(work.pinned));
}

}  // namespace

Async<> pin_add(Call& call) {
    ICL_CO_TRY(check_name(call.text("name")));
    if (!call.flag("progress")) {
        std::vector<std::string> pinned;
        for (const auto& argument : call.arguments()) {
            component::ProgressHandler none;
            ICL_CO_TRY(co_await pin_one(call, argument, std::move(none), pinned));
        }
        co_return co_await call.emit_once(pins_row(pinned));
    }
    // Under a deadline this runs in a thread of its own, where awaiting would throw past the task.
    co_await asio::this_coro::throw_if_cancelled(false);
    Pinning work(call);
    TaskGroup tasks(call.world(), "pin add");
    tasks.spawn(work.run());
    auto done = co_await report(work);
    // The task refers to what lives here: it must have ended, whatever happens meanwhile.
    co_await join(tasks);
    co_return done;
}

Async<> pin_rm(Call& call) {
    std::vector<std::string> removed;
    for (const auto& argument : call.arguments()) {
        ICL_CO_TRY(const auto cid, co_await resolve_to_block(call.blocks(), argument));
        ICL_CO_TRY(const auto held, call.node().pins().get(cid));
        if (!held) co_return fail(Kind::not_found, "not pinned or pinned indirectly");
        if (held->depth != 0 && !call.flag("recursive"))
            co_return fail(Kind::conflict, cid.to_string() + " is pinned recursively");
        ICL_CO_TRY(co_await call.node().unpin(cid));
        removed.push_back(call.cid(cid));
    }
    co_return co_await call.emit_once(pins_row(removed));
}

Async<> pin_update(Call& call) {
    ICL_CO_TRY(const auto from, co_await resolve_to_block(call.blocks(), call.arguments()[0]));
    ICL_CO_TRY(const auto to, co_await resolve_to_block(call.blocks(), call.arguments()[1]));
    auto& node = call.node();
    ICL_CO_TRY(const auto old, node.pins().get(from));
    if (!old || old->depth >= 0 || !old->complete)
        co_return fail(Kind::not_found, "'from' cid was not recursively pinned already");
    if (from != to) {
        ICL_CO_TRY(const auto next, node.pins().get(to));
        if (next && next->complete && next->depth < 0)
            co_return fail(Kind::conflict, "'to' cid was already recursively pinned");
        Pin pin;
        pin.cid = to;
        pin.options.name = old->name;
        if (call.offline()) {
            ICL_CO_TRY(co_await node.pin_held(std::move(pin)));
        } else {
            component::ProgressHandler none;
            ICL_CO_TRY(co_await node.pin_or_undo(std::move(pin), std::move(none)));
        }
        if (call.flag("unpin")) {
            ICL_CO_TRY(co_await node.unpin(from));
        }
    }
    const std::vector<std::string> both{call.cid(from), call.cid(to)};
    co_return co_await call.emit_once(pins_row(both));
}

namespace {

struct Wanted {
    bool recursive, direct, indirect, names;
    std::string name;
};

/// Writes the rows of `pin ls` in either form.
class PinRows {
 public:
    explicit PinRows(Call& call) : call_(call), stream_(call.flag("stream")) {}

    Async<> put(Cid cid, std::string type, std::string name) {
        if (stream_) {
            std::string row;
            {
                codec::JsonObject o(row);
                o.put("Cid", call_.cid(cid));
                if (!name.empty()) o.put("Name", name);
                o.put("Type", type);
            }
            co_return co_await call_.emit(std::move(row));
        }
        std::string row = call_.exchange().started() ? "," : "{\"Keys\":{";
        codec::append_json(row, call_.cid(cid));
        row += ':';
        {
            codec::JsonObject o(row);
            o.put("Type", type);
            o.put("Name", name);
        }
        if (!call_.exchange().started()) {
            ICL_CO_TRY(co_await call_.begin_document());
        }
        co_return co_await call_.write(std::move(row));
    }
    Async<> finish() {
        if (stream_) co_return ok();
        if (!call_.exchange().started()) co_return co_await call_.emit_once("{}");
        co_return co_await call_.write("}}\n");
    }

 private:
    Call& call_;
    bool stream_;
};

Async<> list_indirect(Call& call, const Wanted& wanted, PinRows& rows) {
    SeenBlocks seen;
    const auto reached = call.node().reached_blocks();
    while (true) {
        ICL_CO_TRY(auto block, co_await reached->next());
        if (!block) co_return ok();
        if (!seen.add(block->cid)) continue;
        if (seen.full())
            co_return fail(Kind::unsupported,
                           "more than " + std::to_string(kSeenBlocksMax) +
                               " blocks are pinned indirectly; list --type=recursive");
        // What has a pin of its own is listed with that one.
        ICL_CO_TRY(const auto own, call.node().pins().get(block->cid));
        if (own && own->complete) continue;
        if (!wanted.name.empty()) continue;
        std::string type = "indirect", name;
        ICL_CO_TRY(co_await rows.put(std::move(block->cid), std::move(type), std::move(name)));
    }
}

Async<> list_all(Call& call, Wanted wanted) {
    PinRows rows(call);
    Cid after;
    while (wanted.recursive || wanted.direct) {
        ICL_CO_TRY(auto page, call.node().pins().list(after, kPinsPerPage));
        for (auto& pin : page) {
            const bool direct = pin.depth == 0;
            if (!pin.complete || !(direct ? wanted.direct : wanted.recursive)) continue;
            if (pin.name.find(wanted.name) == std::string::npos) continue;
            std::string type = direct ? "direct" : "recursive";
            std::string name = wanted.names ? pin.name : std::string();
            ICL_CO_TRY(co_await rows.put(pin.cid, std::move(type), std::move(name)));
        }
        if (page.size() < kPinsPerPage) break;
        after = page.back().cid;
    }
    if (wanted.indirect) {
        ICL_CO_TRY(co_await list_indirect(call, wanted, rows));
    }
    co_return co_await rows.finish();
}

/// The root of a pin that reaches the block; nothing when none does.
Async<std::optional<Cid>> find_reaching(Call& call, Cid cid) {
    const auto reached = call.node().reached_blocks();
    while (true) {
        ICL_CO_TRY(const auto block, co_await reached->next());
        if (!block) co_return std::optional<Cid>{};
        if (block->cid == cid) co_return std::optional<Cid>(block->root);
    }
}

Async<> list_some(Call& call, Wanted wanted) {
    // All must be found before the first is shown.
    struct Row {
        Cid cid;
        std::string type, name;
    };
    std::vector<Row> found;
    for (const auto& argument : call.arguments()) {
        ICL_CO_TRY(const auto cid, co_await resolve_to_block(call.blocks(), argument));
        ICL_CO_TRY(const auto pin, call.node().pins().get(cid));
        const bool own =
            pin && pin->complete && (pin->depth == 0 ? wanted.direct : wanted.recursive);
        if (own) {
            std::string kind = pin->depth == 0 ? "direct" : "recursive";
            found.push_back({cid, std::move(kind), wanted.names ? pin->name : std::string()});
            continue;
        }
        std::optional<Cid> root;
        if (wanted.indirect) {
            ICL_CO_TRY(root, co_await find_reaching(call, cid));
        }
        if (!root) co_return fail(Kind::not_found, "path '" + argument + "' is not pinned");
        found.push_back({cid, "indirect through " + call.cid(*root), {}});
    }
    PinRows rows(call);
    for (auto& row : found) {
        ICL_CO_TRY(co_await rows.put(std::move(row.cid), std::move(row.type), std::move(row.name)));
    }
    co_return co_await rows.finish();
}

}  // namespace

Async<> pin_ls(Call& call) {
    const std::string type(call.text("type"));
    ICL_CO_TRY(check_name(call.text("name")));
    const bool all = type == "all";
    Wanted wanted{all || type == "recursive", all || type == "direct", all || type == "indirect",
                  call.flag("names") || !call.text("name").empty(), std::string(call.text("name"))};
    if (!wanted.recursive && !wanted.direct && !wanted.indirect)
        co_return fail(Kind::invalid, "invalid type '" + type +
                                          "', must be one of {direct, indirect, recursive, all}");
    if (call.arguments().empty()) co_return co_await list_all(call, std::move(wanted));
    co_return co_await list_some(call, std::move(wanted));
}

}  // namespace ipfscluster::ipfs_rpc
