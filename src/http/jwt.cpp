#include "http/jwt.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <boost/json.hpp>

#include "base/encoding.hpp"

namespace ipfscluster::http {

namespace {

namespace json = boost::json;

std::string to_base64url(BytesView bytes) {
    std::string text = base64_encode(bytes);
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

Result<Bytes> from_base64url(std::string_view text) {
    std::string standard(text);
    for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (standard.size() % 4 != 0) standard.push_back('=');
    return base64_decode(standard);
}

Bytes sign(const EVP_MD* digest, std::string_view key, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(digest, key.data(), static_cast<int>(key.size()), as_uchar(text), text.size(), out, &size);
    return Bytes(reinterpret_cast<const char*>(out), size);
}

Result<json::object> parse_object(std::string_view encoded) {
    ICL_TRY(auto text, from_base64url(encoded));
    boost::system::error_code ec;
    auto value = json::parse(text, ec);
    if (ec || !value.is_object()) return fail(Kind::denied, "malformed token");
    return std::move(value.as_object());
}

std::string text_of(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string().c_str())
                                                  : std::string();
}

/// A NumericDate claim in seconds; nothing when absent, an error when not a number.
Result<std::optional<double>> seconds_of(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return std::optional<double>{};
    boost::system::error_code ec;
    const auto number = value->to_number<double>(ec);
    if (ec) return fail(Kind::denied, "malformed token claim " + std::string(key));
    return std::optional<double>(number);
}

Result<> check_times(const json::object& claims, Time now) {
    const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    ICL_TRY(auto expires, seconds_of(claims, "exp"));
    ICL_TRY(auto not_before, seconds_of(claims, "nbf"));
    ICL_TRY(auto issued, seconds_of(claims, "iat"));
    if (expires && seconds >= *expires) return fail(Kind::denied, "the token has expired");
    if (not_before && seconds < *not_before)
        return fail(Kind::denied, "the token is not valid yet");
    if (issued && seconds < *issued)
        return fail(Kind::denied, "the token was issued in the future");
    return ok();
}

const EVP_MD* digest_of(std::string_view algorithm) {
    if (algorithm == "HS256") return EVP_sha256();
    if (algorithm == "HS384") return EVP_sha384();
    if (algorithm == "HS512") return EVP_sha512();
    return nullptr;  // above all "none" and the asymmetric ones
}

}  // namespace

std::string issue_jwt(std::string_view user, std::string_view password) {
    const json::object claims{{"iss", json::string_view(user.data(), user.size())}};
    std::string text = to_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." +
                       to_base64url(json::serialize(claims));
    return text + "." + to_base64url(sign(EVP_sha256(), password, text));
}

Result<std::string> check_jwt(std::string_view token, const PasswordOf& password_of, Time now) {
    if (token.size() > kJwtBytesMax) return fail(Kind::denied, "the token is too long");
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos) return fail(Kind::denied, "malformed token");
    ICL_TRY(auto header, parse_object(token.substr(0, first)));
    ICL_TRY(auto claims, parse_object(token.substr(first + 1, second - first - 1)));
    const EVP_MD* digest = digest_of(text_of(header, "alg"));
    if (digest == nullptr) return fail(Kind::denied, "token algorithm not accepted");
    std::string user = text_of(claims, "iss");
    const auto password = password_of(user);
    if (!password || password->empty()) return fail(Kind::denied, "unknown token issuer");
    ICL_TRY(auto signature, from_base64url(token.substr(second + 1)));
    const auto expected = sign(digest, *password, token.substr(0, second));
    if (signature.size() != expected.size() ||
        CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) != 0)
        return fail(Kind::denied, "wrong token signature");
    ICL_TRY(check_times(claims, now));
    return user;
}

}  // namespace ipfscluster::http
