#include "sim/ordeal/ordeal.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "support/linear_check.hpp"
#include "support/pins.hpp"

namespace ipfscluster::ordeal {

using namespace std::chrono_literals;
using component::Cordon;
using test::SimCluster;
using Outcome = SimCluster::Outcome;

namespace {
/// Steps of the simulation between two looks at every item.
constexpr std::uint64_t kItemsEvery = 1000;
constexpr std::uint64_t kDisksEvery = 5000;
/// Until what a wrong clock has said of itself is forgotten.
constexpr SteadyTime::duration kClockForgotten = 10s;
constexpr int kLookUps = 40;
/// Seconds in which a drain ends once everybody is well.
constexpr int kDrainTries = 240;

asio::awaitable<void> look_up(test::SimPeer* peer) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::function<void()> nothing = [] {};
    auto done = co_await peer->world.run_blocking(Pool::names, std::move(nothing));
    (void)done;
}
}  // namespace

Ordeal::Ordeal(const Schedule& schedule, Tally& tally, test::SimPeerOptions options)
    : schedule_(schedule), tally_(tally), cluster_(schedule.seed, schedule.founders, [&] {
          options.embedded = schedule.content;
          return options;
      }()) {}

Verdict Ordeal::run() {
    prepare();
    began_ = cluster_.world.steady_now();
    for (const auto& event : schedule_.events) {
        pass(event.at);
        note_removal();
        note_leave();
        cordons_.note();
        act(event);
        if (!watch_.wrong().empty() || !disks_.wrong().empty()) break;
    }
    Verdict out;
    out.wrong = judge();
    out.calls = cluster_.operations().size();
    out.acknowledged = cluster_.count(Outcome::acknowledged);
    out.refused = cluster_.count(Outcome::refused);
    out.unknown = cluster_.count(Outcome::unknown);
    out.events = cluster_.world.events();
    out.trace = cluster_.trace();
    return out;
}

