#pragma once
#include <array>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "model/pin.hpp"

namespace ipfscluster::service {

/// Largest text of one pin in a file, as large as what the state keeps of one.
inline constexpr std::size_t kPinTextMax = 2U << 20;

/// What an import changes in each pin, and what it fills in.
struct ImportRules {
    int replication_min = 0;           ///< > 0: for every pin
    int replication_max = 0;           ///< > 0: for every pin
    std::vector<PeerId> allocations;   ///< not empty: for every pin
    int default_replication_min = -1;  ///< where a pin says 0 or nothing
    int default_replication_max = -1;
};

/// Reads what `state export` of this program and of the Go programs writes: JSON objects, one pin
/// each, one per line or however blanks separate them. Holds one pin at a time. Blocking.
class PinReader {
 public:
    PinReader(std::istream& in, ImportRules rules) : in_(in), rules_(std::move(rules)) {}

    /// The next pin, checked: everything in it must be readable, known and without contradiction.
    /// Nothing at the clean end; `invalid` with the line and the reason otherwise.
    Result<std::optional<Pin>> next();

 private:
    Result<bool> cut();
    bool fill();
    Error error_at_line(std::string_view why) const;

    std::istream& in_;
    ImportRules rules_;
    std::array<char, 64 * 1024> buffer_{};
    std::size_t at_ = 0, end_ = 0;
    std::size_t line_ = 1;        ///< of the next byte
    std::size_t first_line_ = 1;  ///< where `text_` begins
    std::string text_;
};

/// One line of an export: the pin in the Go programs' form, and a line feed.
void append_pin_line(std::string& out, const Pin& pin);

}  // namespace ipfscluster::service
