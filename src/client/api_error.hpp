#pragma once
#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::client {

/// Why a call of the REST API failed: what the server said, or that it said nothing.
struct ApiError {
    int code = 0;  ///< HTTP status; 500 for an error in a stream's trailer; 0 without an answer
    Error error;

    ApiError() = default;
    // Implicit: failures of lower layers become "no answer".
    ApiError(Error cause) : error(std::move(cause)) {}
    ApiError(int status, Kind kind, std::string message)
        : code(status), error{kind, std::move(message)} {}
};

template <class T = void>
using ApiResult =
    boost::outcome_v2::basic_result<T, ApiError, boost::outcome_v2::policy::terminate>;

/// What every call of the client returns; await it on the World's strand.
template <class T = void>
using Call = asio::awaitable<ApiResult<T>>;

inline auto api_fail(ApiError error) {
    return boost::outcome_v2::failure(std::move(error));
}

}  // namespace ipfscluster::client
