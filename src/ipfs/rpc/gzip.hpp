#pragma once
#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>

#include "base/bytes.hpp"

namespace ipfscluster::ipfs_rpc {

/// Packs a stream of bytes as gzip (RFC 1952). Holds its window (about 256 KiB). Owned by one call.
class Gzip {
 public:
    /// `level`: 1 (fast) to 9 (small).
    explicit Gzip(int level);
    /// Packed bytes that are ready; may be none.
    Bytes pack(BytesView input);
    /// The rest, with checksum and size; nothing may be packed afterwards.
    Bytes finish();

 private:
    Bytes run(BytesView input, boost::beast::zlib::Flush flush);

    boost::beast::zlib::deflate_stream stream_;
    boost::crc_32_type crc_;
    std::uint32_t size_ = 0;  ///< modulo 2³²
    bool begun_ = false;
};

}  // namespace ipfscluster::ipfs_rpc
