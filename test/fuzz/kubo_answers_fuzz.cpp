#include "fuzz.hpp"
#include "http/ndjson.hpp"
#include "ipfs/http/kubo_answers.hpp"

// Everything a Kubo daemon (or who pretends to be one) answers.
namespace ipfscluster::fuzz {
namespace {

using namespace ipfshttp;

template <class T>
void explained(const Result<T>& parsed) {
    require(parsed || !parsed.error().text.empty(), "a refusal says why");
}

void id(BytesView in) {
    const auto parsed = parse_id(in);
    explained(parsed);
    if (parsed) require(!parsed.value().id.empty(), "an id has a peer");
}
void pin_add(BytesView in) {
    const auto parsed = parse_pin_add(in);
    explained(parsed);
    if (!parsed) return;
    for (const auto& cid : parsed.value().pins) require(cid.defined(), "a pin has a CID");
}
void pin_row(BytesView in) {
    const auto parsed = parse_pin_row(in);
    explained(parsed);
    if (!parsed) return;
    require(parsed.value().cid.defined(), "a row has a CID");
    const auto status = parsed.value().status;
    require(status == IpfsPinStatus::recursive || status == IpfsPinStatus::direct ||
                status == IpfsPinStatus::indirect,
            "a row says how it is pinned");
}
void pins(BytesView in) {
    explained(parse_pins(in));
}
void repo_stat(BytesView in) {
    explained(parse_repo_stat(in));
}
void gc_row(BytesView in) {
    const auto parsed = parse_gc_row(in);
    explained(parsed);
    if (parsed)
        require(parsed.value().key.defined() || !parsed.value().error.empty(),
                "a row has a key or an error");
}
void swarm_peers(BytesView in) {
    explained(parse_swarm_peers(in));
}
void resolve(BytesView in) {
    const auto parsed = parse_resolve(in);
    explained(parsed);
    if (parsed) require(parsed.value().defined(), "a path leads to a CID");
}
void block_row(BytesView in) {
    const auto parsed = parse_block_row(in);
    explained(parsed);
    if (parsed) require(!parsed.value().empty(), "a block has a multihash");
}
void files_stat(BytesView in) {
    const auto parsed = parse_files_stat(in);
    explained(parsed);
    if (parsed) require(parsed.value().cid.defined(), "a file has a CID");
}
void ls_row(BytesView in) {
    const auto parsed = parse_ls_row(in);
    explained(parsed);
    if (!parsed) return;
    for (const auto& entry : parsed.value()) require(entry.cid.defined(), "an entry has a CID");
}
void error(BytesView in) {
    const auto words = error_words(in);
    require(words.size() <= std::max(in.size(), kWordsMax), "words come from the body");
    for (const int status : {200, 400, 403, 404, 500, 503})
        require(!daemon_error("pin/add", status, words, "self").text.empty(),
                "an error has a text");
}
/// A stream of lines in pieces, as next_line reads it.
void lines(BytesView in) {
    http::LineSplitter splitter(4096);
    for (Pieces pieces(in); !pieces.empty();) {
        if (!splitter.feed(pieces.next())) return;
        while (const auto line = splitter.next()) pin_row(*line);
    }
    pin_row(splitter.rest());
}

using Check = void (*)(BytesView);
constexpr Check kChecks[] = {id,      pin_add,   pin_row,    pins,   repo_stat, gc_row, swarm_peers,
                             resolve, block_row, files_stat, ls_row, error,     lines};
constexpr std::size_t kCheckCount = std::size(kChecks);

}  // namespace

std::vector<Bytes> seeds() {
    const std::string v0 = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    const std::string v1 = "bafkreiem4twkqzsq2aj4shbycd4yvoj2cx72vezicletlhi7dijjciqpui";
    const std::string peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    return {
        chosen(0, R"({"ID":")" + peer + R"(","Addresses":["/ip4/127.0.0.1/tcp/4001"]})"),
        chosen(1, R"({"Progress":7,"Bytes":1500000})"),
        chosen(1, R"({"Pins":[")" + v0 + "\"]}"),
        chosen(2, R"({"Cid":")" + v1 + R"(","Name":"","Type":"recursive"})"),
        chosen(2, R"({"Cid":")" + v1 + R"(","Type":"indirect through )" + v0 + "\"}"),
        chosen(3, R"({"Pins":[")" + v0 + "\",\"" + v1 + "\"]}"),
        chosen(4, R"({"RepoSize":12,"StorageMax":18446744073709551615})"),
        chosen(5, R"({"Key":{"/":")" + v0 + "\"}}"),
        chosen(5, R"({"Error":"it broke"})"),
        chosen(6, R"({"Peers":[{"Addr":"/ip4/1.2.3.4/tcp/1","Peer":")" + peer + "\"}]}"),
        chosen(7, R"({"Path":"/ipfs/)" + v1 + "/\"}"),
        chosen(8, R"({"Key":")" + v1 + R"(","Size":1})"),
        chosen(9, R"({"Hash":")" + v1 + R"(","Size":12,"Type":"file"})"),
        chosen(10, R"({"Objects":[{"Links":[{"Name":"a","Hash":")" + v1 +
                       R"(","Size":5,"Type":2}]}]})"),
        chosen(11, "A/B\n{\"A\":{\"B\":[1,null]}}"),
        chosen(12, R"({"Message":"no space left on device","Code":0,"Type":"error"})"),
        chosen(13, R"({"Cid":")" + v1 + "\",\"Type\":\"direct\"}\n" + R"({"Cid":")" + v0 +
                       "\",\"Type\":\"recursive\"}\n"),
        chosen(1, Bytes(200, '{')),
    };
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster::fuzz;
    auto in = view(data, size);
    const auto choice = take_byte(in);
    kChecks[choice % kCheckCount](in);
    return 0;
}
