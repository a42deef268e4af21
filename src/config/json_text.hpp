#pragma once
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ipfscluster::config {

/// JSON text laid out as Go's encoder indents it: one element per line, `indent` blanks per level,
/// `[]` and `{}` when empty, keys in the object's order, `<`, `>`, `&`, U+2028 and U+2029 escaped,
/// no final newline. `indent` 0 writes one line without blanks.
std::string json_text(const boost::json::value& value, unsigned indent);

/// One string as a JSON literal, escaped the same way.
std::string json_quote(std::string_view text);

/// Reads a text that is one JSON object and nothing else. `invalid` names the line.
Result<boost::json::object> parse_json_object(std::string_view text);

}  // namespace ipfscluster::config
