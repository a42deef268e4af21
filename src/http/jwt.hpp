#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace ipfscluster::http {

inline constexpr std::size_t kJwtBytesMax = 4096;

/// A token for `user`, signed HS256 with the bytes of the password (reference/http 1.4):
/// `{"iss":user}`, no expiry.
std::string issue_jwt(std::string_view user, std::string_view password);

/// The password of a user; nothing when there is no such user.
using PasswordOf = std::function<std::optional<std::string>(std::string_view user)>;

/// Checks an HS256, HS384 or HS512 token and gives the user in `iss`. `exp`, `nbf` and `iat` are
/// enforced when they are present. `denied` otherwise, with the reason.
Result<std::string> check_jwt(std::string_view token, const PasswordOf& password_of, Time now);

}  // namespace ipfscluster::http
