#include "dag/dag_pb.hpp"
#include "ipfs/node/pin_walk.hpp"
#include "support.hpp"

namespace ipfscluster::node {
namespace {

const std::map<std::string, Bytes> kFiles = {
    {"empty", ""}, {"small", "hello"}, {"big", content(1, 300'000)}, {"other", content(2, 5'000)}};

TEST_F(NodeTest, what_was_added_and_pinned_reads_back) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    component::PinProgress last;
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), [&](component::PinProgress p) { last = p; })));
    EXPECT_GE(last.blocks, 300u);
    EXPECT_TRUE(fetcher.asked.empty());
    EXPECT_EQ(status(dir.root), IpfsPinStatus::recursive);
    for (const auto& [name, bytes] : kFiles) {
        auto got = read_file("/ipfs/" + dir.root.to_string() + "/" + name);
        ASSERT_TRUE(got) << got.error().text;
        EXPECT_TRUE(got.value() == bytes) << name;
    }
}

TEST_F(NodeTest, a_range_of_a_file_is_cut_exactly) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    EXPECT_EQ(run(node->resolve("/ipld/" + dir.root.to_string())).value(), dir.root);
    auto cid = run(node->resolve("/ipfs/" + dir.root.to_string() + "/big"));
    ASSERT_TRUE(cid);
    auto source = run(node->cat(cid.value(), 1'000, 100'000));
    Bytes all;
    const auto pieces = drain(std::move(source).value()).value();
    for (const auto& piece : pieces) all += piece;
    EXPECT_TRUE(all == kFiles.at("big").substr(1'000, 100'000));
}

TEST_F(NodeTest, a_listing_tells_files_and_directories_apart) {
    const auto inner = import_directory(kFiles);
    ASSERT_TRUE(add(inner));
    auto entries = drain(run(node->ls(inner.root)).value());
    ASSERT_TRUE(entries);
    std::set<std::string> names;
    for (const auto& entry : entries.value()) {
        names.insert(entry.name);
        EXPECT_EQ(entry.type, component::DirectoryEntry::Type::file) << entry.name;
    }
    EXPECT_EQ(names, (std::set<std::string>{"big", "empty", "other", "small"}));
    EXPECT_TRUE(run(node->stat(inner.root.to_string())).value().directory);
    EXPECT_EQ(run(node->stat(inner.root.to_string() + "/none")).error().kind, Kind::not_found);
}

TEST_F(NodeTest, a_recursive_pin_fetches_the_whole_dag_in_parallel) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    for (const auto& [cid, data] : fetcher.blocks) {
        EXPECT_TRUE(blocks.has(cid.multihash()).value());
        EXPECT_EQ(fetcher.asked.count(cid), 1u);
    }
    EXPECT_EQ(fetcher.running_peak, kPinWorkers);
    // Durable, too.
    for (const auto& [multihash, entry] : blocks.disk()->blocks) EXPECT_TRUE(entry.durable);
}

TEST_F(NodeTest, a_direct_pin_takes_the_one_block_and_depth_limits_the_walk) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    ASSERT_TRUE(run(node->pin(pin_of(dir.root, 0), {})));
    EXPECT_EQ(fetcher.asked.size(), 1u);
    EXPECT_EQ(run(node->pin_status(pin_of(dir.root, 0))).value(), IpfsPinStatus::direct);
    ASSERT_TRUE(run(node->pin(pin_of(dir.root, 1), {})));
    EXPECT_EQ(fetcher.asked.size(), 5u);
    EXPECT_EQ(run(node->pin_status(pin_of(dir.root, 1))).value(), IpfsPinStatus::recursive);
    // Less than was asked for is not pinned.
    EXPECT_EQ(status(dir.root), IpfsPinStatus::unpinned);
}

