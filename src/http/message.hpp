#pragma once
#include <string>
#include <string_view>

#include "http/headers.hpp"

namespace ipfscluster::http {

enum class Method { get, head, post, put, del, patch, options, other };
std::string_view method_name(Method method);

/// The standard reason phrase; "Status" for a number without one.
std::string_view status_text(int status);

/// The head of a request.
struct Request {
    Method method = Method::get;
    std::string target;      ///< as in the request line
    std::string_view path;   ///< part before '?', with its percent escapes decoded
    std::string_view query;  ///< part after '?', as it came
    int version = 11;        ///< 10 or 11
    Headers headers;
    std::string remote;  ///< "127.0.0.1:4242"; "@" for a unix socket
    std::string user;    ///< whom authentication found; empty when it is off

    Request() = default;
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    /// Takes over `text` and splits it; false when the path has a broken escape.
    bool set_target(std::string_view text);

 private:
    std::string decoded_path_;
};

}  // namespace ipfscluster::http
