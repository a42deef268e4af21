#include "multi/multibase.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace ipfscluster {
namespace {

using namespace std::string_literals;

// multiformats/multibase tests: "yes mani !" and the same behind two zero bytes.
TEST(Multibase, decodes_the_published_vectors) {
    const std::vector<std::string> plain{
        "f796573206d616e692021", "F796573206D616E692021", "bpfsxgidnmfxgsibb", "BPFSXGIDNMFXGSIBB",
        "vf5in683dc5n6i811",     "VF5IN683DC5N6I811",     "tf5in683dc5n6i811", "TF5IN683DC5N6I811",
        "cpfsxgidnmfxgsibb",     "z7paNL19xttacUY",       "Z7Pznk19XTTzBtx",   "k2lcpzo5yikidynfl",
        "K2LCPZO5YIKIDYNFL",     "meWVzIG1hbmkgIQ",       "MeWVzIG1hbmkgIQ==", "ueWVzIG1hbmkgIQ",
        "UeWVzIG1hbmkgIQ=="};
    for (const auto& text : plain) {
        const auto bytes = multibase_decode(text);
        ASSERT_TRUE(bytes) << text << ": " << bytes.error().text;
        EXPECT_EQ(bytes.value(), "yes mani !") << text;
    }
    for (const char* text : {"f0000796573206d616e692021", "baaahszltebwwc3tjeaqq",
                             "z117paNL19xttacUY", "k002lcpzo5yikidynfl", "mAAB5ZXMgbWFuaSAh"}) {
        const auto bytes = multibase_decode(text);
        ASSERT_TRUE(bytes) << text << ": " << bytes.error().text;
        EXPECT_EQ(bytes.value(), "\0\0yes mani !"s) << text;
    }
}

TEST(Multibase, refuses_text_that_is_no_encoding) {
    for (const char* text :
         {"", "x00", "f0", "f0g", "b1", "ba", "z0OIl", "mA", "MeWVzIG1hbmkgIQ=", "c======", "k-"})
        EXPECT_FALSE(multibase_decode(text)) << text;
    EXPECT_FALSE(multibase_decode("z" + std::string(100'000, '2'))) << "quadratic input is bounded";
}

TEST(Multibase, encodes_what_it_decodes) {
    EXPECT_EQ(base58_encode("Hello World!"), "2NEpo7TZRRrLZSi2U");
    EXPECT_EQ(base58_encode("\0\0yes mani !"s), "117paNL19xttacUY");
    EXPECT_EQ(base32_encode("yes mani !"), "pfsxgidnmfxgsibb");
    EXPECT_EQ(base32_encode(""), "");
    Bytes bytes;
    for (int size = 0; size < 70; ++size) {
        EXPECT_EQ(base58_decode(base58_encode(bytes)).value(), bytes);
        EXPECT_EQ(base32_decode(base32_encode(bytes)).value(), bytes);
        bytes.push_back(static_cast<char>(size * 37));
    }
}

}  // namespace
}  // namespace ipfscluster
