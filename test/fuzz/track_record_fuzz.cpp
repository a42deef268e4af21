#include "tracker/track_record.hpp"

#include "fuzz.hpp"

// Rows of the tracker: what is read is written the same; error texts are cut between characters.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    tracker::TrackRecord record;
    record.phase = tracker::TrackRecord::Phase::pin_error;
    record.modification_index = 300;
    record.attempts = 3;
    record.since = Time(std::chrono::seconds(1767225600));
    record.next_retry = Time(std::chrono::nanoseconds(1767225600123456789));
    record.size_bytes = 1u << 20;
    record.error = "no \xc3\xa9";
    tracker::TrackRecord pinned;
    return {tracker::encode(record), tracker::encode(pinned),
            Bytes(tracker::kErrorTextMax - 1, 'x') + "\xf0\x9f\x98\x80"};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    const auto text = tracker::shorten(Bytes(in));
    fuzz::require(text.size() <= tracker::kErrorTextMax, "an error text is bounded");
    const auto record = tracker::decode_record(in);
    if (!record) return 0;
    const auto again = tracker::decode_record(tracker::encode(record.value()));
    fuzz::require(again && again.value() == record.value(), "a record is read again");
    return 0;
}
