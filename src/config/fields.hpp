#pragma once
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "config/size_spec.hpp"
#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"

/// The machinery behind service.json: each component is described once, as a list of fields, and
/// visitors load, override, check, write and list them. Synchronous, used at start-up only.
namespace ipfscluster::config {

using Warnings = std::vector<std::string>;
using Strings = std::vector<std::string>;
using Addresses = std::vector<Multiaddr>;
using PeerIds = std::vector<PeerId>;
using StringMap = std::map<std::string, std::string>;
using HeaderMap = std::map<std::string, Strings>;

/// Where a field's value lives. The pointer is valid during one visit.
using ValueRef =
    std::variant<bool*, std::int64_t*, std::uint64_t*, double*, std::string*, Duration*, SizeSpec*,
                 Multiaddr*, Strings*, Addresses*, PeerIds*, StringMap*, HeaderMap*>;

/// What leaving a key out of a section that is present does.
enum class Absent {
    keep,  ///< the default holds
    zero,  ///< the type's zero value, whatever `init` writes
};

struct FieldOptions {
    Absent absent = Absent::keep;
    bool zero_is_default = false;     ///< zero or "" means the default, too
    bool omit_default = false;        ///< written only when it differs from the default
    bool never_written = false;       ///< read for old files only
    bool null_when_empty = false;     ///< written as `null`; an empty object in a file is refused
    bool array_only = false;          ///< a bare string is a type error
    bool loose_duration = false;      ///< unreadable or zero: a warning and the default
    bool secret = false;              ///< hidden by display_json
    bool not_empty = false;           ///< refused when empty
    std::optional<std::int64_t> min;  ///< smallest value accepted; nanoseconds for durations
    std::optional<std::int64_t> max;
    /// Empty: the key changes behaviour. Otherwise why this build accepts it without effect.
    std::string_view no_effect;
};

/// Sees the fields of one component in the order they are written.
class FieldVisitor {
 public:
    virtual ~FieldVisitor() = default;
    virtual void field(std::string_view name, ValueRef value, const FieldOptions& options) = 0;
    /// The fields until `end_object` are keys of a nested object. Left out as a whole, each keeps
    /// its default.
    virtual void begin_object(std::string_view name) = 0;
    virtual void end_object() = 0;
};

/// A value as service.json shows it.
boost::json::value field_to_json(const ValueRef& value, const FieldOptions& options);
bool field_is_zero(const ValueRef& value);

/// One name for people and for the table: "cluster.connection_manager.high_water".
std::string join_path(std::string_view prefix, std::string_view name);

}  // namespace ipfscluster::config
