#include "http/auth.hpp"

#include <openssl/crypto.h>

#include "base/encoding.hpp"
#include "http/jwt.hpp"

namespace ipfscluster::http {

namespace {

bool same_secret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

AuthVerdict pass(std::string user) {
    return {true, std::move(user), {}, {}};
}

AuthVerdict check_basic(const Credentials& credentials, const std::string& challenge,
                        std::string_view text) {
    AuthVerdict refused{false, {}, {challenge}, "unauthorized: wrong user or password"};
    auto decoded = base64_decode(text);
    if (!decoded) return refused;
    const auto colon = decoded.value().find(':');
    if (colon == std::string::npos) return refused;
    const auto user = decoded.value().substr(0, colon);
    const auto found = credentials.find(user);
    // An unknown user costs the same comparison as a known one.
    const std::string& expected = found == credentials.end() ? challenge : found->second;
    const bool same = same_secret(std::string_view(decoded.value()).substr(colon + 1), expected);
    if (found == credentials.end() || user.empty() || expected.empty() || !same) return refused;
    return pass(user);
}

}  // namespace

AuthVerdict authenticate(const Credentials& credentials, std::string_view realm,
                         const Request& request, Time now) {
    if (credentials.empty() || request.method == Method::options) return pass({});
    if (request.method == Method::get && request.path == "/health") return pass({});
    const std::string quoted = "realm=\"" + std::string(realm) + "\"";
    const std::string basic = "Basic " + quoted;
    const std::string bearer = "Bearer " + quoted;
    auto field = request.headers.get("Authorization");
    const auto space = std::min(field.find(' '), field.size());
    const auto scheme = field.substr(0, space);
    field.remove_prefix(std::min(space + 1, field.size()));
    if (equals_nocase(scheme, "Basic")) return check_basic(credentials, basic, field);
    if (equals_nocase(scheme, "Bearer")) {
        const auto user = check_jwt(
            field,
            [&](std::string_view name) -> std::optional<std::string> {
                const auto found = credentials.find(name);
                if (found == credentials.end()) return std::nullopt;
                return found->second;
            },
            now);
        if (user) return pass(user.value());
        return {false,
                {},
                {bearer + ", error=\"invalid_token\""},
                "unauthorized: " + user.error().text};
    }
    return {false, {}, {bearer, basic}, "unauthorized: no credentials"};
}

}  // namespace ipfscluster::http
