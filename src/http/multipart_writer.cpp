#include "http/multipart_writer.hpp"

#include "base/bytes.hpp"
#include "base/encoding.hpp"

namespace ipfscluster::http {

MultipartWriter::MultipartWriter(std::uint64_t seed_high, std::uint64_t seed_low) {
    Bytes seed;
    put_be64(seed, seed_high);
    put_be64(seed, seed_low);
    boundary_ = hex_encode(seed);
}

std::string MultipartWriter::begin_part(const Headers& headers) {
    std::string out = (first_ ? "--" : "\r\n--") + boundary_ + "\r\n";
    first_ = false;
    headers.write_to(out);
    out.append("\r\n");
    return out;
}

std::string MultipartWriter::begin_file(std::string_view path, std::string_view content_type) {
    return begin_part(
        {{"Content-Disposition", "form-data; name=\"file\"; filename=\"" + url_escape(path) + "\""},
         {"Content-Type", content_type}});
}

std::string MultipartWriter::close() {
    // Also right for a body without parts: the closing delimiter may come first.
    std::string out = (first_ ? "--" : "\r\n--") + boundary_ + "--\r\n";
    first_ = false;
    return out;
}

}  // namespace ipfscluster::http
