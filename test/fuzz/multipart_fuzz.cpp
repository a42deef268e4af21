#include "coroutine.hpp"
#include "http/multipart_reader.hpp"
#include "http/multipart_writer.hpp"

// A multipart body in pieces: the reader ends, gives no more than it got, and what it finds does
// not depend on where the pieces end.
namespace ipfscluster::fuzz {

namespace {
constexpr const char* kBoundary = "b0und";
}

std::vector<Bytes> seeds() {
    const std::string head = "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n";
    return {
        "--b0und\r\n" + head + "\r\nhello\r\n--b0und\r\n" + head +
            "Content-Type: application/x-directory\r\n\r\n\r\n--b0und--\r\n",
        "preamble\r\n--b0und  \r\n\r\n\r\n--b0un\r\n--b0und--epilogue",
        "--b0und\r\nA: b\r\n\r\n" + Bytes(3000, '\r') + "\r\n--b0und--",
        "--b0und--\r\n",
        "--b0und\r\n" + Bytes(http::kPartHeaderBytesMax, 'h'),
    };
}

namespace {
struct Seen {
    bool good = false;
    std::string text;
    friend bool operator==(const Seen&, const Seen&) = default;
};

struct Body {
    BytesView rest;
    bool bytewise = false;
};

Async<Bytes> pull(std::shared_ptr<Body> body) {
    const auto piece = body->rest.substr(0, body->bytewise ? 1 : 65536);
    body->rest.remove_prefix(piece.size());
    co_return Bytes(piece);
}

Async<Seen> read_parts(BytesView in, bool bytewise) {
    auto body = std::make_shared<Body>(Body{in, bytewise});
    http::BodyPull source = [body] { return pull(body); };
    http::MultipartReader reader(kBoundary, std::move(source));
    Seen seen;
    std::size_t bytes = 0;
    while (true) {
        auto part = co_await reader.next_part();
        if (!part) co_return Seen{};
        if (!part.value()) break;
        seen.text += "[";
        part.value()->write_to(seen.text);
        seen.text += "]";
        while (true) {
            auto piece = co_await reader.read();
            if (!piece) co_return Seen{};
            if (piece.value().empty()) break;
            bytes += piece.value().size();
            require(bytes <= in.size(), "no more comes out than went in");
            seen.text += piece.value();
        }
    }
    seen.good = true;
    co_return seen;
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    SimWorld world(1);
    const auto whole = fuzz::run(world, fuzz::read_parts(in, false));
    if (size > 8192) return 0;  // bytewise over large inputs only costs time
    const auto bytewise = fuzz::run(world, fuzz::read_parts(in, true));
    fuzz::require(whole.value() == bytewise.value(), "pieces do not change what is read");
    return 0;
}
