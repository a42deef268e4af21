#include "base/time.hpp"

#include "fuzz.hpp"

// A duration or time that is accepted is written and read back without loss.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {"1h30m",
            "300ms",
            "1.5s",
            "-2m3.000000001s",
            "0",
            "9223372036854775807ns",
            "2562047h47m16.854775807s",
            "1\xc2\xb5s",
            "0001-01-01T00:00:00Z",
            "2026-01-02T03:04:05.123456789Z",
            "1970-01-01T00:00:00Z",
            "2262-04-11T23:47:16.854775807Z",
            "1677-09-21T00:12:43.145224193Z",
            "2020-02-29T23:59:59+14:00"};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    if (const auto duration = parse_go_duration(in)) {
        const auto again = parse_go_duration(format_go_duration(duration.value()));
        fuzz::require(again && again.value() == duration.value(), "a duration is read again");
    }
    if (const auto time = parse_rfc3339(in)) {
        const auto again = parse_rfc3339(format_rfc3339(time.value()));
        fuzz::require(again && again.value() == time.value(), "a time is read again");
        (void)truncate_to_seconds(time.value());
    }
    return 0;
}
