#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ipfscluster::http {

/// A field value with parameters: `form-data; name="file"; filename="a.txt"` (RFC 9110 5.6.6, with
/// the extended `name*=UTF-8''…` form of RFC 8187).
struct HeaderParams {
    std::string value;  ///< lower case
    std::vector<std::pair<std::string, std::string>> params;

    /// Empty when absent.
    std::string_view get(std::string_view name) const;
    bool has(std::string_view name) const;
};

/// `invalid` when a quoted text does not end or a parameter has no name.
Result<HeaderParams> parse_header_params(std::string_view text);

}  // namespace ipfscluster::http
