#pragma once
#include <cstdint>

#include "base/time.hpp"

namespace ipfscluster::component {

/// What an operator told the cluster about one member, for as long as nobody takes it back: a
/// replicated fact, the same on every peer at the same place of the log, and gone with the member.
/// A plain value; any strand.
struct Cordon {
    /// The numbers are those of the log and of the database.
    enum class Kind : std::uint8_t {
        none = 0,      ///< takes pins as any other
        cordoned = 1,  ///< takes no new pins; keeps what it has
        draining = 2,  ///< and its pins move to others
        leaving = 3,   ///< and it is removed once its copies are elsewhere
    } kind = Kind::none;
    /// Pins that every peer holds do not come here, either, and those that are here are kept only
    /// until others have them.
    bool everything = false;
    /// When it was told, by the clock of the peer that was told.
    Time since = kTimeUnset;

    /// Whether new pins go to others.
    [[nodiscard]] bool takes_no_pins() const { return kind != Kind::none; }
    /// Whether the pins that are here move to others.
    [[nodiscard]] bool moves_pins() const {
        return kind == Kind::draining || kind == Kind::leaving;
    }
    friend bool operator==(const Cordon&, const Cordon&) = default;
};

}  // namespace ipfscluster::component
