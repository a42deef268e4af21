#pragma once
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster {

Bytes hex_encode(BytesView in);
/// Upper or lower case; `invalid` on odd length or another character.
Result<Bytes> hex_decode(std::string_view text);

/// RFC 4648 standard alphabet with padding.
std::string base64_encode(BytesView in);
Result<Bytes> base64_decode(std::string_view text);

/// Percent encoding of everything but unreserved characters (RFC 3986).
std::string url_escape(std::string_view text);
/// Decodes %XX; `plus_is_space` as in query strings and form names.
Result<std::string> url_unescape(std::string_view text, bool plus_is_space);

}  // namespace ipfscluster