void Ordeal::prepare() {
    cluster_.world.set_blocking_delay(500us, 12ms);
    cluster_.network.set_faults({.delay_low = 100us,
                                 .delay_high = 6ms,
                                 .loss_one_in = 50,
                                 .resend_delay = 50ms,
                                 .gossip_loss_one_in = 10});
    cluster_.start_all();
    for (int number = 0; number < cluster_.size(); ++number) make_daemon_unsteady(number);
    if (!schedule_.content) {
        for (int i = 0; i < kItems; ++i) items_.push_back(test::cid(i));
        return;
    }
    for (int i = 0; i < kItems; ++i) {
        Bytes content;
        const auto size = cluster_.draw(1, 30'000);
        while (content.size() < size)
            content += "line " + std::to_string(content.size() * 31 + cluster_.draw(0, 9)) + "\n";
        const auto cid = SimCluster::cid_of(content);
        items_.push_back(cid);
        disks_.expect(cid, SimCluster::blocks_of(content));
        contents_[cid] = std::move(content);
    }
}

void Ordeal::make_daemon_unsteady(int number) {
    auto& ipfs = peer(number).ipfs;
    ipfs.time_drawn = [this] {
        return Duration(std::chrono::microseconds(cluster_.draw(100, 60'000)));
    };
    ipfs.fault_drawn = [this]() -> std::optional<Error> {
        if (cluster_.draw(0, 19) != 0) return std::nullopt;
        return Error{Kind::unavailable, "the daemon hiccups"};
    };
}

void Ordeal::pass(Duration until) {
    auto& world = cluster_.world;
    const auto end = began_ + std::chrono::duration_cast<SteadyTime::duration>(until);
    while (world.steady_now() < end) {
        if (!world.step()) return world.run_for(end - world.steady_now());
        watch_.look();
        if (++steps_ % kItemsEvery == 0) cluster_.watch(items_);
        if (steps_ % kDisksEvery == 0) disks_.look();
    }
}

void Ordeal::act(const Event& event) {
    const bool done = act_of_client(event) || act_of_process(event) || act_of_disk(event) ||
                      act_of_machine(event) || act_of_network(event) || act_of_membership(event) ||
                      act_of_daemon(event);
    if (!done) return;
    tally_.count("act: " + std::string(name_of(event.act)));
    cluster_.note(std::string(name_of(event.act)) + " " + std::to_string(event.a) + " " +
                  std::to_string(event.b));
}

bool Ordeal::act_of_client(const Event& event) {
    if (!is_call(event.act)) return false;
    if (event.a >= cluster_.size() || !peer(event.a).up() || !peer(event.a).member) return false;
    const auto& item = items_.at(static_cast<std::size_t>(event.b));
    switch (event.act) {
        case Act::pin:
            // Content that nobody pins may be collected, so a later pin brings it along.
            if (!contents_.empty()) break;
            cluster_.submit_pin(event.a, item, event.c, event.d);
            return true;
        case Act::unpin:
            cluster_.submit_unpin(event.a, item);
            return true;
        case Act::read:
            cluster_.submit_read(event.a, item);
            return true;
        case Act::pin_for:
            if (!contents_.empty()) return false;
            cluster_.submit_pin_for(event.a, item, event.c, std::chrono::seconds(event.d));
            return true;
        case Act::move:
            return move(event);
        default:
            break;
    }
    if (contents_.empty()) return false;
    cluster_.submit_add(event.a, item, contents_.at(item), event.c, event.d);
    return true;
}

/// Whoever gets it must be able to have it, also when everybody else has let go.
bool Ordeal::move(const Event& event) {
    const auto& item = items_.at(static_cast<std::size_t>(event.b));
    if (event.c >= cluster_.size() || !peer(event.c).member || event.c == leaving_) return false;
    if (!disks_.kept(item)) return false;
    cluster_.submit_move(event.a, item, event.c);
    return true;
}

bool Ordeal::act_of_process(const Event& event) {
    if (event.act == Act::power_cut) {
        for (int number = 0; number < cluster_.size(); ++number) peer(number).crash();
        return true;
    }
    if (event.a >= cluster_.size()) return false;
    if (event.act == Act::start) return start(event.a);
    if (!peer(event.a).up()) return false;
    if (event.act == Act::crash)
        peer(event.a).crash();
    else if (event.act == Act::stop)
        peer(event.a).stop();
    else
        return false;
    return true;
}

bool Ordeal::start(int number) {
    auto& started = peer(number);
    if (started.up() || !started.stopped() || !started.member) return false;
    if (number == leaving_ && !gives_copies()) return false;
    if (!waits_for_more(number)) return false;
    cluster_.start(number);
    return true;
}

bool Ordeal::act_of_disk(const Event& event) {
    if (event.a >= cluster_.size() || !peer(event.a).up()) return false;
    switch (event.act) {
        case Act::break_disk:
            peer(event.a).break_disk(static_cast<std::uint64_t>(event.b));
            return true;
        case Act::stall_disk:
            peer(event.a).life().store.delay_write(1, std::chrono::milliseconds(event.b));
            return true;
        case Act::fill_database:
            peer(event.a).fill_database(static_cast<std::uint64_t>(event.b));
            return true;
        case Act::wipe:
        case Act::lose_tail:
        case Act::damage_row:
            return lose_data(event);
        case Act::lose_apart:
            return lose_apart(event);
        case Act::accept_loss:
            return accept_loss(event.a);
        default:
            return false;
    }
}

bool Ordeal::act_of_machine(const Event& event) {
    if (event.a >= cluster_.size()) return false;
    auto& machine = peer(event.a);
    switch (event.act) {
        case Act::fill_disk:
        case Act::free_disk:
            machine.fill_disk(event.act == Act::fill_disk);
            return true;
        case Act::clock:
            return set_clock(event.a, std::chrono::seconds(event.b));
        case Act::hang_names:
            if (!machine.up()) return false;
            machine.world.pools().set_delay(Pool::names, 30s, 30s);
            for (int i = 0; i < kLookUps; ++i) machine.life().clients.spawn(look_up(&machine));
            return true;
        case Act::slow_blocks:
            machine.world.pools().set_delay(Pool::bulk, 1ms, std::chrono::milliseconds(event.b));
            return true;
        default:
            return false;
    }
}

/// One wrong clock at a time, among three at least: then the others outvote it, also while only a
/// majority is heard.
bool Ordeal::set_clock(int number, Duration ahead) {
    const auto now = cluster_.world.steady_now();
    if (wrong_clock_ >= 0 || members() < 3 || !peer(number).member) return false;
    if (now - clocks_right_since_ < kClockForgotten) return false;
    wrong_clock_ = number;
    peer(number).world.set_clock_ahead(ahead);
    return true;
}

void Ordeal::set_clocks_right() {
    if (wrong_clock_ < 0) return;
    peer(wrong_clock_).world.set_clock_ahead(Duration::zero());
    wrong_clock_ = -1;
    clocks_right_since_ = cluster_.world.steady_now();
}

bool Ordeal::act_of_network(const Event& event) {
    auto& network = cluster_.network;
    if (event.act == Act::heal) {
        network.heal_all();
        return true;
    }
    const bool two = event.act == Act::cut || event.act == Act::cut_one_way;
    if (event.a >= cluster_.size() || (two && (event.b >= cluster_.size() || event.a == event.b)))
        return false;
    const auto& id = peer(event.a).id;
    switch (event.act) {
        case Act::cut:
            network.cut(id, peer(event.b).id);
            return true;
        case Act::cut_one_way:
            network.cut_one_way(id, peer(event.b).id);
            return true;
        case Act::cut_gossip:
        case Act::isolate:
            for (int other = 0; other < cluster_.size(); ++other) {
                if (other == event.a) continue;
                if (event.act == Act::isolate)
                    network.cut(id, peer(other).id);
                else
                    network.cut_gossip(id, peer(other).id);
            }
            return true;
        default:
            return false;
    }
}

bool Ordeal::act_of_membership(const Event& event) {
    switch (event.act) {
        case Act::calm:
            return calm();
        case Act::join:
            make_daemon_unsteady(cluster_.add_joiner());
            return true;
        default:
            break;
    }
    if (event.a >= cluster_.size()) return false;
    switch (event.act) {
        case Act::lead:
            for (int number = 0; number < cluster_.size(); ++number)
                if (peer(number).up())
                    peer(number).life().raft->transfer_leadership(peer(event.a).id);
            return true;
        case Act::remove:
            return remove(event.a);
        case Act::rejoin:
            return rejoin(event.a);
        case Act::leave:
            return leave(event.a);
        case Act::cordon:
            return tell_cordon(event.a,
                               event.b == 2 ? Cordon::Kind::draining : Cordon::Kind::cordoned);
        case Act::uncordon:
            return tell_cordon(event.a, Cordon::Kind::none);
        default:
            return false;
    }
}

bool Ordeal::act_of_daemon(const Event& event) {
    if (event.a >= cluster_.size()) return false;
    auto& ipfs = peer(event.a).ipfs;
    switch (event.act) {
        case Act::daemon_down:
            ipfs.down = Error{Kind::unavailable, "the daemon is down"};
            return !schedule_.content;
        case Act::daemon_up:
            ipfs.down.reset();
            return !schedule_.content;
        case Act::daemon_loses:
            return ipfs.held.erase(items_.at(static_cast<std::size_t>(event.b))) > 0;
        case Act::collect:
            if (!schedule_.content || !peer(event.a).up()) return false;
            cluster_.request<RepoGc>(event.a, peer(event.a).life().cluster.repo_gc_local());
            return true;
        default:
            return false;
    }
}

bool Ordeal::calm() {
    apart_ = -1;
    cluster_.network.heal_all();
    set_clocks_right();
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& machine = peer(number);
        machine.ipfs.down.reset();
        machine.fill_disk(false);
        machine.world.pools().set_delay(Pool::names, 500us, 12ms);
        machine.world.pools().set_delay(Pool::bulk, 500us, 12ms);
        start(number);
    }
    disks_.look();
    return true;
}

int Ordeal::members() const {
    auto& all = const_cast<SimCluster&>(cluster_);
    int out = 0;
    for (int number = 0; number < all.size(); ++number) out += all.peer(number).member ? 1 : 0;
    return out;
}

bool Ordeal::all_well() {
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& each = peer(number);
        if (!each.member) continue;
        if (!each.up() || !each.life().cluster.ready()) return false;
        if (!each.life().raft->status().engine.voter) return false;
    }
    return true;
}

/// One disk at a time: more than that nobody promises.
bool Ordeal::lose_data(const Event& event) {
    const int number = event.a;
    if (wiped_ >= 0 && peer(wiped_).member && all_well()) wiped_ = -1;
    if (wiped_ >= 0 || leaving_ >= 0 || members() < 3 || !peer(number).member || !all_well())
        return false;
    auto& loses = peer(number);
    if (event.act == Act::wipe)
        loses.crash_and_wipe();
    else if (event.act == Act::damage_row)
        loses.crash_and_damage(event.b == 0);
    else if (!loses.crash_and_lose_tail(static_cast<std::size_t>(event.b)))
        return false;
    wiped_ = number;
    return true;
}

/// Whatever was agreed on is on all other disks: what it lost is lost to nobody, whoever leads
/// next.
bool Ordeal::lose_apart(const Event& event) {
    std::uint64_t agreed = 0;
    for (int number = 0; number < cluster_.size(); ++number)
        if (peer(number).member && peer(number).up())
            agreed = std::max(agreed, peer(number).life().raft->status().engine.commit);
    for (int number = 0; number < cluster_.size(); ++number)
        if (peer(number).member && peer(number).up() &&
            peer(number).life().raft->status().engine.applied < agreed)
            return false;
    if (!lose_data(event)) return false;
    for (int number = 0; number < cluster_.size(); ++number) peer(number).crash();
    apart_ = event.a;
    return true;
}

/// Of the others only so many run that they need the one that has lost its tail.
bool Ordeal::waits_for_more(int number) {
    if (apart_ < 0 || number == apart_ || !peer(number).member) return true;
    int others = 0;
    for (int each = 0; each < cluster_.size(); ++each)
        others += each != apart_ && peer(each).member && peer(each).up() ? 1 : 0;
    return others < members() / 2;
}

bool Ordeal::accept_loss(int number) {
    if (apart_ != number || !peer(number).stands_with_loss()) return false;
    apart_ = -1;
    peer(number).accept_loss();
    return true;
}

// --- membership

bool Ordeal::may_go(int number) {
    if (leaving_ >= 0 || members() < 4 || !peer(number).member || apart_ >= 0) return false;
    if (wiped_ >= 0 && !all_well()) return false;
    // One that is still joining goes on asking to be taken in, whoever removes it meanwhile.
    auto& leaves = peer(number);
    return !leaves.up() || leaves.life().cluster.ready();
}

bool Ordeal::leave(int number) {
    if (!may_go(number) || !peer(number).up()) return false;
    leaving_ = number;
    leave_ = cluster_.request<void>(number, peer(number).life().cluster.leave());
    return true;
}

void Ordeal::note_leave() {
    if (!leave_ || !leave_->has_value()) return;
    const auto answer = std::exchange(leave_, nullptr);
    const auto& said = answer->value();
    auto& leaves = peer(leaving_);
    if (said) {
        tally_.count("left on request");
        leaves.member = false;
        leaves.stop();
        leaving_ = -1;
    } else if (said.error().text.find("stays a member") != std::string::npos) {
        tally_.count("leave refused");
        leaving_ = -1;
    } else {
        // Nobody knows: the others are asked.
        removal_ = std::make_shared<std::optional<Result<component::Removal>>>(
            Result<component::Removal>(fail(said.error())));
    }
}

bool Ordeal::tell_cordon(int number, Cordon::Kind kind) {
    return number != leaving_ && members() >= 3 && cordons_.tell(number, kind);
}

/// In the end somebody is cordoned or drained in each run.
std::string Ordeal::finish_drain() {
    int next = static_cast<int>(schedule_.seed % 9);
    const auto kind = schedule_.seed % 2 == 0 ? Cordon::Kind::draining : Cordon::Kind::cordoned;
    for (int tries = 0; tries < kDrainTries; ++tries) {
        if (cordons_.idle())
            tell_cordon(next++ % cluster_.size(), kind);
        else if (cordons_.drained(items_) && !cordons_.idle())
            return {};
        calm();
        cluster_.world.run_for(1s);
        cordons_.note();
        if (members() < 3) return {};
    }
    return cordons_.left() > 0 ? cordons_.text() : std::string();  // what else is wrong shows later
}

bool Ordeal::remove(int number) {
    if (!may_go(number)) return false;
    leaving_ = number;
    ask_to_remove();
    if (!removal_) leaving_ = -1;
    return removal_ != nullptr;
}

void Ordeal::ask_to_remove() {
    // Content must not be lost by force; what nobody has a copy of may go.
    const bool force = !schedule_.content;
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& asked = peer(number);
        if (number == leaving_ || !asked.up() || !asked.member) continue;
        // "No member" may be the answer of one that has not heard of it yet.
        const auto listed = asked.life().consensus.peers();
        const bool known =
            std::find(listed.begin(), listed.end(), peer(leaving_).id) != listed.end();
        if (!removal_ && !known) continue;
        removal_ = cluster_.request<component::Removal>(
            number, asked.life().cluster.peer_remove(peer(leaving_).id, force));
        return;
    }
}

/// The peer that leaves is needed until others have its copies.
bool Ordeal::gives_copies() {
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& asked = peer(number);
        if (number == leaving_ || !asked.up() || !asked.member) continue;
        if (asked.life().consensus.cordon(peer(leaving_).id).moves_pins()) return true;
    }
    return false;
}

