#include "dag/ipld.hpp"

#include "fuzz.hpp"

// Blocks as values of the data model: what was read is written canonically, and that is read as the
// same value.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {chosen(0, R"({"a":[1,-2,3.5,true,null,"t\u00e9xt\n"],"b":{"/":{"bytes":"AQID"}}})"),
            chosen(0, R"({"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"})"),
            chosen(0, R"("\ud83d\ude00" )"),
            chosen(1, Bytes("\xa2\x61\x61\x01\x61\x62\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00", 15)),
            chosen(1, Bytes("\x84\x20\xf5\xf6\x43\x01\x02\x03", 8)),
            chosen(1, Bytes(150, '\x81') + "\x01"),
            chosen(2, Bytes("\x0a\x02\x08\x01", 4))};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    using fuzz::require;
    auto in = fuzz::view(data, size);
    constexpr Codec kCodecs[] = {Codec::dag_json, Codec::dag_cbor, Codec::dag_pb};
    const auto codec = static_cast<std::uint64_t>(kCodecs[fuzz::take_byte(in) % 3]);
    const auto node = dag::decode_ipld(codec, in);
    if (!node) return 0;
    const auto written = dag::encode_ipld(codec, node.value());
    require(written.has_value(), "what was read can be written");
    const auto again = dag::decode_ipld(codec, written.value());
    if (codec != static_cast<std::uint64_t>(Codec::dag_json)) {
        require(again.has_value(), "what was written can be read");
        require(dag::encode_ipld(codec, again.value()).value() == written.value(),
                "writing is canonical");
    } else if (again) {
        // ECMAScript's form loses that a number like 1.0 or -0.0 was no integer, once.
        const auto settled = dag::encode_ipld(codec, again.value()).value();
        const auto last = dag::decode_ipld(codec, settled);
        require(last && dag::encode_ipld(codec, last.value()).value() == settled,
                "writing is canonical");
    }
    // Every value but some of CBOR's numbers can be shown as JSON.
    (void)dag::encode_ipld(static_cast<std::uint64_t>(Codec::dag_json), node.value());
    std::vector<Cid> links;
    dag::collect_links(node.value(), links);
    return 0;
}
