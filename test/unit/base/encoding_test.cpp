#include "base/encoding.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

TEST(Hex, round_trips_and_refuses_other_text) {
    EXPECT_EQ(hex_encode(Bytes("\x00\xfe\x10", 3)), "00fe10");
    EXPECT_EQ(hex_decode("00Fe10").value(), Bytes("\x00\xfe\x10", 3));
    EXPECT_FALSE(hex_decode("0"));
    EXPECT_FALSE(hex_decode("0g"));
}

TEST(Base64, meets_the_vectors_of_rfc_4648) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : vectors) {
        EXPECT_EQ(base64_encode(plain), coded);
        EXPECT_EQ(base64_decode(coded).value(), plain);
    }
    for (const char* bad : {"Zg=", "Zg", "Z===", "Zm9$", "Zg==Zg=="})
        EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(UrlEscape, round_trips_and_refuses_broken_escapes) {
    EXPECT_EQ(url_escape("a b/\xc3\xa4~"), "a%20b%2F%C3%A4~");
    EXPECT_EQ(url_unescape("a%20b%2f+", false).value(), "a b/+");
    EXPECT_EQ(url_unescape("a+b", true).value(), "a b");
    EXPECT_FALSE(url_unescape("%2", false));
    EXPECT_FALSE(url_unescape("%zz", false));
}

}  // namespace
}  // namespace ipfscluster
