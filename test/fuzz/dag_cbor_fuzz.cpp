#include "dag/dag_cbor.hpp"

#include "fuzz.hpp"
#include "support/pins.hpp"

// CBOR blocks: links are found without recursion beyond the limit; maps of links and CAR headers
// are written as they were read.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {dag::encode_link_map({test::cid(1), test::cid(2), test::cid(3)}),
            dag::encode_car_header({test::cid(1)}),
            dag::encode_car_header({}),
            Bytes("\x83\x01\x20\xf9\x3c\x00", 6),
            Bytes("\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9),
            Bytes(200, '\x81') + "\x01",
            Bytes("\xa1\x61k\x5a\x00\x00\x00\x02hi", 10)};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    const auto links = dag::dag_cbor_links(in);
    if (const auto map = dag::decode_link_map(in)) {
        fuzz::require(dag::encode_link_map(map.value()) == in, "a map of links is canonical");
        fuzz::require(links && links.value().size() == map.value().size(), "its links are found");
    }
    if (const auto roots = dag::decode_car_header(in)) {
        const auto again = dag::decode_car_header(dag::encode_car_header(roots.value()));
        fuzz::require(again && again.value() == roots.value(), "a CAR header is read again");
    }
    return 0;
}