TEST_F(NodeTest, a_pin_that_gets_no_block_fails_and_says_where_it_looked) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    const auto lost = dir.blocks[3].cid;
    fetcher.blocks.erase(lost);
    const auto begin = world.steady_now();
    auto pinned = run(node->pin(pin_of(dir.root), {}));
    ASSERT_FALSE(pinned);
    EXPECT_EQ(pinned.error().kind, Kind::timeout);
    EXPECT_NE(pinned.error().text.find("no progress within 2m0s"), std::string::npos);
    EXPECT_NE(pinned.error().text.find(lost.to_string()), std::string::npos);
    EXPECT_NE(pinned.error().text.find("asked 2 connected peers"), std::string::npos);
    EXPECT_NE(pinned.error().text.find("the public network is off"), std::string::npos);
    EXPECT_LT(world.steady_now() - begin, std::chrono::minutes(5));
    EXPECT_EQ(status(dir.root), IpfsPinStatus::unpinned);
    // What came is kept, so the next try needs only the missing block.
    EXPECT_EQ(gc(), 0u);
    fetcher.asked.clear();
    fetcher.blocks[lost] = dir.as_map()[lost];
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    EXPECT_EQ(fetcher.asked.size(), 1u);
}

TEST_F(NodeTest, a_slow_pin_lives_as_long_as_blocks_keep_coming) {
    const auto dir = import_directory({{"file", content(3, 20'000)}});
    fetcher.blocks = dir.as_map();
    fetcher.delay = std::chrono::seconds(100);
    EXPECT_TRUE(run(node->pin(pin_of(dir.root), {})));
}

TEST_F(NodeTest, an_unpin_during_the_walk_wins) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    const auto out = test::start<void>(world, node->pin(pin_of(dir.root), {}));
    world.run_for(std::chrono::milliseconds(20));
    ASSERT_FALSE(*out);
    ASSERT_TRUE(run(node->unpin(dir.root)));
    ASSERT_TRUE(world.run_until([&] { return out->has_value(); }, std::chrono::hours(1)));
    ASSERT_FALSE(**out);
    EXPECT_EQ((*out)->error().kind, Kind::conflict);
    EXPECT_EQ(status(dir.root), IpfsPinStatus::unpinned);
    EXPECT_GT(gc(), 0u);
}

asio::awaitable<void> pin_and_note(EmbeddedNode& node, Pin pin, std::optional<Result<>>& out) {
    auto done = co_await node.pin(std::move(pin), {});
    out.emplace(std::move(done));
}

TEST_F(NodeTest, a_cancelled_pin_ends_and_leaves_nothing_running) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    fetcher.delay = std::chrono::hours(1);
    std::optional<Result<>> out;
    TaskGroup group(world, "test");
    group.spawn(pin_and_note(*node, pin_of(dir.root), out));
    world.run_for(std::chrono::seconds(1));
    EXPECT_EQ(fetcher.running, 1u);
    ASSERT_TRUE(run(group.stop()));
    ASSERT_TRUE(out);
    EXPECT_EQ(out->error().kind, Kind::cancelled);
    EXPECT_EQ(fetcher.running, 0u);
}

TEST_F(NodeTest, pins_are_listed_by_type_and_only_when_complete) {
    std::set<Cid> roots;
    for (int i = 0; i < 600; ++i) {
        const auto block = content(static_cast<std::uint64_t>(i), 100);
        const auto cid = Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, block).value());
        fetcher.blocks[cid] = block;
        ASSERT_TRUE(run(node->pin(pin_of(cid, i % 3 == 0 ? 0 : -1), {})));
        roots.insert(cid);
    }
    EXPECT_EQ(drain(node->pin_ls({"recursive"})).value().size(), 400u);
    EXPECT_EQ(drain(node->pin_ls({"direct"})).value().size(), 200u);
    std::set<Cid> listed;
    const auto pins = drain(node->pin_ls({})).value();
    for (const auto& pin : pins) listed.insert(pin.cid);
    EXPECT_EQ(listed, roots);
}

