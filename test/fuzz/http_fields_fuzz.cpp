#include "fuzz.hpp"
#include "http/auth.hpp"
#include "http/header_params.hpp"
#include "http/jwt.hpp"
#include "http/multipart_reader.hpp"
#include "http/ndjson.hpp"
#include "http/range.hpp"

// Values of header fields, and lines of a stream of documents.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {"bytes=0-99",
            "bytes=-5",
            "bytes=18446744073709551615-",
            "form-data; name=\"file\"; filename*=UTF-8''a%20b.txt",
            "multipart/form-data; boundary=\"a b\"; x=\"\\\"\"",
            "Basic dXNlcjpwYXNz",
            "Bearer " + http::issue_jwt("user", "pass"),
            "{\"a\":1}\n\n{\"b\":2}\r\nrest"};
}

namespace {
void check_range(BytesView in) {
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, ~std::uint64_t{0}}) {
        const auto answer = http::parse_range(in, size);
        if (answer.kind != http::RangeKind::part) continue;
        require(answer.range.length > 0, "a part is not empty");
        require(answer.range.first < size && answer.range.length <= size - answer.range.first,
                "a part lies inside");
    }
}

void check_auth(BytesView in) {
    const http::Credentials credentials{{"user", "pass"}, {"other", "word"}};
    http::Request request;
    (void)request.set_target("/id");
    request.headers.add("Authorization", in);
    const Time now = Time(std::chrono::seconds(1'700'000'000));
    const auto verdict = http::authenticate(credentials, "realm", request, now);
    if (verdict.allowed)
        require(credentials.contains(verdict.user), "who is allowed is somebody");
    else
        require(verdict.reason.starts_with("unauthorized"), "a refusal says so");
}

void check_lines(BytesView in) {
    constexpr std::size_t kLineMax = 64;
    http::LineSplitter lines(kLineMax);
    Pieces pieces(in);
    std::size_t bytes = 0;
    while (!pieces.empty()) {
        if (!lines.feed(pieces.next())) return;
        while (const auto line = lines.next()) {
            require(!line->empty() && line->size() <= kLineMax, "a line keeps the limit");
            bytes += line->size();
        }
    }
    require(bytes + lines.rest().size() <= in.size(), "lines are made of the input");
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    fuzz::check_range(in);
    if (const auto params = http::parse_header_params(in))
        for (const auto& [name, value] : params.value().params)
            fuzz::require(!name.empty() && value.size() <= size, "a parameter has a name");
    if (const auto boundary = http::multipart_boundary(in))
        fuzz::require(
            !boundary.value().empty() && boundary.value().size() <= http::kBoundaryBytesMax,
            "a boundary is bounded");
    fuzz::check_auth(in);
    fuzz::check_lines(in);
    return 0;
}
