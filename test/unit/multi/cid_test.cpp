#include "multi/cid.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster {
namespace {

// The empty UnixFS directory, in both versions.
constexpr const char* kEmptyDirV0 = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
constexpr const char* kEmptyDirV1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
constexpr const char* kHelloRaw = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

TEST(Cid, versions_of_one_hash_are_different_values) {
    const Cid v0 = Cid::parse(kEmptyDirV0).value();
    const Cid v1 = Cid::parse(kEmptyDirV1).value();
    EXPECT_EQ(v0.version(), 0);
    EXPECT_EQ(v1.version(), 1);
    EXPECT_EQ(v0.codec(), v1.codec());
    EXPECT_EQ(v0.multihash(), v1.multihash());
    EXPECT_NE(v0, v1);
    EXPECT_EQ(v0.to_string(), kEmptyDirV0);
    EXPECT_EQ(v1.to_string(), kEmptyDirV1);
    EXPECT_EQ(Cid::v0(v1.multihash()), v0);
    EXPECT_EQ(Cid::v1(Codec::dag_pb, v0.multihash()), v1);
}

TEST(Cid, of_known_content) {
    const Bytes hash = multihash_digest(HashCode::sha2_256, "hello world").value();
    EXPECT_EQ(Cid::v1(Codec::raw, hash).to_string(), kHelloRaw);
}

TEST(Cid, reads_every_base_and_writes_one) {
    const Cid cid = Cid::parse(kHelloRaw).value();
    EXPECT_EQ(Cid::parse("f" + hex_encode(cid.bytes())).value(), cid);
    EXPECT_EQ(Cid::parse("m" + base64_encode(cid.bytes())).value(), cid);
    EXPECT_EQ(Cid::parse("f" + hex_encode(cid.bytes())).value().to_string(), kHelloRaw);
}

TEST(Cid, take_leaves_what_follows) {
    const Cid v0 = Cid::parse(kEmptyDirV0).value();
    const Cid v1 = Cid::parse(kHelloRaw).value();
    const Bytes both = v0.bytes() + v1.bytes() + "rest";
    BytesView in = both;
    EXPECT_EQ(Cid::take(in).value(), v0);
    EXPECT_EQ(Cid::take(in).value(), v1);
    EXPECT_EQ(in, "rest");
    EXPECT_FALSE(Cid::take(in));
    EXPECT_EQ(in, "rest") << "a failed read removes nothing";
}

TEST(Cid, refuses_every_truncation) {
    for (const char* text : {kEmptyDirV0, kHelloRaw}) {
        const Bytes bytes = Cid::parse(text).value().bytes();
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(Cid::from_bytes(BytesView(bytes).substr(0, size))) << size;
        EXPECT_FALSE(Cid::from_bytes(bytes + "x"));
    }
}

TEST(Cid, refuses_bad_text) {
    for (const char* text :
         {"", "b", "Qm", "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N",
          "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N0", "bafkre", "not a cid", "f02551220aa"}) {
        const auto cid = Cid::parse(text);
        ASSERT_FALSE(cid) << text;
        EXPECT_EQ(cid.error().kind, Kind::invalid);
    }
    const Bytes v0 = Cid::parse(kEmptyDirV0).value().bytes();
    EXPECT_FALSE(Cid::parse("f" + hex_encode(v0))) << "version 0 has no multibase form";
    EXPECT_FALSE(Cid::parse("f" + std::string(100'000, '0')));
}

TEST(Cid, names_codecs) {
    EXPECT_EQ(codec_name(0x70), "dag-pb");
    EXPECT_EQ(codec_name(0x72), "libp2p-key");
    EXPECT_EQ(codec_name(0xb401), "0xb401");
}

}  // namespace
}  // namespace ipfscluster
