#include "codec/msgpack.hpp"

#include "codec/wire.hpp"
#include "fuzz.hpp"
#include "unit/codec/samples.hpp"

// The scanner, fed piece by piece, and the reader agree where a value ends; both are bounded.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        codec::test::Samples samples(seed);
        out.push_back(codec::to_msgpack(samples.metric()));
        out.push_back(codec::to_msgpack(samples.pin()));
    }
    out.emplace_back("\xdd\xff\xff\xff\xff\xc0", 6);
    out.emplace_back("\xdf\x7f\xff\xff\xff\xa1k", 7);
    out.emplace_back("\xc7\x0c\xff\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    out.emplace_back("\xcb\x7f\xf8\0\0\0\0\0\0\xd3\x80\0\0\0\0\0\0\0", 18);
    out.push_back(Bytes(40, '\x91') + "\xc0");
    std::erase_if(out, [](const Bytes& text) { return text.size() > 4096; });
    return out;
}

namespace {
/// Length of the first value as a stream's reader finds it; 0: not whole, malformed, or too long.
std::size_t scan_pieces(BytesView in) {
    codec::Scanner scanner(8192);
    Pieces pieces(in);
    std::size_t seen = 0;
    while (!pieces.empty()) {
        seen += pieces.next().size();
        const auto end = scanner.scan(in.substr(0, seen));
        if (!end) return 0;
        if (end.value()) {
            require(*end.value() <= seen, "a value ends within what has come");
            require(*end.value() <= 8192, "a value keeps the limit");
            return *end.value();
        }
    }
    return 0;
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    codec::Reader reader(in);
    const bool skipped = reader.skip().has_value();
    const auto end = fuzz::scan_pieces(in);
    if (end != 0)
        fuzz::require(skipped && reader.position() == end, "scanner and reader find the same end");
    if (skipped && reader.position() <= 8192)
        fuzz::require(end == reader.position(), "what the reader takes the scanner takes");
    // Each typed reader on the same bytes.
    (void)codec::Reader(in).signed_int();
    (void)codec::Reader(in).unsigned_int();
    (void)codec::Reader(in).boolean();
    (void)codec::Reader(in).array();
    (void)codec::Reader(in).map();
    if (const auto raw = codec::Reader(in).raw()) {
        Bytes copy;
        codec::Writer(copy).raw(raw.value());
        fuzz::require(codec::Reader(copy).raw().value() == raw.value(), "raw bytes");
    }
    (void)codec::Reader(in).raw_or_timestamp();
    return 0;
}
