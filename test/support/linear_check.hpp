#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ipfscluster::test {

/// One client call about one CID as the client saw it. A pin writes its own number; what a call
/// found there is the number of the pin that stood, or 0 for "not in the pinset".
struct HistoryCall {
    enum class Kind : std::uint8_t {
        pin,    ///< writes `value`
        unpin,  ///< removes; `value`: the pin it says it removed
        read,   ///< a strong answer: `value` stood at some moment of the call
    };
    Kind kind = Kind::read;
    std::uint64_t value = 0;
    std::int64_t begin = 0;  ///< any clock that all calls share
    std::int64_t end = 0;
    /// The client never learned what came of it: it took effect at some moment after `begin`, even
    /// after `end`, or never. Only for pins and unpins.
    bool unknown = false;
    /// An unpin that did not say what it removed, or whose answer was lost: it removes anything.
    bool any_value = false;
};

/// Calls about one CID that `explain_history` takes; a longer history is cut at a moment at which
/// nothing was under way, or refused with a text.
inline constexpr std::size_t kHistoryCallsMax = 4096;

/// Whether one order of the calls exists in which each takes effect at one moment between its
/// begin and its end and finds what it says: a register per CID (Herlihy and Wing's
/// linearizability; the search is Wing and Gong's with the memory of Lowe). Empty when it does,
/// else a text that shows the calls that no order explains. A call that had no effect by its own
/// word (refused) does not belong in the history. Pure.
std::string explain_history(std::vector<HistoryCall> calls);

}  // namespace ipfscluster::test
