#pragma once
#include <vector>

#include "dag/block.hpp"
#include "dag/file_builder.hpp"

namespace ipfscluster::dag {

/// A directory whose Σ(name bytes + CID bytes) exceeds this becomes a HAMT (Kubo 0.43, estimation
/// by links).
inline constexpr std::size_t kBasicDirectoryBytesMax = 256u << 10;
inline constexpr std::size_t kHamtFanout = 256;
/// Entries one directory may have; held in memory (about 70 bytes and the name each) while it is
/// open.
inline constexpr std::size_t kDirectoryEntriesMax = 4'000'000;
/// Longest entry name (file systems stop at 255): a shard of 256 such links still fits a block.
inline constexpr std::size_t kEntryNameBytesMax = 4096;

/// One child of a directory; `name` and `cid` point into the builder that gave it.
struct DirectoryEntryView {
    BytesView name;
    BytesView cid;
    std::uint64_t tsize = 0;
};

/// Collects the children of one directory, in any order, and writes it: a basic node sorted by
/// name, or a HAMT of fanout 256, exactly as Kubo would. Owned by an Importer; any one strand.
class DirectoryBuilder {
 public:
    /// `invalid` for an empty or overlong name, one with '/' or NUL, or too many entries.
    Result<> add(std::string_view name, const Cid& cid, std::uint64_t tsize);
    std::size_t size() const { return items_.size(); }

    /// Writes the blocks, children first, and empties the builder. `invalid` names an entry added
    /// twice.
    Result<DagNodeInfo> finish(const CidBuilder& cids, const BlockSink& sink);

 private:
    struct Item {
        std::uint64_t at;  // of the name in arena_, the CID's bytes follow
        std::uint64_t tsize;
        std::uint16_t name_size;
        std::uint16_t cid_size;
    };
    DirectoryEntryView view(const Item& item) const;

    Bytes arena_;
    std::vector<Item> items_;
    std::size_t estimated_bytes_ = 0;
};

/// Writes `entries` (distinct names, any order; reordered) as a HAMT. `unsupported` when two names
/// have the same 64 bit hash, where Kubo gives up as well.
Result<DagNodeInfo> build_hamt(std::vector<DirectoryEntryView>& entries, const CidBuilder& cids,
                               const BlockSink& sink);

/// Writes a symbolic link's node. `invalid` when the target is longer than kEntryNameBytesMax.
Result<DagNodeInfo> build_symlink(BytesView target, const CidBuilder& cids, const BlockSink& sink);

}  // namespace ipfscluster::dag
