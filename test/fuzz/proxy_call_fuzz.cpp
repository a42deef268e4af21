#include "api/ipfsproxy/add_query.hpp"
#include "api/ipfsproxy/call.hpp"
#include "api/ipfsproxy/put_row.hpp"
#include "fuzz.hpp"

// A request target and a daemon's row as the IPFS proxy reads them: what is passed on without `pin`
// asks for no pin, and what is understood as a path is understood the same again.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {
        "/api/v0/pin/"
        "add?arg=QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n&arg=%2Fipfs%2Fbafy&recursive=false&"
        "name=a+b",
        "/api/v0/pin/ls/"
        "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e?type=all&stream=true&cid-base="
        "base16",
        "/api/v0/pin/update?arg=/ipfs/QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n/"
        "a&arg=b&unpin=0",
        "/api/v0/block/put?p%69n=true&pin=false&format=raw&&x",
        "/api/v0/dag/put?pin&store-codec=dag-cbor",
        "/api/v0/"
        "add?pin=false&trickle=true&chunker=size-1&hash=blake3&pin-name=x&cid-version=1&mode=0644",
        "/api/v0/repo/gc?stream-errors=true",
        "{\"Key\":\"bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e\",\"Size\":3}",
        "{\"Cid\":{\"/\":\"QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n\"}}"};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    using namespace ipfscluster::ipfsproxy;
    const auto in = fuzz::view(data, size);
    (void)parse_put_row(Op::block_put, in);
    (void)parse_put_row(Op::dag_put, in);
    const auto path = parse_content_path(in);
    if (path) {
        const auto again = parse_content_path(path.value().text);
        fuzz::require(again && again.value().text == path.value().text &&
                          again.value().cid == path.value().cid,
                      "a path is read again");
    }
    http::Request request;
    if (!request.set_target(in)) return 0;
    const auto call = parse_call(http::Method::post, request.path, request.query);
    const auto stripped = target_without_pin(in);
    http::Request without;
    fuzz::require(without.set_target(stripped), "what is passed on is a target");
    const auto passed = parse_call(http::Method::post, without.path, without.query);
    if (!call) return 0;
    fuzz::require(passed.has_value(), "leaving out an option spoils nothing");
    if (call.value().op == Op::block_put || call.value().op == Op::dag_put)
        fuzz::require(passed.value().op == Op::pass, "nothing is left that asks for a pin");
    (void)CidWriter::from(call.value().query);
    (void)parse_kubo_add(call.value().query, Time(std::chrono::seconds(1'700'000'000)));
    return 0;
}
