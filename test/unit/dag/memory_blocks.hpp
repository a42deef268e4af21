#pragma once
#include <gtest/gtest.h>

#include <map>

#include "dag/block_reader.hpp"
#include "dag/importer.hpp"
#include "support/drive.hpp"

namespace ipfscluster::dag {

/// A block store in a map, and the sink that fills it.
class MemoryBlocks final : public BlockReader, public ImportSink {
 public:
    Result<> on_block(Block&& block) override {
        blocks[block.cid] = std::move(block.data);
        return ok();
    }
    Result<> on_entry(AddedEntry&& entry) override {
        entries.push_back(std::move(entry));
        return ok();
    }
    Async<Bytes> read(Cid cid) override {
        reads.push_back(cid);
        const auto found = blocks.find(cid);
        if (found == blocks.end()) co_return fail(Kind::not_found, "no block " + cid.to_string());
        co_return found->second;
    }
    void prefetch(const std::vector<Cid>& soon) override {
        hinted.insert(hinted.end(), soon.begin(), soon.end());
    }
    /// Puts a handmade block.
    Cid put(Codec codec, Bytes data) {
        const auto cid = CidBuilder{1, HashCode::sha2_256}.make(codec, data).value();
        blocks[cid] = std::move(data);
        return cid;
    }

    std::map<Cid, Bytes> blocks;
    std::vector<AddedEntry> entries;
    std::vector<Cid> reads;
    std::vector<Cid> hinted;
};

/// Runs a coroutine to its end.
template <class T>
Result<T> run(Async<T> work) {
    SimWorld world(1);
    return test::drive<T>(world, std::move(work));
}

/// Imports one file of `content` under `request`.
inline DagNodeInfo import_bytes(MemoryBlocks& blocks, const ImportRequest& request,
                                BytesView content) {
    Importer importer(check_import(request).value(), blocks);
    EXPECT_TRUE(importer.begin_file("file"));
    EXPECT_TRUE(importer.write(content));
    EXPECT_TRUE(importer.end_file());
    return importer.finish().value();
}

}  // namespace ipfscluster::dag
