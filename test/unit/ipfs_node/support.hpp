#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>

#include "blockstore/memory_block_store.hpp"
#include "dag/importer.hpp"
#include "ipfs/node/embedded_node.hpp"
#include "runtime/sim_world.hpp"
#include "storage/memory_store.hpp"
#include "support/drive.hpp"

namespace ipfscluster::node {

/// Other peers' blocks, as a test sets them.
class FakeFetcher final : public bitswap::Fetcher {
 public:
    explicit FakeFetcher(World& world) : world_(world) {}

    std::map<Cid, Bytes> blocks;
    std::multiset<Cid> asked;
    Duration delay = std::chrono::milliseconds(5);
    std::size_t running = 0, running_peak = 0;

    std::unique_ptr<bitswap::FetchSession> session() override {
        return std::make_unique<Session>(*this);
    }

 private:
    struct Session final : bitswap::FetchSession {
        explicit Session(FakeFetcher& of) : owner(of) {}
        Async<Bytes> fetch(Cid cid, Duration limit) override {
            owner.asked.insert(cid);
            const auto end = owner.world_.steady_now() + limit;
            owner.running_peak = std::max(owner.running_peak, ++owner.running);
            while (true) {
                auto slept = co_await owner.world_.sleep_for(owner.delay);
                if (!slept || owner.world_.steady_now() >= end || owner.blocks.contains(cid)) {
                    --owner.running;
                    if (!slept) co_return fail(slept.error());
                    if (owner.blocks.contains(cid)) co_return owner.blocks[cid];
                    co_return fail(Kind::timeout, "nobody had it");
                }
            }
        }
        std::string where() const override { return "asked 2 connected peers"; }
        FakeFetcher& owner;
    };
    World& world_;
};

/// The blocks of an import.
struct Imported : dag::ImportSink {
    std::vector<dag::Block> blocks;
    Cid root;
    Result<> on_block(dag::Block&& block) override {
        blocks.push_back(std::move(block));
        return ok();
    }
    Result<> on_entry(dag::AddedEntry&&) override { return ok(); }
    std::map<Cid, Bytes> as_map() const {
        std::map<Cid, Bytes> map;
        for (const auto& block : blocks) map[block.cid] = block.data;
        return map;
    }
};

/// A directory with files of the given contents, in small chunks.
inline Imported import_directory(const std::map<std::string, Bytes>& files) {
    Imported out;
    dag::ImportRequest request;
    request.chunker = "size-1024";
    dag::Importer importer(dag::check_import(request).value(), out);
    for (const auto& [name, content] : files) {
        EXPECT_TRUE(importer.begin_file("dir/" + name));
        EXPECT_TRUE(importer.write(content));
        EXPECT_TRUE(importer.end_file());
    }
    auto root = importer.finish();
    EXPECT_TRUE(root) << root.error().text;
    out.root = root.value().cid;
    return out;
}

inline Bytes content(std::uint64_t seed, std::size_t bytes) {
    std::mt19937_64 random(seed);
    Bytes out;
    while (out.size() < bytes) put_be64(out, random());
    out.resize(bytes);
    return out;
}

/// One node under simulated time.
class NodeTest : public ::testing::Test {
 protected:
    NodeTest() { restart(); }
    ~NodeTest() override { run(node->stop()).value(); }

    void restart(bool rows_lost = false) {
        if (node) run(node->stop()).value();
        node = std::make_unique<EmbeddedNode>(
            EmbeddedNodeConfig{.world = world,
                               .blocks = blocks,
                               .rows = rows,
                               .fetcher = &fetcher,
                               .options = options,
                               .rows_lost = rows_lost,
                               .wanted = [this] { return wanted_pins(); }});
        ASSERT_TRUE(run(node->start()));
    }
    SourcePtr<Pin> wanted_pins() {
        struct List final : Source<Pin> {
            explicit List(std::deque<Pin> of) : left(std::move(of)) {}
            Async<std::optional<Pin>> next() override {
                if (left.empty()) co_return std::optional<Pin>{};
                auto pin = std::move(left.front());
                left.pop_front();
                co_return std::optional<Pin>(std::move(pin));
            }
            std::deque<Pin> left;
        };
        return std::make_unique<List>(wanted);
    }
    template <class T>
    Result<T> run(Async<T> work) {
        return test::drive<T>(world, std::move(work));
    }
    static Pin pin_of(const Cid& cid, int depth = kDepthRecursive) {
        Pin pin;
        pin.cid = cid;
        pin.max_depth = depth;
        return pin;
    }
    Result<> add(const Imported& imported) {
        ICL_TRY(auto session, run(node->open_blocks()));
        for (const auto& block : imported.blocks) {
            ICL_TRY(run(session->put(block.cid, block.data)));
        }
        return run(session->commit());
    }
    template <class T>
    Result<std::vector<T>> drain(SourcePtr<T> source) {
        std::vector<T> items;
        while (true) {
            ICL_TRY(auto item, run(source->next()));
            if (!item) return items;
            items.push_back(std::move(*item));
        }
    }
    Result<Bytes> read_file(const std::string& path) {
        ICL_TRY(const auto info, run(node->stat(path)));
        ICL_TRY(auto source, run(node->cat(info.cid, 0, info.size)));
        ICL_TRY(const auto pieces, drain(std::move(source)));
        Bytes all;
        for (const auto& piece : pieces) all += piece;
        return all;
    }
    std::size_t gc() { return drain(node->repo_gc()).value().size(); }
    IpfsPinStatus status(const Cid& cid) { return run(node->pin_status(pin_of(cid))).value(); }

    SimWorld world{1};
    blockstore::MemoryBlockStore blocks{world};
    storage::MemoryStore rows{world};
    FakeFetcher fetcher{world};
    NodeOptions options;
    std::deque<Pin> wanted;  ///< by the cluster
    std::unique_ptr<EmbeddedNode> node;
};

}  // namespace ipfscluster::node
