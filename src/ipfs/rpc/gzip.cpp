#include "ipfs/rpc/gzip.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

namespace zlib = boost::beast::zlib;

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr int kWindowBits = 15;
constexpr int kMemoryLevel = 8;

void put_le32(Bytes& out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

Gzip::Gzip(int level) {
    stream_.reset(level, kWindowBits, kMemoryLevel, zlib::Strategy::normal);
}

Bytes Gzip::run(BytesView input, zlib::Flush flush) {
    Bytes out;
    // Magic, deflate, no flags, no time, unknown system.
    if (!std::exchange(begun_, true)) out.assign("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    zlib::z_params params;
    params.next_in = input.data();
    params.avail_in = input.size();
    while (true) {
        const auto at = out.size();
        out.resize(at + kPieceBytes);
        params.next_out = out.data() + at;
        params.avail_out = kPieceBytes;
        boost::beast::error_code error;
        stream_.write(params, flush, error);
        out.resize(at + kPieceBytes - params.avail_out);
        // An error here only says that there was nothing more to do, or that the end is written.
        if (error || params.avail_out > 0) return out;
    }
}

Bytes Gzip::pack(BytesView input) {
    crc_.process_bytes(input.data(), input.size());
    size_ += static_cast<std::uint32_t>(input.size());
    return run(input, zlib::Flush::none);
}

Bytes Gzip::finish() {
    Bytes out = run({}, zlib::Flush::finish);
    put_le32(out, crc_.checksum());
    put_le32(out, size_);
    return out;
}

}  // namespace ipfscluster::ipfs_rpc
