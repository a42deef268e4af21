#pragma once
#include <cstdint>

#include "base/bytes.hpp"

namespace ipfscluster::blockstore {

/// CRC-32C (Castagnoli, as in iSCSI, RFC 3720 B.4) of `data`, going on from `crc` (0 at the start).
/// Uses the processor's instruction where there is one. Any thread.
std::uint32_t crc32c(BytesView data, std::uint32_t crc = 0);

/// The same by table, for machines without the instruction; public so that a test compares both.
std::uint32_t crc32c_portable(BytesView data, std::uint32_t crc = 0);

}  // namespace ipfscluster::blockstore
