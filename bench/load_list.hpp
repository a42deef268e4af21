#pragma once
#include <string>

#include "http/client.hpp"

namespace ipfscluster::bench {

struct ListResult {
    int status = 0;
    std::uint64_t rows = 0;  ///< line ends in the answer
    std::uint64_t bytes = 0;
    double first_row_seconds = 0;  ///< until the first line was whole
    double seconds = 0;
    std::string error;  ///< the answer broke off, or its trailer says so
    std::string to_json() const;
};

/// Reads one streamed answer to its end without keeping it.
Async<ListResult> run_list(World& world, http::ClientConfig api, std::string target);

}  // namespace ipfscluster::bench
