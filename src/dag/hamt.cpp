#include "dag/hamt.hpp"

#include <algorithm>
#include <bit>

#include "dag/directory_builder.hpp"
#include "dag/murmur3.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster::dag {
namespace {

std::string hex_prefix(std::size_t index, std::size_t digits) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out(digits, '0');
    for (auto at = digits; at-- > 0; index >>= 4) out[at] = kDigits[index & 15];
    return out;
}

struct HashedEntry {
    std::uint64_t hash;
    const DirectoryEntryView* entry;
};

/// Writes the shard over a run of entries, sorted by hash, that share their first `depth` hash
/// bytes.
class HamtWriter {
 public:
    HamtWriter(const CidBuilder& cids, const BlockSink& sink) : cids_(cids), sink_(sink) {}

    Result<DagNodeInfo> write(const HashedEntry* begin, const HashedEntry* end, std::size_t depth) {
        if (depth == kHamtDepthMax)
            return fail(Kind::unsupported, "the names \"" + std::string(begin->entry->name) +
                                               "\" and \"" + std::string((begin + 1)->entry->name) +
                                               "\" have the same hash");
        const auto slot_of = [depth](const HashedEntry& e) {
            return static_cast<std::size_t>(e.hash >> (56 - 8 * depth) & 0xff);
        };
        std::vector<PbLink> links;
        // Most significant byte first: slot 0 is the lowest bit of the last byte.
        Bytes bitfield(kHamtFanout / 8, '\0');
        for (const auto* run = begin; run != end;) {
            const auto slot = slot_of(*run);
            const auto* next =
                std::find_if(run, end, [&](const auto& e) { return slot_of(e) != slot; });
            bitfield[bitfield.size() - 1 - slot / 8] |= static_cast<char>(1u << slot % 8);
            ICL_TRY(auto link, link_to(run, next, depth));
            link.name.insert(0, hamt_prefix(slot));
            links.push_back(std::move(link));
            run = next;
        }
        bitfield.erase(0, std::min(bitfield.find_first_not_of('\0'), bitfield.size()));
        return seal(links, std::move(bitfield));
    }

 private:
    Result<PbLink> link_to(const HashedEntry* begin, const HashedEntry* end, std::size_t depth) {
        if (end - begin == 1) {
            const auto& entry = *begin->entry;
            ICL_TRY(auto cid, Cid::from_bytes(entry.cid));
            return PbLink{std::move(cid), std::string(entry.name), entry.tsize};
        }
        ICL_TRY(auto shard, write(begin, end, depth + 1));
        return PbLink{shard.cid, {}, shard.tsize};
    }

    Result<DagNodeInfo> seal(const std::vector<PbLink>& links, Bytes bitfield) {
        UnixfsData message;
        message.type = UnixfsType::hamt_shard;
        message.data = std::move(bitfield);
        message.hash_type = static_cast<std::uint64_t>(HashCode::murmur3_x64_64);
        message.fanout = kHamtFanout;
        auto data = encode_dag_pb(links, encode_unixfs(message));
        DagNodeInfo node;
        node.tsize = data.size();
        for (const auto& link : links) node.tsize += link.tsize;
        ICL_TRY(auto cid, cids_.make(Codec::dag_pb, data));
        node.cid = cid;
        ICL_TRY(sink_(Block{std::move(cid), std::move(data)}));
        return node;
    }

    const CidBuilder& cids_;
    const BlockSink& sink_;
};

Error malformed(const char* what) {
    return {Kind::corrupt, std::string("HAMT directory: ") + what};
}

}  // namespace

std::string hamt_prefix(std::size_t index) {
    return hex_prefix(index, 2);
}

Result<DagNodeInfo> build_hamt(std::vector<DirectoryEntryView>& entries, const CidBuilder& cids,
                               const BlockSink& sink) {
    std::vector<HashedEntry> hashed;
    hashed.reserve(entries.size());
    for (const auto& entry : entries) hashed.push_back({murmur3_x64_64(entry.name), &entry});
    std::sort(hashed.begin(), hashed.end(),
              [](const auto& a, const auto& b) { return a.hash < b.hash; });
    return HamtWriter(cids, sink).write(hashed.data(), hashed.data() + hashed.size(), 0);
}

Result<std::string> HamtShard::slot_prefix(std::uint64_t hash, std::size_t bits_used) const {
    const auto end = bits_used + static_cast<std::size_t>(bits);
    if (end > 64) return fail(malformed("too deep"));
    const auto slot = hash << bits_used >> (64 - bits);
    return hex_prefix(slot, prefix_size);
}

Result<HamtShard> to_hamt_shard(PbNode node, const UnixfsData& message) {
    HamtShard shard;
    shard.fanout = message.fanout.value_or(0);
    if (!std::has_single_bit(shard.fanout) || shard.fanout < 8 || shard.fanout > kHamtFanoutMax)
        return fail(malformed("the fanout is not a power of two from 8 to 1024"));
    if (message.hash_type != static_cast<std::uint64_t>(HashCode::murmur3_x64_64))
        return fail(malformed("the hash is not murmur3-x64-64"));
    shard.bits = std::countr_zero(shard.fanout);
    shard.prefix_size = static_cast<std::size_t>((std::bit_width(shard.fanout - 1) + 3) / 4);
    for (const auto& link : node.links)
        if (link.name.size() < shard.prefix_size)
            return fail(malformed("a link without its prefix"));
    shard.links = std::move(node.links);
    return shard;
}

}  // namespace ipfscluster::dag