void Ordeal::note_removal() {
    if (leaving_ < 0 || leave_ || !removal_ || !removal_->has_value()) return;
    const auto& said = removal_->value();
    const bool refused = !said && said.error().kind == Kind::conflict;
    if (!said && !refused) return;  // asked again at the end
    // Its copies move first; it is gone when it is asked for again.
    if (said && said.value() == component::Removal::leaving) return;
    if (said) {
        peer(leaving_).member = false;
        tally_.count("removal done");
    } else {
        tally_.count("removal refused");
    }
    leaving_ = -1;
    removal_.reset();
}

void Ordeal::finish_removal() {
    for (int tries = 0; tries < 120 && leaving_ >= 0; ++tries) {
        cluster_.network.heal_all();
        for (int number = 0; number < cluster_.size(); ++number) start(number);
        cluster_.world.run_for(1s);
        note_removal();
        note_leave();
        if (leaving_ >= 0 && tries == 60) take_back();
        if (leaving_ >= 0 && !leave_ && (!removal_ || removal_->has_value())) ask_to_remove();
    }
}

/// A peer whose copies nobody can take for so long is told to stay.
void Ordeal::take_back() {
    const auto id = peer(leaving_).id;
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& asked = peer(number);
        if (number == leaving_ || !asked.up() || !asked.member) continue;
        if (!asked.life().consensus.cordon(id).moves_pins()) continue;
        auto told =
            cluster_.await<DrainReport>(number, asked.life().cluster.peer_cordon(id, {}, false));
        if (!told) continue;
        tally_.count("removal refused");
        leaving_ = -1;
        removal_.reset();
        return;
    }
}

