#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace ipfscluster::http {

inline constexpr std::size_t kTarBlock = 512;

enum class TarType : char { file = '0', symlink = '2', directory = '5' };

/// The header blocks of one entry: POSIX ustar, with a pax header before it where a name, a target
/// or a size does not fit (POSIX.1-2017 pax 4). Mode 0644 or 0755, owner and time zero: IPFS keeps
/// none. Pure.
std::string tar_header(TarType type, std::string_view path, std::uint64_t size,
                       std::string_view link_target = {});
/// What fills the last block of a file of that size.
std::string tar_padding(std::uint64_t size);
/// The end of an archive.
std::string tar_end();
/// A block no reader takes for a header: ends a broken archive so that it cannot pass for a whole
/// one.
std::string tar_damage(std::string_view reason);

}  // namespace ipfscluster::http
