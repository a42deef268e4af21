#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace ipfscluster {

/// Kinds of work away from the strand. Each has threads and a queue of its own, first come, first
/// served: none waits behind another.
enum class Pool : std::uint8_t {
    bulk,      ///< hashing, reading and writing blocks, scans, files
    log_sync,  ///< the database's disk syncs, for which consensus waits; nothing else
    names,     ///< look-ups of host names, which hang when the name server is silent
};
inline constexpr std::size_t kPoolCount = 3;

struct PoolLimits {
    const char* what;  ///< for errors
    std::size_t threads;
    /// Work that may wait for a thread; more is refused with `unavailable`. 0: no bound but its
    /// callers, each of whom waits for one.
    std::size_t queue_max;
    /// Work that has begun may go on after its caller and after the World: it owns what it uses.
    bool may_outlive;
};

/// The same in production and in the simulation.
constexpr PoolLimits limits_of(Pool pool) {
    switch (pool) {
        case Pool::log_sync:
            return {"disk syncs", 1, 0, false};
        case Pool::names:
            return {"name look-ups", 4, 16, true};
        case Pool::bulk:
            break;
    }
    return {"bulk work", 2, 0, false};
}

/// What both worlds answer, so that nobody can tell them apart.
inline Error cancelled_work() {
    return {Kind::cancelled, "the blocking work was cancelled"};
}
inline Error too_much_work(const PoolLimits& limits) {
    return {Kind::unavailable,
            std::string(limits.what) + ": " + std::to_string(limits.queue_max) + " wait already"};
}

}  // namespace ipfscluster