TEST_F(NodeTest, a_damaged_block_is_fetched_again) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    blocks.damage(dir.root.multihash());
    fetcher.blocks = dir.as_map();
    EXPECT_TRUE(run(node->stat(dir.root.to_string())).value().directory);
    EXPECT_EQ(fetcher.asked.size(), 1u);
    EXPECT_TRUE(run(node->pin(pin_of(dir.root), {})));
}

TEST_F(NodeTest, blocks_that_do_not_match_their_cid_are_refused) {
    auto session = run(node->open_blocks());
    ASSERT_TRUE(session);
    const auto dir = import_directory(kFiles);
    auto refused = run(session.value()->put(dir.root, "something else"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::invalid);
}

TEST_F(NodeTest, blocks_of_our_own_making_are_stored_under_the_lease_without_a_second_look) {
    const auto dir = import_directory(kFiles);
    auto session = std::move(run(node->open_blocks())).value();
    for (const auto& block : dir.blocks)
        ASSERT_TRUE(run(session->put_verified(block.cid, block.data)));
    ASSERT_TRUE(run(session->commit()));
    EXPECT_EQ(gc(), 0u);
    for (const auto& [name, content] : kFiles)
        EXPECT_EQ(read_file(dir.root.to_string() + "/" + name).value(), content);
}

TEST_F(NodeTest, a_pins_name_is_kept_and_changed) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    auto pin = pin_of(dir.root);
    pin.options.name = "one";
    ASSERT_TRUE(run(node->pin(pin, {})));
    EXPECT_EQ(node->pins().get(dir.root).value()->name, "one");
    restart();
    EXPECT_EQ(node->pins().get(dir.root).value()->name, "one");
    pin.options.name = "two";
    ASSERT_TRUE(run(node->pin(pin, {})));
    EXPECT_EQ(node->pins().get(dir.root).value()->name, "two");
    pin.options.name = std::string(256, 'x');
    ASSERT_TRUE(run(node->pin(pin, {})));
    EXPECT_EQ(node->pins().get(dir.root).value()->name, "");
}

TEST_F(NodeTest, only_what_is_held_whole_is_pinned_without_the_network) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    auto pinned = run(node->pin_held(pin_of(dir.root)));
    ASSERT_FALSE(pinned);
    EXPECT_EQ(pinned.error().kind, Kind::not_found);
    EXPECT_TRUE(fetcher.asked.empty());
    ASSERT_TRUE(add(dir));
    EXPECT_TRUE(run(node->pin_held(pin_of(dir.root))));
}

TEST_F(NodeTest, what_is_whole_is_found_out_without_the_network_and_stays_pinned) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    auto whole = run(node->hold_if_whole(pin_of(dir.root)));
    ASSERT_TRUE(whole);
    EXPECT_FALSE(whole.value());
    EXPECT_TRUE(fetcher.asked.empty());
    EXPECT_FALSE(node->pins().get(dir.root).value()) << "nothing is left of the question";
    ASSERT_TRUE(add(dir));
    whole = run(node->hold_if_whole(pin_of(dir.root)));
    ASSERT_TRUE(whole);
    EXPECT_TRUE(whole.value());
    EXPECT_EQ(gc(), 0U);
    EXPECT_TRUE(node->pins().get(dir.root).value()->complete);
}

TEST_F(NodeTest, a_block_is_removed_only_when_nothing_needs_it) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    const auto leaf = dir.blocks.front().cid;
    EXPECT_EQ(run(node->remove_block(dir.root)).error().text, "pinned: recursive");
    EXPECT_EQ(run(node->remove_block(leaf)).error().text, "pinned via " + dir.root.to_string());
    ASSERT_TRUE(run(node->unpin(dir.root)));
    EXPECT_TRUE(run(node->remove_block(leaf)));
    EXPECT_EQ(run(node->remove_block(leaf)).error().kind, Kind::not_found);
    EXPECT_EQ(gc(), dir.as_map().size() - 1);
}

