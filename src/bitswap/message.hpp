#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "dag/block.hpp"

namespace ipfscluster::bitswap {

/// Protocols in order of preference; 1.1.0 has no presences (HAVE), but blocks with prefixes.
inline constexpr const char* kBitswap120 = "/ipfs/bitswap/1.2.0";
inline constexpr const char* kBitswap110 = "/ipfs/bitswap/1.1.0";

/// Largest message read, its length prefix aside: one block of the largest size and what surrounds
/// it (the reference implementation reads 4 MiB).
inline constexpr std::size_t kMessageBytesMax = dag::kBlockBytesMax + 64 * 1024;
/// Want-list entries, presences and blocks accepted in one message.
inline constexpr std::size_t kMessageItemsMax = 16 * 1024;

enum class WantType : std::uint8_t { block = 0, have = 1 };

struct WantEntry {
    Cid cid;
    std::int32_t priority = 1;
    bool cancel = false;
    WantType type = WantType::block;
    bool send_dont_have = false;
    friend bool operator==(const WantEntry&, const WantEntry&) = default;
};

struct Presence {
    Cid cid;
    bool have = false;
    friend bool operator==(const Presence&, const Presence&) = default;
};

/// One bitswap message (https://specs.ipfs.tech/bitswap-protocol/). A plain value.
struct Message {
    std::vector<WantEntry> wants;
    bool full = false;  ///< the wants replace what the sender wanted before
    std::vector<dag::Block> blocks;
    std::vector<Presence> presences;
    std::int32_t pending_bytes = 0;

    bool empty() const { return wants.empty() && !full && blocks.empty() && presences.empty(); }
};

/// The protobuf message behind its uvarint length, with the fields and order that Go writes.
Bytes encode_message(const Message& message);
/// A protobuf message without the length. The CID of each block is computed from its bytes, so it
/// always matches them; a block with a hash we cannot compute is left out. `corrupt` says what is
/// wrong.
Result<Message> decode_message(BytesView bytes);

}  // namespace ipfscluster::bitswap
