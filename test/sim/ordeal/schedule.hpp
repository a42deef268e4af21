#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace ipfscluster::ordeal {

/// What happens to a simulated cluster, by clients and by fate. The numbers are its arguments.
enum class Act : std::uint8_t {
    // Clients: peer, item, …
    pin,      ///< peer, item, least, most holders (-1: everywhere)
    unpin,    ///< peer, item
    read,     ///< peer, item: a strong read
    add,      ///< peer, item, least, most holders: content is sent
    pin_for,  ///< peer, item, holders, seconds after which it ends
    move,     ///< peer, item, the only holder from now on: of content that nobody ever unpins
    // Processes and power: peer
    crash,
    power_cut,  ///< all at once
    stop,
    start,
    // Disks: peer, …
    break_disk,     ///< peer, which of its next syncs fails
    stall_disk,     ///< peer, milliseconds
    wipe,           ///< peer: it dies and its database is gone
    fill_database,  ///< peer, which of its next writes finds no room
    fill_disk,      ///< peer: no room for content, until `free_disk`
    free_disk,
    lose_tail,    ///< peer, batches: it dies, and what it synced last is gone
    damage_row,   ///< peer, 0: of its log, 1: of what stands beside it; it dies
    lose_apart,   ///< peer, batches: all die, it has lost its tail, and too few return to go on
                  ///< without it
    accept_loss,  ///< peer: goes on with what it has
    // Machines: peer, …
    clock,        ///< peer, seconds: its wall clock is ahead by so much, or behind
    hang_names,   ///< peer: its name server is silent while it has much to look up
    slow_blocks,  ///< peer, milliseconds that reading and writing of blocks takes
    // Network
    cut,          ///< peer, peer
    cut_one_way,  ///< from, to
    cut_gossip,   ///< peer: nobody hears its gossip any more
    isolate,      ///< peer: cut from all others
    heal,
    // Consensus and membership
    lead,      ///< peer: leadership is handed to it
    join,      ///< a new peer comes
    remove,    ///< peer
    rejoin,    ///< peer: one that was removed or left comes back without its data
    leave,     ///< peer: it goes by its own wish, if others have enough of what it has
    cordon,    ///< peer, 1: it takes no new pins, 2: and its pins move to others
    uncordon,  ///< peer
    // Daemons: peer, …
    daemon_down,
    daemon_up,
    daemon_loses,  ///< peer, item: it holds it no more, behind the peer's back
    collect,       ///< peer: a collection of its own node
    calm,          ///< everything is healed and everybody is started
};
inline constexpr int kActs = static_cast<int>(Act::calm) + 1;
inline constexpr bool is_call(Act act) {
    return act <= Act::move;
}
std::string_view name_of(Act act);

struct Event {
    Duration at{};  ///< since the start of the run
    Act act = Act::calm;
    int a = 0, b = 0, c = 0, d = 0;
    friend bool operator==(const Event&, const Event&) = default;
};

/// One run as data: what a seed has drawn, or what is left of it after a reduction. Independent of
/// the code it is run against, so a stored one stays the same test.
struct Schedule {
    std::uint64_t seed = 0;  ///< of time, chance and network in the simulated world
    int founders = 3;
    bool content = false;       ///< embedded nodes with real files instead of daemons that know all
    std::vector<Event> events;  ///< by time
    friend bool operator==(const Schedule&, const Schedule&) = default;
};

inline constexpr int kItems = 24;
/// Content with a smaller number is never unpinned: it must outlive everything.
inline constexpr int kItemsKept = 12;
/// Joiners that a schedule may bring; their numbers follow the founders'.
inline constexpr int kJoinersMax = 3;

/// Draws a run of `length`, at least 500 client calls per ten minutes, in calms and storms.
Schedule draw_schedule(std::uint64_t seed, Duration length);

/// One line a schedule, then one line an event.
std::string to_text(const Schedule& schedule);
/// `invalid` names the line.
Result<Schedule> parse_schedule(std::string_view text);
Result<Schedule> read_schedule(const std::filesystem::path& file);

}  // namespace ipfscluster::ordeal
