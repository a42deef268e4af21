#include "codec/pin_query.hpp"

#include "fuzz.hpp"
#include "model/status.hpp"
#include "unit/codec/samples.hpp"

// Query strings: what is understood as pin options and written again is understood the same.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> out = {
        "replication-min=1&replication-max=2&name=a%20b+c&mode=direct&shard-size=100",
        "expire-in=1h30m&meta-k=v&meta-k2=%F0%9F%98%80",
        "expire-at=2030-01-01T00:00:00Z&replication=-1",
        "user-allocations=12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg,x",
        "pin-update=QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
        "origins=/ip4/1.2.3.4/tcp/1,/dns4/x/tcp/2",
        "pinned,error , queued"};
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        const auto text = codec::format_pin_options(codec::test::Samples(seed).options());
        if (text.size() < 2048) out.push_back(text);
    }
    return out;
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    (void)parse_status_filter(in);
    const Time now = Time(std::chrono::seconds(1'700'000'000));
    const auto query = codec::parse_query(in);
    if (!query) return 0;
    const auto options = codec::parse_pin_options(query.value(), now);
    if (!options) return 0;
    const auto text = codec::format_pin_options(options.value());
    const auto query_again = codec::parse_query(text);
    fuzz::require(query_again.has_value(), "what we write is a query");
    const auto again = codec::parse_pin_options(query_again.value(), now);
    fuzz::require(again.has_value(), "options are read again");
    fuzz::require(codec::format_pin_options(again.value()) == text, "options are written the same");
    return 0;
}
