#pragma once
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "http/headers.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::http {

/// Gives the next piece of a body, empty at its end.
using BodyPull = std::function<Async<Bytes>()>;

inline constexpr std::size_t kPartHeaderBytesMax = 16 * 1024;
inline constexpr std::size_t kBoundaryBytesMax = 200;

/// The boundary of a `multipart/form-data` or `multipart/mixed` content type; `invalid` for another
/// type or a missing or overlong boundary.
Result<std::string> multipart_boundary(std::string_view content_type);

/// Reads a multipart body (RFC 2046 5.1) part by part, each in pieces as they come; holds at most
/// one piece and one part head. Pulled by one caller at a time. Errors: `corrupt` for a malformed
/// or truncated body, and whatever the pull fails with; it is of no use afterwards.
class MultipartReader {
 public:
    MultipartReader(std::string boundary, BodyPull pull);

    /// Head of the next part, skipping what is left of the current one; nothing after the closing
    /// delimiter.
    Async<std::optional<Headers>> next_part();
    /// The next piece of the current part's body; empty at its end.
    Async<Bytes> read();

 private:
    enum class Place { preamble, part, between, closed };
    struct Found {
        std::size_t at = 0;   ///< bytes before this belong to the part
        std::size_t end = 0;  ///< just behind the delimiter, when `whole`
        bool whole = false;
    };
    Found find_delimiter() const;
    Async<bool> fill();
    Async<Headers> read_head();

    std::string delimiter_;  ///< "\r\n--boundary"
    BodyPull pull_;
    std::string in_;
    Place place_ = Place::preamble;
    bool part_start_ = false;  ///< nothing of the part's body was seen yet
    bool ended_ = false;       ///< the pull has given its end
};

}  // namespace ipfscluster::http
