#include "blockstore/collector.hpp"

#include <gtest/gtest.h>

#include "blockstore/memory_block_store.hpp"
#include "dag/dag_pb.hpp"
#include "storage/memory_store.hpp"
#include "support/drive.hpp"

namespace ipfscluster::blockstore {
namespace {

constexpr std::uint64_t kCodecOfNobody = 0x51;  // sorts before dag-pb

Bytes hash_of(BytesView data) {
    return multihash_digest(HashCode::sha2_256, data).value();
}

class CollectorTest : public ::testing::Test {
 protected:
    void put(const Cid& cid, Bytes data) {
        std::vector<dag::Block> one;
        one.push_back({cid, std::move(data)});
        ICL_EXPECT_OK(test::drive(world, blocks.put(std::move(one))));
        ICL_EXPECT_OK(test::drive(world, blocks.sync(0)));
    }
    Cid put_leaf(const Bytes& data) {
        const auto cid = Cid::v1(Codec::raw, hash_of(data));
        put(cid, data);
        return cid;
    }
    /// A dag-pb node with these children; the multihash of it.
    Bytes put_node(const std::vector<Cid>& children) {
        dag::PbNode node;
        for (const auto& child : children) node.links.push_back({child, "", 1});
        auto data = dag::encode_dag_pb(node);
        const auto multihash = hash_of(data);
        put(Cid::v0(multihash), std::move(data));
        return multihash;
    }
    void pin(const Cid& cid, int depth = -1) {
        ICL_EXPECT_OK(test::drive(world, pins.complete({cid, depth, true})));
    }
    Result<std::size_t> collect() {
        auto run = collector.run();
        for (std::size_t removed = 0;; ++removed) {
            ICL_TRY(const auto block, test::drive(world, run->next()));
            if (!block) return removed;
        }
    }
    std::size_t collected() {
        const auto removed = collect();
        EXPECT_TRUE(removed) << (removed ? "" : removed.error().text);
        return removed ? removed.value() : 0;
    }

    SimWorld world{1};
    MemoryBlockStore blocks{world};
    storage::MemoryStore rows{world};
    PinTable pins{rows};
    LeaseTable leases{world, rows};
    Collector collector{world, blocks, rows, pins, leases};
};

TEST_F(CollectorTest, a_pin_of_the_same_bytes_without_links_hides_no_children) {
    const auto leaf = put_leaf("leaf");
    const auto inner = put_node({leaf});
    const auto root = put_node({Cid::v0(inner)});
    put_leaf("garbage");
    pin(Cid::v1(Codec::raw, root));
    pin(Cid::v1(kCodecOfNobody, root));
    pin(Cid::v1(Codec::dag_pb, root));
    pin(Cid::v1(Codec::raw, inner));
    EXPECT_EQ(collected(), 1u);
    EXPECT_TRUE(blocks.has(leaf.multihash()).value());
    EXPECT_TRUE(blocks.has(inner).value());
}

TEST_F(CollectorTest, the_order_of_such_pins_does_not_matter) {
    const auto leaf = put_leaf("leaf");
    const auto root = put_node({leaf});
    for (const auto* first : {"raw", "dag-pb"}) {
        // The walk meets the children of a node from the last to the first.
        const auto raw = Cid::v1(Codec::raw, root), node = Cid::v0(root);
        const auto top =
            first == std::string("raw") ? put_node({node, raw}) : put_node({raw, node});
        pin(Cid::v0(top));
        collected();
        EXPECT_TRUE(blocks.has(leaf.multihash()).value()) << first;
        ICL_EXPECT_OK(test::drive(world, pins.remove(Cid::v0(top))));
    }
    EXPECT_EQ(collected(), 3u);
}

TEST_F(CollectorTest, a_node_met_again_nearer_to_the_root_of_a_pin_is_followed_further) {
    const auto leaf = put_leaf("leaf");
    const auto low = put_node({leaf});
    const auto middle = put_node({Cid::v0(low)});
    pin(Cid::v1(Codec::dag_pb, middle), 1);  // as far as `low`
    pin(Cid::v0(low), 1);
    EXPECT_EQ(collected(), 0u);
    ICL_EXPECT_OK(test::drive(world, pins.remove(Cid::v0(low))));
    EXPECT_EQ(collected(), 1u);
    EXPECT_FALSE(blocks.has(leaf.multihash()).value());
}

TEST_F(CollectorTest, a_pin_that_failed_at_a_block_without_sense_holds_up_no_collection) {
    const auto leaf = put_leaf("leaf");
    const Bytes nonsense = "\xff not a node";
    const auto bad = Cid::v1(Codec::dag_pb, hash_of(nonsense));
    put(bad, nonsense);
    const auto root = put_node({bad, leaf});
    put_leaf("garbage");
    ICL_EXPECT_OK(pins.want(Cid::v0(root), -1));
    EXPECT_EQ(collected(), 1u);
    for (const auto& cid : {leaf, bad}) EXPECT_TRUE(blocks.has(cid.multihash()).value());
}

TEST_F(CollectorTest, a_pin_that_failed_at_a_damaged_block_holds_up_no_collection) {
    const auto node = put_node({put_leaf("leaf")});
    put_leaf("garbage");
    ICL_EXPECT_OK(pins.want(Cid::v0(node), -1));
    blocks.damage(node);
    EXPECT_EQ(collected(), 2u);  // the walk fetches the leaf again, as it must the node
    EXPECT_TRUE(blocks.has(node).value());
}

TEST_F(CollectorTest, a_block_without_sense_in_a_complete_pin_stops_the_collection_by_name) {
    const Bytes nonsense = "\xff not a node";
    const auto bad = Cid::v1(Codec::dag_pb, hash_of(nonsense));
    put(bad, nonsense);
    const auto root = put_node({bad});
    const auto garbage = put_leaf("garbage");
    // The pin that failed comes first and must not make the block pass as followed.
    ICL_EXPECT_OK(pins.want(bad, -1));
    pin(Cid::v0(root));
    const auto stopped = collect();
    ASSERT_FALSE(stopped);
    EXPECT_NE(stopped.error().text.find(bad.to_string()), std::string::npos)
        << stopped.error().text;
    EXPECT_NE(stopped.error().text.find(Cid::v0(root).to_string()), std::string::npos);
    EXPECT_TRUE(blocks.has(garbage.multihash()).value());
}

TEST_F(CollectorTest, a_damaged_block_of_a_complete_pin_stops_the_collection_by_name) {
    const auto node = put_node({put_leaf("leaf")});
    const auto root = put_node({Cid::v0(node)});
    pin(Cid::v0(root));
    blocks.damage(node);
    const auto stopped = collect();
    ASSERT_FALSE(stopped);
    EXPECT_NE(stopped.error().text.find(Cid::v0(node).to_string()), std::string::npos)
        << stopped.error().text;
}

}  // namespace
}  // namespace ipfscluster::blockstore