bool Ordeal::rejoin(int number) {
    auto& returns = peer(number);
    if (returns.member || !returns.joiner || returns.up() || !returns.stopped()) return false;
    returns.crash_and_wipe();
    returns.member = true;
    cluster_.start(number);
    return true;
}

// --- judgement

std::string Ordeal::judge() {
    if (!watch_.wrong().empty()) return watch_.wrong();
    disks_.look();
    if (!disks_.wrong().empty()) return disks_.wrong();
    set_clocks_right();
    for (int number = 0; number < cluster_.size(); ++number) peer(number).fill_disk(false);
    apart_ = -1;
    finish_removal();
    if (leaving_ >= 0) return "the removal of peer " + std::to_string(leaving_) + " does not end";
    if (auto text = finish_drain(); !text.empty()) return text;
    if (auto text = cluster_.settle(300s); !text.empty()) return text;
    if (contents_.empty())
        if (auto text = cordons_.check(); !text.empty()) return text;
    for (int number = 0; number < cluster_.size(); ++number)
        tally_.count("came back anew", static_cast<std::uint64_t>(peer(number).came_back_anew));
    if (auto text = check_histories(); !text.empty()) return text;
    return check_content();
}

std::string Ordeal::check_histories() {
    if (ignore_histories_) return {};
    std::map<Cid, std::vector<test::HistoryCall>> histories;
    for (const auto& operation : cluster_.operations()) {
        if (const auto call = SimCluster::as_call(operation))
            histories[operation.cid].push_back(*call);
        if (const auto end = SimCluster::expiry_of(operation))
            histories[operation.cid].push_back(*end);
    }
    for (auto& [cid, calls] : histories) {
        const auto now = cluster_.now_of_history();
        calls.push_back({.kind = test::HistoryCall::Kind::read,
                         .value = cluster_.standing(cid),
                         .begin = now,
                         .end = now});
        if (auto text = test::explain_history(calls); !text.empty())
            return cid.to_string() + ": " + text;
    }
    tally_.count("histories explained", histories.size());
    return {};
}