TEST_F(NodeTest, a_block_that_a_running_pin_has_met_is_not_removed) {
    std::map<std::string, Bytes> many;
    for (std::uint64_t i = 0; i < 40; ++i) many["f" + std::to_string(i)] = content(100 + i, 20'000);
    const auto other = import_directory(many);  // takes a while to look through
    ASSERT_TRUE(add(other));
    ASSERT_TRUE(run(node->pin(pin_of(other.root), {})));
    const auto dir = import_directory(kFiles);
    const auto leaf = dir.blocks.front();
    int removed = 0, kept = 0;
    for (int ms = 1; ms <= 60; ++ms) {
        fetcher.blocks = dir.as_map();
        fetcher.blocks.erase(leaf.cid);
        fetcher.delay = std::chrono::milliseconds(ms);
        {
            auto session = std::move(run(node->open_session())).value();
            ASSERT_TRUE(run(session->put(leaf.cid, leaf.data)));
            ASSERT_TRUE(run(session->commit_unleased()));
        }
        const auto pinned = test::start<void>(world, node->pin(pin_of(dir.root), {}));
        const auto gone = test::start<void>(world, node->remove_block(leaf.cid));
        world.run_for(3 * options.pin_timeout);
        ASSERT_TRUE(*pinned && *gone);
        if (**pinned) {
            EXPECT_TRUE(blocks.has(leaf.cid.multihash()).value()) << ms;
        }
        ++(**gone ? removed : kept);
        ASSERT_TRUE(run(node->unpin(dir.root)));
        gc();
    }
    EXPECT_GT(kept, 0);
}

TEST_F(NodeTest, a_pinned_block_is_not_removed_by_another_cid_of_its_bytes) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    const auto other = Cid::v1(Codec::raw, dir.root.multihash());
    EXPECT_EQ(run(node->remove_block(other)).error().text, "pinned: recursive");
    ASSERT_TRUE(run(node->unpin(dir.root)));
    ASSERT_TRUE(run(node->pin(pin_of(dir.root, 0), {})));
    EXPECT_EQ(run(node->remove_block(other)).error().text, "pinned: direct");
    ASSERT_TRUE(run(node->unpin(dir.root)));
    EXPECT_TRUE(run(node->remove_block(other)));
}

TEST_F(NodeTest, a_pin_that_failed_at_a_block_without_sense_does_not_forbid_removals) {
    const Bytes nonsense = "\xff not a node";
    const auto bad = Cid::v1(Codec::dag_pb, multihash_digest(HashCode::sha2_256, nonsense).value());
    const auto free = Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, "free").value());
    fetcher.blocks = {{bad, nonsense}, {free, "free"}};
    EXPECT_FALSE(run(node->pin(pin_of(bad), {})));
    ASSERT_TRUE(run(node->block_get(free)));
    ASSERT_TRUE(run(blocks.sync(0)));
    const auto removed = run(node->remove_block(free));
    EXPECT_TRUE(removed) << removed.error().text;
    EXPECT_EQ(run(node->remove_block(bad)).error().kind, Kind::conflict);
}

TEST_F(NodeTest, a_damaged_block_of_a_pin_that_failed_does_not_forbid_removals) {
    const auto dir = import_directory(kFiles);
    fetcher.blocks = dir.as_map();
    fetcher.blocks.erase(dir.blocks[3].cid);
    EXPECT_FALSE(run(node->pin(pin_of(dir.root), {})));
    const auto free = Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, "free").value());
    fetcher.blocks[free] = "free";
    ASSERT_TRUE(run(node->block_get(free)));
    ASSERT_TRUE(run(blocks.sync(0)));
    blocks.damage(dir.root.multihash());
    const auto removed = run(node->remove_block(free));
    EXPECT_TRUE(removed) << removed.error().text;
}

