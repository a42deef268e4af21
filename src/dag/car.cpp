#include "dag/car.hpp"

#include "base/varint.hpp"
#include "dag/dag_cbor.hpp"

namespace ipfscluster::dag {
namespace {

/// A CID in front of each block: version, codec and multihash.
constexpr std::size_t kSectionBytesMax = kBlockBytesMax + kDigestBytesMax + 4 * kVarintBytesMax;

Error malformed(const std::string& what) {
    return {Kind::corrupt, "CAR: " + what};
}

}  // namespace

void CarReader::feed(BytesView data) {
    buffer_.erase(0, at_);
    at_ = 0;
    buffer_ += data;
}

Result<std::optional<BytesView>> CarReader::take_section(std::size_t limit) {
    auto rest = BytesView(buffer_).substr(at_);
    const auto before = rest.size();
    auto length = take_uvarint(rest);
    if (!length) {
        if (before >= kVarintBytesMax) return fail(malformed("bad length of a section"));
        return std::optional<BytesView>{};
    }
    if (length.value() == 0) return fail(malformed("empty section"));
    if (length.value() > limit)
        return fail(
            malformed("a section of " + std::to_string(length.value()) + " bytes is too large"));
    if (length.value() > rest.size()) return std::optional<BytesView>{};
    at_ += before - rest.size() + length.value();
    return std::optional<BytesView>(rest.substr(0, length.value()));
}

Result<std::optional<Block>> CarReader::next() {
    if (!roots_) {
        ICL_TRY(auto header, take_section(kCarHeaderBytesMax));
        if (!header) return std::optional<Block>{};
        ICL_TRY(auto roots, decode_car_header(*header));
        roots_ = std::move(roots);
    }
    ICL_TRY(auto section, take_section(kSectionBytesMax));
    if (!section) return std::optional<Block>{};
    auto cid = Cid::take(*section);
    if (!cid) return fail(malformed(cid.error().text));
    if (verify_hashes_) {
        ICL_TRY(verify_block(cid.value(), *section));
    }
    return std::optional<Block>(Block{std::move(cid).value(), Bytes(*section)});
}

Result<> CarReader::finish() const {
    if (!roots_) return fail(malformed("no header"));
    if (at_ != buffer_.size()) return fail(malformed("ends within a section"));
    return ok();
}

Bytes car_start(const std::vector<Cid>& roots) {
    const auto header = encode_car_header(roots);
    Bytes out;
    put_uvarint(out, header.size());
    return out + header;
}

Bytes car_section_head(const Cid& cid, std::size_t data_size) {
    Bytes out;
    put_uvarint(out, cid.bytes().size() + data_size);
    return out + cid.bytes();
}

}  // namespace ipfscluster::dag
