#pragma once
#include <functional>
#include <string>

#include "component/ipfs_connector.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::content {

/// Deepest directory put into an archive.
inline constexpr std::size_t kTarDepthMax = 256;

/// Takes the bytes of an answer piece by piece.
using ByteSink = std::function<Async<>(Bytes piece)>;

/// Writes what `info` describes as a tar archive whose root entry is called `name`. Holds one piece
/// of a file and one open listing per level. Fails with the cause when a block cannot be had; then
/// the archive is not complete.
Async<> write_tar(component::IpfsConnector& ipfs, ByteSink sink, component::FileInfo info,
                  std::string name);

}  // namespace ipfscluster::content
