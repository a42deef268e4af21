#include "tracker/track_record.hpp"

#include "base/varint.hpp"

namespace ipfscluster::tracker {

namespace {
constexpr char kVersion = 1;
constexpr std::size_t kFixedBytes = 1 + 1 + 3 * 8;

void put_time(Bytes& out, Time t) {
    put_be64(out, static_cast<std::uint64_t>(t.time_since_epoch().count()));
}
Time get_time(BytesView in) {
    return Time(Duration(static_cast<std::int64_t>(get_be64(in))));
}
}  // namespace

Bytes encode(const TrackRecord& record) {
    Bytes out{kVersion, static_cast<char>(record.phase)};
    put_be64(out, record.modification_index);
    put_time(out, record.since);
    put_time(out, record.next_retry);
    put_uvarint(out, record.attempts);
    put_uvarint(out, record.size_bytes);
    return out.append(record.error);
}

Result<TrackRecord> decode_record(BytesView bytes) {
    if (bytes.size() < kFixedBytes) return fail(Kind::corrupt, "tracker row cut short");
    if (bytes[0] != kVersion) return fail(Kind::unsupported, "tracker row made by a newer version");
    if (bytes[1] < 1 || bytes[1] > 4)
        return fail(Kind::corrupt, "tracker row with an unknown phase");
    TrackRecord record;
    record.phase = static_cast<TrackRecord::Phase>(bytes[1]);
    record.modification_index = get_be64(bytes.substr(2));
    record.since = get_time(bytes.substr(10));
    record.next_retry = get_time(bytes.substr(18));
    bytes.remove_prefix(kFixedBytes);
    ICL_TRY(const auto attempts, take_uvarint(bytes));
    record.attempts = static_cast<std::uint32_t>(attempts);
    ICL_TRY(record.size_bytes, take_uvarint(bytes));
    record.error = std::string(bytes);
    return record;
}

Result<TrackRecord> decode_or_failed(BytesView bytes) {
    auto record = decode_record(bytes);
    if (record || record.error().kind != Kind::corrupt) return record;
    TrackRecord failed;
    failed.phase = TrackRecord::Phase::pin_error;
    failed.modification_index = kIndexUnknown;
    failed.error = "what was known of it is damaged: " + record.error().text;
    return failed;
}

std::string shorten(std::string text) {
    if (text.size() <= kErrorTextMax) return text;
    auto end = kErrorTextMax;
    while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
    return text;
}

}  // namespace ipfscluster::tracker
