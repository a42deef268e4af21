#include "fuzz.hpp"
#include "http/message.hpp"
#include "http/parser.hpp"

// Requests and responses in pieces: the parser goes on or stops, never further than its input, and
// what it finds does not depend on where the pieces end.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {
        "GET /id?a=b%20c HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4\r\n\r\n",
        "POST /add HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-E\r\n\r\n"
        "5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nX-E: none\r\n\r\n",
        "PUT / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Stream-Error: "
        "e\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "GET / HTTP/1.1\r\nA: b\r\n c\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    };
}

namespace {
constexpr std::size_t kHeadMax = 4096;

struct Seen {
    bool good = false;
    std::string target;
    std::string head;
    std::string trailers;
    Bytes body;
    friend bool operator==(const Seen&, const Seen&) = default;
};

/// As a connection does it: bytes that were not used come again with the next piece.
template <bool kIsRequest, class Cutter>
Seen parse(BytesView in, Cutter cut) {
    http::MessageParser<kIsRequest> parser(kHeadMax);
    Seen seen;
    Bytes buffer;
    bool broken = false;
    while (!broken && !parser.is_done() && !in.empty()) {
        const BytesView piece = cut(in);
        buffer += piece;
        in.remove_prefix(piece.size());
        while (!parser.is_done() && !buffer.empty()) {
            const auto used = parser.feed(buffer);
            if (!used) {
                broken = true;
                break;
            }
            require(used.value() <= buffer.size(), "no more is used than there is");
            seen.body += parser.body;
            parser.body.clear();
            if (used.value() == 0) break;
            buffer.erase(0, used.value());
        }
        require(parser.is_header_done() || broken || buffer.size() <= 2 * kHeadMax + 1024,
                "an endless head is refused");
    }
    if (broken) {
        require(!parser.feed("GET"), "a broken message stays broken");
        return {};
    }
    if (!parser.is_done() && !parser.feed_end()) return {};
    seen.good = true;
    seen.target = parser.method + " " + parser.target;
    parser.headers.write_to(seen.head);
    parser.trailers.write_to(seen.trailers);
    return seen;
}

template <bool kIsRequest>
void check(BytesView in) {
    const auto whole = parse<kIsRequest>(in, [](BytesView rest) { return rest; });
    const auto bytewise = parse<kIsRequest>(in, [](BytesView rest) { return rest.substr(0, 1); });
    require(whole == bytewise, "pieces do not change what is read");
    if (!kIsRequest || !whole.good) return;
    http::Request request;
    (void)request.set_target(BytesView(whole.target).substr(whole.target.find(' ') + 1));
    require(request.path.size() <= whole.target.size(), "a path does not grow");
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster::fuzz;
    const auto in = view(data, size);
    if (size > 16 * 1024) return 0;  // bytewise over large inputs only costs time
    check<true>(in);
    check<false>(in);
    return 0;
}
