#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bench_cid.hpp"

namespace ipfscluster::bench {

/// What a stub daemon holds: one bit per pin and mode for made-up CIDs, a map for others. A plain
/// value.
class StubPins {
 public:
    enum class Mode { recursive, direct };

    /// False when it was held in that mode already. A recursive pin replaces a direct one.
    bool add(const Cid& cid, Mode mode);
    /// False when it was not held.
    bool remove(const Cid& cid);
    std::optional<Mode> find(const Cid& cid) const;
    /// Holds `count` made-up items from `first` on, recursively.
    void add_range(std::uint64_t seed, std::uint64_t first, std::uint64_t count);
    std::uint64_t size() const { return size_; }

    struct Row {
        Cid cid;
        Mode mode;
    };
    /// Where a listing stands; a listing may go on while pins come and go.
    struct Cursor {
        std::uint64_t seed = 0;
        std::uint64_t index = 0;
        Cid after;  ///< the last one given of the CIDs that are not made up
    };
    /// The next row at or after the cursor, made-up CIDs by seed and index, then the others by CID.
    std::optional<Row> next(Cursor& cursor) const;

 private:
    struct Bits {
        std::vector<bool> recursive, direct;
    };
    static bool test(const std::vector<bool>& bits, std::uint64_t at) {
        return at < bits.size() && bits[at];
    }
    static void set(std::vector<bool>& bits, std::uint64_t at);

    std::map<std::uint64_t, Bits> made_up_;  ///< by seed
    std::map<Cid, Mode> others_;
    std::uint64_t size_ = 0;
};

}  // namespace ipfscluster::bench
