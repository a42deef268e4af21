#include "sim/ordeal/schedule.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>

namespace ipfscluster::ordeal {

using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, kActs> kNames{
    "pin",         "unpin",         "read",      "add",        "pin_for",     "move",
    "crash",       "power_cut",     "stop",      "start",      "break_disk",  "stall_disk",
    "wipe",        "fill_database", "fill_disk", "free_disk",  "lose_tail",   "damage_row",
    "lose_apart",  "accept_loss",   "clock",     "hang_names", "slow_blocks", "cut",
    "cut_one_way", "cut_gossip",    "isolate",   "heal",       "lead",        "join",
    "remove",      "rejoin",        "leave",     "cordon",     "uncordon",    "daemon_down",
    "daemon_up",   "daemon_loses",  "collect",   "calm"};

/// Draws one schedule.
class Artist {
 public:
    Artist(std::uint64_t seed, Duration length) : random_(seed), length_(length) {
        out_.seed = seed;
        out_.founders = static_cast<int>(draw(0, 9) < 7 ? draw(3, 5) : draw(6, 9));
        out_.content = seed % 4 == 0;
    }

    Schedule run() {
        Duration now = 1s;
        while (now < length_) {
            if (draw(0, 3) == 0) now = loss_apart(now);
            if (draw(0, 2) == 0) cordon(now + ms(0, 3'000));
            const auto calm_ends = now + ms(4'000, 25'000);
            clients(now, calm_ends, 1'000);
            if (draw(0, 2) == 0) absence(now + ms(0, 3'000));
            if (draw(0, 2) == 0) put(now + ms(0, 3'000), Act::clock, peer(), number(-4'000, 4'000));
            const auto storm_ends = calm_ends + ms(4'000, 25'000);
            clients(calm_ends, storm_ends, 700);
            losses(calm_ends, storm_ends);
            if (draw(0, 1) == 0) crashes_in_bursts(calm_ends, storm_ends);
            storm(calm_ends, storm_ends);
            put(storm_ends, Act::calm);
            now = storm_ends;
        }
        membership();
        std::stable_sort(out_.events.begin(), out_.events.end(),
                         [](const Event& x, const Event& y) { return x.at < y.at; });
        return std::move(out_);
    }

 private:
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_() % (high - low + 1);
    }
    int number(int low, int high) {
        return low + static_cast<int>(draw(0, static_cast<std::uint64_t>(high - low)));
    }
    Duration ms(std::uint64_t low, std::uint64_t high) {
        return std::chrono::milliseconds(draw(low, high));
    }
    int peer() { return number(0, out_.founders + joined_ - 1); }
    void put(Duration at, Act act, int a = 0, int b = 0, int c = 0, int d = 0) {
        out_.events.push_back({at, act, a, b, c, d});
    }

    /// Bursts of calls, so that operations travel together and meet on one item.
    void clients(Duration from, Duration to, std::uint64_t pause_ms) {
        for (auto at = from + ms(0, pause_ms); at < to; at += ms(10, 2 * pause_ms)) {
            const int through = peer();
            for (auto left = draw(1, 5); left > 0; --left)
                call(at + std::chrono::microseconds(draw(0, 2'000)),
                     draw(0, 3) == 0 ? peer() : through);
        }
    }
    void call(Duration at, int through) {
        static constexpr std::pair<int, int> kFactors[] = {
            {-1, -1}, {1, 1}, {1, 2}, {2, 2}, {1, 3}};
        const auto [least, most] = kFactors[draw(0, 4)];
        const int item = number(0, kItems - 1);
        const auto what = draw(0, 99);
        if (what < 50 && !out_.content && what % 10 == 0)
            put(at, Act::pin_for, through, item, number(1, 3), number(3, 90));
        else if (what < 50)
            put(at, out_.content && what < 15 ? Act::add : Act::pin, through, item, least, most);
        else if (what < 75 && out_.content && item < kItemsKept)
            put(at, what < 60 ? Act::move : Act::read, through, item, peer());
        else if (what < 75)
            put(at, Act::unpin, through, item);
        else
            put(at, Act::read, through, item);
    }

    /// Death in the middle of a batch, when there is something to lose: of the peer that was asked,
    /// or of all.
    void crashes_in_bursts(Duration from, Duration to) {
        for (auto at = from + ms(0, 3'000); at < to; at += ms(2'000, 9'000)) {
            const int through = peer();
            for (auto left = draw(3, 12); left > 0; --left)
                call(at + std::chrono::microseconds(draw(0, 8'000)),
                     draw(0, 2) == 0 ? peer() : through);
            const auto dies = at + std::chrono::microseconds(draw(0, 40'000));
            if (draw(0, 2) != 0) {
                put(dies, Act::crash, through);
                put(std::min(dies + ms(50, 3'000), to), Act::start, through);
                continue;
            }
            put(dies, Act::power_cut);
            for (int each = 0; each < out_.founders + joined_; ++each)
                put(std::min(dies + ms(50, 2'000), to), Act::start, each);
        }
    }

    void calls_during(Duration from, Duration to) {
        for (auto at = from; at < to; at += std::chrono::microseconds(draw(500, 8'000)))
            call(at, peer());
    }

    /// Away for longer than it takes to be replaced; who returns collects what it need not keep.
    void absence(Duration from) {
        const int who = peer();
        const auto back = from + ms(6'000, 20'000);
        put(from, Act::crash, who);
        put(back, Act::start, who);
        for (auto left = draw(1, 4); left > 0; --left)
            put(back + ms(50, 4'000), Act::collect, number(0, 1) == 0 ? who : peer());
    }

    /// A disk that loses something while everybody is well, and what follows.
    void losses(Duration from, Duration to) {
        const auto kind = draw(0, 7);
        if (kind > 2) return;
        if (kind == 0) put(from, Act::lose_tail, peer(), number(1, 20));
        if (kind == 1) put(from, Act::damage_row, peer(), number(0, 1));
        if (kind == 2) put(from, Act::wipe, peer());
        put(std::min(from + ms(100, 8'000), to), Act::calm);
    }

    /// Too few are there to say that nothing is lost, so somebody has to accept it.
    Duration loss_apart(Duration from) {
        const int who = peer();
        // Nothing is under way then, and the floor stands where the log does.
        const auto at = from + 3s;
        put(at, Act::lose_apart, who, number(1, 20));
        for (int each = 0; each < out_.founders + joined_; ++each)
            put(at + ms(500, 1'000), Act::start, each);
        const auto accepted = at + ms(5'000, 20'000);
        clients(at + 1s, accepted, 2'000);
        put(accepted, Act::accept_loss, who);
        put(accepted + 500ms, Act::start, who);
        put(accepted + ms(1'000, 5'000), Act::calm);
        return accepted + 5s;
    }

    void cordon(Duration from) {
        const int who = peer();
        put(from, Act::cordon, who, number(1, 2));
        put(from + ms(5'000, 60'000), Act::uncordon, who);
    }
    void goes_and_returns(Duration from, int who) {
        if (draw(0, 2) == 0) {
            put(from, Act::remove, who);
            return put(from + ms(5'000, 40'000), Act::rejoin, who);
        }
        put(from, Act::cordon, who, 2);
        for (const int s : {5, 15, 25}) put(from + s * 1s, Act::leave, who);
        put(from + 35s, Act::uncordon, who);
        put(from + ms(35'000, 60'000), Act::rejoin, who);
    }

    void storm(Duration from, Duration to) {
        for (auto at = from; at < to; at += ms(50, 2'500)) harm(at, to);
    }
    void harm(Duration at, Duration end) {
        const int a = peer();
        int b = peer();
        if (b == a) b = (a + 1) % out_.founders;
        const auto back = at + ms(100, 15'000);
        switch (draw(0, 21)) {
            case 0:
            case 1:
            case 2:
            case 3:
                put(at, Act::crash, a);
                return put(std::min(back, end), Act::start, a);
            case 4:
                put(at, Act::power_cut);
                for (int each = 0; each < out_.founders + joined_; ++each)
                    put(std::min(at + ms(50, 8'000), end), Act::start, each);
                return;
            case 5:
                put(at, Act::stop, a);
                return put(std::min(back, end), Act::start, a);
            case 6:
                put(at, Act::break_disk, a, number(1, 5));
                return put(std::min(back, end), Act::start, a);
            case 7:
                return put(at, Act::stall_disk, a, number(200, 12'000));
            case 8:
                return put(at, Act::cut, a, b);
            case 9:
                return put(at, Act::cut_one_way, a, b);
            case 10:
                return put(at, Act::cut_gossip, a);
            case 11:
                put(at, Act::isolate, a);
                return put(std::min(back, end), Act::heal);
            case 12:
                return put(at, Act::heal);
            case 13:
                return put(at, Act::lead, a);
            case 14:
                put(at, Act::daemon_down, a);
                return put(std::min(back, end), Act::daemon_up, a);
            case 15:
                return put(at, Act::daemon_loses, a, number(0, kItems - 1));
            case 16:
                return put(at, Act::collect, a);
            case 17:
                put(at, Act::fill_database, a, number(1, 12));
                return put(std::min(back, end), Act::start, a);
            case 18:
                put(at, Act::fill_disk, a);
                return put(std::min(back, end), Act::free_disk, a);
            case 19:
                return put(at, Act::hang_names, a);
            case 20:
                return put(at, Act::slow_blocks, a, number(15, 150));
            default:
                return put(at, Act::lead, b);
        }
    }

    /// Joins, removals, returns and lost disks, at any time: calm or storm.
    void membership() {
        for (auto at = ms(10'000, 90'000); at < length_; at += ms(15'000, 80'000)) {
            switch (draw(0, 3)) {
                case 0:
                    if (joined_ < kJoinersMax) {
                        ++joined_;
                        put(at, Act::join);
                        // A snapshot is to be made while operations are applied.
                        calls_during(at, at + 300ms);
                        if (draw(0, 1) == 0) break;
                        // It has hardly anything yet.
                        for (const int s : {4, 8})
                            put(at + s * 1s, Act::leave, out_.founders + joined_ - 1);
                        put(at + ms(20'000, 40'000), Act::rejoin, out_.founders + joined_ - 1);
                    }
                    break;
                case 1:
                    put(at, Act::wipe, peer());
                    put(at + ms(100, 20'000), Act::calm);
                    break;
                default:
                    if (joined_ > 0) {
                        goes_and_returns(at, out_.founders + number(0, joined_ - 1));
                    } else {
                        put(at, Act::remove, peer());
                    }
            }
        }
    }

    std::mt19937_64 random_;
    Duration length_;
    Schedule out_;
    int joined_ = 0;
};

std::optional<Act> act_of(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<Act>(found - kNames.begin());
}

}  // namespace

std::string_view name_of(Act act) {
    return kNames.at(static_cast<std::size_t>(act));
}

Schedule draw_schedule(std::uint64_t seed, Duration length) {
    return Artist(seed, length).run();
}

std::string to_text(const Schedule& schedule) {
    std::string out = "ordeal 1 seed " + std::to_string(schedule.seed) + " founders " +
                      std::to_string(schedule.founders) + " content " +
                      std::to_string(schedule.content ? 1 : 0) + "\n";
    for (const auto& event : schedule.events) {
        char line[128];
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(event.at).count();
        std::snprintf(line, sizeof line, "%" PRId64 " %s %d %d %d %d\n",
                      static_cast<std::int64_t>(us), std::string(name_of(event.act)).c_str(),
                      event.a, event.b, event.c, event.d);
        out += line;
    }
    return out;
}

Result<Schedule> parse_schedule(std::string_view text) {
    std::istringstream in{std::string(text)};
    std::string line, word, seed, founders, content;
    int version = 0, has_content = 0;
    Schedule out;
    std::getline(in, line);
    std::istringstream head(line);
    head >> word >> version >> seed >> out.seed >> founders >> out.founders >> content >>
        has_content;
    const bool whole = head && word == "ordeal" && version == 1 && seed == "seed" &&
                       founders == "founders" && content == "content";
    if (!whole || out.founders < 1 || out.founders > 9)
        return fail(Kind::invalid, "not the head of a schedule: " + line);
    out.content = has_content != 0;
    while (std::getline(in, line)) {
        if (line.empty()) continue;
        std::istringstream fields(line);
        std::int64_t us = 0;
        Event event;
        fields >> us >> word >> event.a >> event.b >> event.c >> event.d;
        const auto act = act_of(word);
        if (!fields || !act || us < 0) return fail(Kind::invalid, "not an event: " + line);
        event.at = std::chrono::microseconds(us);
        event.act = *act;
        out.events.push_back(event);
    }
    return out;
}

Result<Schedule> read_schedule(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) return fail(Kind::not_found, "there is no " + path.string());
    std::stringstream text;
    text << file.rdbuf();
    return parse_schedule(text.str());
}

}  // namespace ipfscluster::ordeal
