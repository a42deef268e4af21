#pragma once
#include <string>
#include <string_view>

#include "http/headers.hpp"

namespace ipfscluster::http {

/// Writes the frame of a multipart/form-data body: the caller sends `begin_part`, the part's bytes,
/// … and at last `close`. No I/O; a plain value.
class MultipartWriter {
 public:
    /// `seed` makes the boundary: take it from World::random_u64.
    MultipartWriter(std::uint64_t seed_high, std::uint64_t seed_low);

    /// For the request's Content-Type field.
    std::string content_type() const { return "multipart/form-data; boundary=" + boundary_; }
    /// What comes before a part's content.
    std::string begin_part(const Headers& headers);
    /// A file part as /add wants it: `path` is escaped into the file name.
    std::string begin_file(std::string_view path, std::string_view content_type);
    /// What ends the body.
    std::string close();

 private:
    std::string boundary_;
    bool first_ = true;
};

}  // namespace ipfscluster::http
