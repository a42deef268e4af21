#pragma once
#include <deque>
#include <memory>

#include "component/ipfs_connector.hpp"
#include "http/multipart_writer.hpp"
#include "ipfs/http/kubo_client.hpp"

namespace ipfscluster::ipfshttp {

/// Blocks sent to the daemon with one `block/put`.
inline constexpr std::size_t kBatchBytesMax = 2 * 1024 * 1024;
inline constexpr std::size_t kBatchBlocksMax = 256;

/// The blocks of an add on their way into the daemon, in batches: a batch counts once the daemon
/// has named every multihash in it. Kubo keeps blocks under their multihash, so their codec does
/// not matter. Destroyed before its KuboClient; one caller at a time.
class KuboSession final : public component::BlockSession {
 public:
    /// `limit`: longest time without an answer to a batch. `stored` is told how many blocks a batch
    /// held.
    KuboSession(KuboClient& client, Duration limit, std::function<void(std::size_t)> stored);

    Async<> put(Cid cid, Bytes data) override;
    Async<> commit() override;

 private:
    /// Sends what is gathered and waits until the daemon has all of it.
    Async<> flush();
    Async<> read_keys(KuboStreamPtr stream);

    KuboClient& client_;
    Duration limit_;
    std::function<void(std::size_t)> stored_;
    std::optional<http::MultipartWriter> writer_;
    Bytes body_;
    std::uint64_t hash_code_ = 0;   ///< of all blocks of a batch
    std::size_t digest_bytes_ = 0;  ///< likewise
    std::deque<Bytes> sent_;        ///< multihashes of the batch, in order
};

}  // namespace ipfscluster::ipfshttp
