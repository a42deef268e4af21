#pragma once
#include <optional>
#include <vector>

#include "dag/block.hpp"

namespace ipfscluster::dag {

/// Longest header accepted: room for many roots.
inline constexpr std::size_t kCarHeaderBytesMax = 1u << 20;

/// Reads a CAR v1 file (https://ipld.io/specs/transport/car/carv1/) from pieces as they come. Holds
/// at most one unfinished section besides the piece fed. Any one strand; after an error it must not
/// be used again.
class CarReader {
 public:
    explicit CarReader(bool verify_hashes = true) : verify_hashes_(verify_hashes) {}

    /// Appends bytes; then call `next` until it gives nothing.
    void feed(BytesView data);
    /// The next whole block, or nothing when more bytes are needed. `corrupt` for a malformed
    /// section or, when verifying, a block that does not match its CID; `unsupported` for CAR v2.
    Result<std::optional<Block>> next();
    /// Nothing until the header has been read by `next`.
    const std::optional<std::vector<Cid>>& roots() const { return roots_; }
    /// `corrupt` when the file ends within a section or without a header.
    Result<> finish() const;

 private:
    /// The next length-prefixed section, or nothing; bounded by `limit`.
    Result<std::optional<BytesView>> take_section(std::size_t limit);

    bool verify_hashes_;
    Bytes buffer_;
    std::size_t at_ = 0;
    std::optional<std::vector<Cid>> roots_;
};

/// The bytes that start a CAR v1 file.
Bytes car_start(const std::vector<Cid>& roots);
/// Length and CID of a section; the block's `data_size` bytes follow as they are.
Bytes car_section_head(const Cid& cid, std::size_t data_size);

}  // namespace ipfscluster::dag
