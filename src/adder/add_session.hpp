#pragma once
#include <memory>
#include <vector>

#include "adder/block_fanout.hpp"
#include "component/cluster_api.hpp"
#include "dag/importer.hpp"

namespace ipfscluster::adder {

/// Uploads are cut into writes of at most this size: between two, blocks go out and others get the
/// strand.
inline constexpr std::size_t kWriteBytesMax = 256 * 1024;
/// A write at least this large is chunked and hashed away from the strand.
inline constexpr std::size_t kOffloadBytesMin = 32 * 1024;
/// With more entries than this so far, the end of a directory is built away from the strand.
inline constexpr std::size_t kOffloadEntriesMin = 1000;

/// What an add needs of its peer. Implemented by the cluster; kept by the session. One strand.
class AddBackend {
 public:
    virtual ~AddBackend() = default;
    virtual PeerId self() const = 0;
    /// Peers for a pin with these options (reference/http 4.3: all live ones when the factors say
    /// everywhere).
    virtual Async<std::vector<PeerId>> allocate(Pin pin) = 0;
    /// A session on that peer, ours included.
    virtual Async<std::unique_ptr<component::BlockSession>> open_blocks(PeerId peer) = 0;
    /// Commits the pin; its allocations have been chosen.
    virtual Async<Pin> commit_pin(Pin pin) = 0;
    /// Factors of the configuration for options that leave them open.
    virtual std::pair<int, int> default_replication() const = 0;
};

/// Checks the parameters and makes a session; `invalid` names the option that is wrong.
Result<std::unique_ptr<component::AddSession>> make_add_session(World& world,
                                                                std::shared_ptr<AddBackend> backend,
                                                                component::AddParams params);

}  // namespace ipfscluster::adder
