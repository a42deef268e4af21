#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/pin.hpp"

namespace ipfscluster::codec {

/// Decoded query parameters in the order they came. The first of a repeated name counts; an empty
/// value counts as absent.
using Query = std::vector<std::pair<std::string, std::string>>;
/// Splits and decodes `a=b&c=d` ('+' is a space); `invalid` on a bad escape.
Result<Query> parse_query(std::string_view text);
/// The first value of that name; empty when there is none.
std::string_view query_value(const Query& query, std::string_view name);

/// Pin options from the parameters of `POST /pins/…` and `POST /add`; other names are ignored.
/// `now` turns `expire-in` into a time. `invalid` names the parameter that is wrong.
Result<PinOptions> parse_pin_options(const Query& query, Time now);
/// The inverse, as `a=b&c=d` with names in Go's (alphabetical) order; what is at its default is
/// left out, except replication factors and the mode.
std::string format_pin_options(const PinOptions& options);

}  // namespace ipfscluster::codec
