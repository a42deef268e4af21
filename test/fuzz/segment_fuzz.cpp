#include <filesystem>
#include <fstream>

#include "blockstore/rows.hpp"
#include "blockstore/segment_file.hpp"
#include "fuzz.hpp"
#include "support/temp_folder.hpp"

// What lies on the disk of the block store: segment files after a crash, and rows of the index.
namespace ipfscluster::fuzz {
namespace {

using namespace blockstore;

Bytes records() {
    Bytes out = encode_segment_header();
    for (const char* data : {"one", "two", ""})
        append_record(out, multihash_digest(HashCode::sha2_256, data).value(), data);
    append_record(out, multihash_digest(HashCode::identity, "x").value(), Bytes(5000, 'd'));
    return out;
}

void check_record(BytesView in) {
    while (true) {
        RecordView record;
        const auto state = read_record(in, record);
        if (record.bytes != 0) require(record.bytes <= kRecordBytesMax, "a record is bounded");
        if (state != RecordState::good) return;
        require(record.bytes <= in.size(), "a good record is whole");
        Bytes again;
        append_record(again, record.multihash, record.data);
        require(again == in.substr(0, record.bytes), "a good record is written the same");
        in.remove_prefix(record.bytes);
    }
}

void check_rows(BytesView in) {
    if (const auto row = decode_block_row(in))
        require(encode_block_row(row.value()) == in, "a block row is written the same");
    if (const auto state = decode_log_state(in))
        require(encode_log_state(state.value()) == in, "a log state is written the same");
}

void check_scan(BytesView in) {
    static const test::TempFolder folder;
    const auto path = segment_path(folder.path(), 1);
    std::filesystem::remove(path);  // a truncated file would be synced at its close
    std::ofstream(path, std::ios::binary | std::ios::trunc) << in;
    const auto file = SegmentFile::open(folder.path(), 1, false);
    require(file.has_value(), "the file opens");
    ScanPlace place{kSegmentHeaderBytes, kSegmentHeaderBytes};
    for (std::size_t steps = 0;; ++steps) {
        require(steps <= in.size() + 1, "a scan comes to an end");
        const auto scan = scan_segment(*file.value(), place, true);
        if (!scan) return;
        for (const auto& record : scan.value().records) {
            require(record.at.offset >= place.offset && record.at.offset < in.size(),
                    "records lie in the file");
            RecordView found;
            require(read_record(in.substr(record.at.offset), found) == RecordState::good &&
                        found.data == record.data && found.multihash == record.multihash,
                    "a scan gives what stands there");
        }
        require(scan.value().next.good_end <= in.size() || scan.value().records.empty(),
                "what is good lies in the file");
        if (scan.value().end) return;
        require(scan.value().next.offset > place.offset, "a scan moves on");
        place = scan.value().next;
    }
}
}  // namespace

std::vector<Bytes> seeds() {
    const auto whole = records();
    auto damaged = whole;
    damaged[kSegmentHeaderBytes + kRecordHeaderBytes + 3] ^= 1;
    auto lost = whole;  // a length that cannot be
    lost[kSegmentHeaderBytes] = '\x7f';
    return {
        whole, whole.substr(kSegmentHeaderBytes),   whole.substr(0, whole.size() - 10),    damaged,
        lost,  encode_block_row({{1, 16}, 100, 7}), encode_log_state({{2, 16}, 5, 6, 700})};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    (void)blockstore::check_segment_header(in);
    fuzz::check_record(in);
    fuzz::check_rows(in);
    fuzz::check_scan(in);
    return 0;
}
