#pragma once
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster::http {

/// Splits a byte stream into lines (NDJSON: one document each). Holds at most one line and the last
/// piece. A plain value.
class LineSplitter {
 public:
    explicit LineSplitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

    /// `corrupt` when a line is longer than the limit.
    Result<> feed(BytesView piece);
    /// The next complete line without its end; empty lines are skipped.
    std::optional<std::string> next();
    /// What stands after the last line end: a last line without one, at the end of the stream.
    std::string rest();

 private:
    std::size_t line_bytes_max_;
    std::string in_;
    std::size_t at_ = 0;
    std::size_t searched_ = 0;
};

}  // namespace ipfscluster::http
