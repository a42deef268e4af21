#include "dag/car.hpp"

#include "fuzz.hpp"

// A CAR file in pieces: blocks match their CIDs, and pieces do not change what is read.
namespace ipfscluster::fuzz {
namespace {

Bytes section(BytesView data, HashCode hash = HashCode::sha2_256) {
    const auto cid = dag::CidBuilder{1, hash}.make(Codec::raw, data).value();
    return dag::car_section_head(cid, data.size()).append(data);
}

struct Seen {
    std::vector<Bytes> blocks;
    std::optional<std::vector<Cid>> roots;
    friend bool operator==(const Seen&, const Seen&) = default;
};

template <class Cutter>
std::optional<Seen> read(BytesView in, bool verify, Cutter cut) {
    dag::CarReader reader(verify);
    Seen seen;
    while (!in.empty()) {
        const BytesView piece = cut(in);
        in.remove_prefix(piece.size());
        reader.feed(piece);
        while (true) {
            const auto block = reader.next();
            if (!block) return std::nullopt;
            if (!block.value()) break;
            if (verify)
                require(dag::verify_block(block.value()->cid, block.value()->data).has_value(),
                        "a block matches its CID");
            seen.blocks.push_back(block.value()->cid.bytes() + block.value()->data);
        }
    }
    if (!reader.finish()) return std::nullopt;
    seen.roots = reader.roots();
    return seen;
}
}  // namespace

std::vector<Bytes> seeds() {
    const auto root = dag::CidBuilder{1, HashCode::sha2_256}.make(Codec::raw, "a").value();
    const auto start = dag::car_start({root});
    return {start + section("a") + section(Bytes(300, 'b')),
            start + section("", HashCode::identity) + section("x", HashCode::blake2b_256), start,
            Bytes("\x0a\xa1gversion\x02", 11), start + Bytes("\xff\xff\xff\xff\x7f", 5)};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    using namespace ipfscluster::fuzz;
    const auto in = view(data, size);
    for (const bool verify : {true, false}) {
        const auto whole = read(in, verify, [](BytesView rest) { return rest; });
        const auto pieces = read(in, verify, [](BytesView rest) { return rest.substr(0, 7); });
        require(whole == pieces, "pieces do not change what is read");
    }
    return 0;
}
