#include "state/work.hpp"

namespace ipfscluster::state {

namespace {
constexpr std::size_t kPrefixBytes = 1 + 8;
}

Bytes work_lane_key(WorkLane lane, std::uint64_t number) {
    Bytes key(1, static_cast<char>(lane));
    put_be64(key, number);
    return key;
}

Bytes work_lane_end(WorkLane lane) {
    return Bytes(1, static_cast<char>(static_cast<int>(lane) + 1));
}

Bytes work_key(const WorkRow& row) {
    return work_lane_key(row.lane, row.number).append(row.cid.bytes());
}

Result<WorkRow> parse_work_key(BytesView key) {
    if (key.size() <= kPrefixBytes || key[0] < 1 || key[0] > 5)
        return fail(Kind::corrupt, "work row with a malformed key");
    auto cid = Cid::from_bytes(key.substr(kPrefixBytes));
    if (!cid) return fail(Kind::corrupt, "work row: " + cid.error().text);
    return WorkRow{static_cast<WorkLane>(key[0]), get_be64(key.substr(1)), std::move(cid.value())};
}

}  // namespace ipfscluster::state
