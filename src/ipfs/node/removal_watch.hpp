#pragma once
#include <cstdint>
#include <map>

#include "base/bytes.hpp"

namespace ipfscluster::node {

/// Blocks that somebody wants removed by name, and whether a pin under way has met one meanwhile:
/// the search for pins that reach it may have been past that pin by then. Owned by the node; one
/// strand.
class RemovalWatch {
    struct Watched {
        int removals = 0;
        std::uint64_t met = 0;
    };

 public:
    /// One removal under way; ends before the watch does.
    class Removal {
     public:
        Removal(RemovalWatch& watch, const Bytes& multihash)
            : watch_(watch), at_(watch.watched_.try_emplace(multihash).first) {
            ++at_->second.removals;
        }
        ~Removal() {
            if (--at_->second.removals == 0) watch_.watched_.erase(at_);
        }
        Removal(const Removal&) = delete;
        Removal& operator=(const Removal&) = delete;
        /// How often pins have met the block since.
        std::uint64_t met() const { return at_->second.met; }

     private:
        RemovalWatch& watch_;
        std::map<Bytes, Watched>::iterator at_;
    };

    /// A pin relies on this block, which is held.
    void met(const Bytes& multihash) {
        if (watched_.empty()) return;
        if (const auto it = watched_.find(multihash); it != watched_.end()) ++it->second.met;
    }

 private:
    std::map<Bytes, Watched> watched_;
};

}  // namespace ipfscluster::node