/// Every peer can read what it holds from its own blocks; nothing that was whole is missing.
std::string Ordeal::check_content() {
    if (contents_.empty()) return {};
    std::set<Cid> readable;
    for (int number = 0; number < cluster_.size(); ++number) {
        if (!peer(number).member) continue;
        const auto held = cluster_.held(number);
        if (!held) return held.error().text;
        for (const auto& item : held.value()) {
            const auto read = cluster_.read(number, item);
            const auto where = "peer " + std::to_string(number);
            if (!read) return where + " cannot read: " + read.error().text;
            if (read.value() != contents_.at(item)) return where + " reads something else";
            tally_.count("contents read back");
            readable.insert(item);
        }
    }
    for (const auto& item : items_) {
        if (!disks_.kept(item)) continue;
        if (!readable.contains(item)) return item.to_string() + " was whole and is gone";
        tally_.count("items outlived everything");
    }
    return {};
}

Schedule reduce(Schedule schedule, int tries) {
    const auto fails = [](const Schedule& candidate) {
        Tally quiet;
        return !Ordeal(candidate, quiet).run().wrong.empty();
    };
    for (std::size_t part = schedule.events.size() / 2; part > 0; part /= 2) {
        for (std::size_t at = 0; at < schedule.events.size() && tries > 0;) {
            auto candidate = schedule;
            const auto from = candidate.events.begin() + static_cast<std::ptrdiff_t>(at);
            const auto left = static_cast<std::size_t>(candidate.events.end() - from);
            candidate.events.erase(from, from + static_cast<std::ptrdiff_t>(std::min(part, left)));
            --tries;
            if (fails(candidate))
                schedule = std::move(candidate);
            else
                at += part;
        }
    }
    return schedule;
}

}  // namespace ipfscluster::ordeal
