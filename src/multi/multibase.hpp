#pragma once
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster {

std::string base58_encode(BytesView in);
Result<Bytes> base58_decode(std::string_view text);
/// RFC 4648 base32, lower case, without padding.
std::string base32_encode(BytesView in);
Result<Bytes> base32_decode(std::string_view text);
/// Decodes a text with its multibase prefix (f F b B v V t T z Z k K m M u U); `invalid` when
/// unknown.
Result<Bytes> multibase_decode(std::string_view text);

}  // namespace ipfscluster