TEST_F(NodeTest, what_is_no_file_is_not_taken_for_an_empty_one) {
    const Bytes document("\xa0", 1);
    const auto cid =
        Cid::v1(Codec::dag_cbor, multihash_digest(HashCode::sha2_256, document).value());
    fetcher.blocks = {{cid, document}};
    const auto info = run(node->stat("/ipfs/" + cid.to_string()));
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().kind, Kind::invalid);
}

TEST_F(NodeTest, what_cannot_be_checked_is_not_asked_for) {
    const Bytes blake3 = "\x1e\x20" + content(4, 32);
    const auto strange = Cid::v1(Codec::raw, blake3);
    dag::PbNode parent;
    parent.links.push_back({strange, "", 1});
    const auto data = dag::encode_dag_pb(parent);
    const auto root = Cid::v0(multihash_digest(HashCode::sha2_256, data).value());
    fetcher.blocks = {{strange, "whatever"}, {root, data}};
    const auto begin = world.steady_now();
    for (const auto& cid : {strange, root}) {
        const auto pinned = run(node->pin(pin_of(cid), {}));
        ASSERT_FALSE(pinned);
        EXPECT_EQ(pinned.error().kind, Kind::unsupported);
        EXPECT_NE(pinned.error().text.find("blake3"), std::string::npos) << pinned.error().text;
        EXPECT_NE(pinned.error().text.find(strange.to_string()), std::string::npos);
    }
    EXPECT_EQ(run(node->block_get(strange)).error().kind, Kind::unsupported);
    EXPECT_FALSE(fetcher.asked.contains(strange));
    EXPECT_LT(world.steady_now() - begin, std::chrono::seconds(1));
}

TEST_F(NodeTest, a_digest_of_the_wrong_length_is_not_asked_for_either) {
    const Bytes half = "\x12\x10" + content(5, 16);
    const auto pinned = run(node->pin(pin_of(Cid::v1(Codec::raw, half)), {}));
    ASSERT_FALSE(pinned);
    EXPECT_EQ(pinned.error().kind, Kind::unsupported);
    EXPECT_NE(pinned.error().text.find("sha2-256 digest has 16 bytes"), std::string::npos)
        << pinned.error().text;
}

TEST_F(NodeTest, a_session_without_a_pin_leaves_no_lease) {
    const auto dir = import_directory(kFiles);
    auto session = std::move(run(node->open_session())).value();
    for (const auto& block : dir.blocks)
        ASSERT_TRUE(run(session->put_verified(block.cid, block.data)));
    EXPECT_EQ(gc(), 0u);
    ASSERT_TRUE(run(session->commit_unleased()));
    EXPECT_EQ(gc(), dir.as_map().size());
}

TEST_F(NodeTest, a_session_that_puts_nothing_for_long_keeps_its_lease_when_asked_to) {
    const auto dir = import_directory(kFiles);
    auto session = std::move(run(node->open_session())).value();
    for (const auto& block : dir.blocks)
        ASSERT_TRUE(run(session->put_verified(block.cid, block.data)));
    ASSERT_TRUE(run(session->sync()));
    for (int i = 0; i < 4; ++i) {
        world.run_for(options.session_lease / 2);
        ASSERT_TRUE(session->renew_if_due());
        EXPECT_EQ(gc(), 0u);
    }
    ASSERT_TRUE(run(session->commit_unleased()));
}

TEST_F(NodeTest, a_session_whose_blocks_were_lost_cannot_commit) {
    const auto dir = import_directory(kFiles);
    auto session = std::move(run(node->open_blocks())).value();
    ASSERT_TRUE(run(session->put(dir.blocks[0].cid, dir.blocks[0].data)));
    blocks.lose_unsynced({Kind::disk_full, "disk full on this peer"});
    ASSERT_TRUE(run(session->put(dir.blocks[1].cid, dir.blocks[1].data)));
    auto committed = run(session->commit());
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().kind, Kind::disk_full);
}

}  // namespace
}  // namespace ipfscluster::node
