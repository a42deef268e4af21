#include "blockstore/pin_table.hpp"

namespace ipfscluster::blockstore {
namespace {

// depth be32 (two's complement) ‖ complete u8 ‖ name.
Bytes encode_pin(const PinRecord& record) {
    Bytes out;
    put_be32(out, static_cast<std::uint32_t>(record.depth));
    out.push_back(record.complete ? '\1' : '\0');
    if (record.name.size() <= kPinNameBytesMax) out += record.name;
    return out;
}

Result<PinRecord> decode_pin(const Cid& cid, BytesView bytes) {
    if (bytes.size() < 5 || bytes.size() > 5 + kPinNameBytesMax)
        return fail(Kind::corrupt, "pin record of a wrong length");
    return PinRecord{cid, static_cast<int>(static_cast<std::int32_t>(get_be32(bytes))),
                     bytes[4] != 0, std::string(bytes.substr(5))};
}

}  // namespace

Result<std::optional<PinRecord>> PinTable::get(const Cid& cid) const {
    ICL_TRY(const auto value, rows_.get(kFamily, row_key(kPinRows, cid.bytes())));
    if (!value) return std::optional<PinRecord>{};
    ICL_TRY(auto record, decode_pin(cid, *value));
    return std::optional<PinRecord>(std::move(record));
}

Result<> PinTable::want(const Cid& cid, int depth) {
    storage::Batch batch;
    batch.put(kFamily, row_key(kPinRows, cid.bytes()), encode_pin({cid, depth, false}));
    return rows_.write(std::move(batch));
}

Result<> PinTable::put_back(const Cid& cid, const std::optional<PinRecord>& before) {
    storage::Batch batch;
    auto key = row_key(kPinRows, cid.bytes());
    if (before)
        batch.put(kFamily, std::move(key), encode_pin(*before));
    else
        batch.del(kFamily, std::move(key));
    return rows_.write(std::move(batch));
}

Async<> PinTable::complete(PinRecord record) {
    storage::Batch batch;
    batch.put(kFamily, row_key(kPinRows, record.cid.bytes()),
              encode_pin({record.cid, record.depth, true, record.name}));
    co_return co_await rows_.write_synced(std::move(batch));
}

Async<> PinTable::remove(Cid cid) {
    ICL_CO_TRY(const auto found, get(cid));
    // It may be another removal that is not on the disk yet: who hears that it is gone relies on
    // it.
    if (!found) co_return co_await rows_.sync();
    storage::Batch batch;
    batch.del(kFamily, row_key(kPinRows, cid.bytes()));
    co_return co_await rows_.write_synced(std::move(batch));
}

Result<std::vector<PinRecord>> PinTable::list(const Cid& after, std::size_t limit) const {
    auto from = row_key(kPinRows, after.bytes());
    if (after.defined()) from.push_back('\0');
    auto it = rows_.iterate(kFamily, from, Bytes(1, static_cast<char>(kPinRows + 1)));
    std::vector<PinRecord> records;
    while (records.size() < limit) {
        ICL_TRY(const bool more, it->next());
        if (!more) break;
        ICL_TRY(const auto cid, Cid::from_bytes(it->key().substr(1)));
        ICL_TRY(auto record, decode_pin(cid, it->value()));
        records.push_back(std::move(record));
    }
    return records;
}

}  // namespace ipfscluster::blockstore
