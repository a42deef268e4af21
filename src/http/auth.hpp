#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "http/message.hpp"

namespace ipfscluster::http {

/// User → password. Empty: authentication is off.
using Credentials = std::map<std::string, std::string, std::less<>>;

struct AuthVerdict {
    bool allowed = false;
    std::string user;                     ///< set when allowed and authentication is on
    std::vector<std::string> challenges;  ///< values of `WWW-Authenticate` when refused
    std::string reason;                   ///< begins with "unauthorized"; never shows a secret
};

/// Basic and Bearer authentication of reference/http 1.4. OPTIONS and `GET /health` pass. Pure.
AuthVerdict authenticate(const Credentials& credentials, std::string_view realm,
                         const Request& request, Time now);

}  // namespace ipfscluster::http
