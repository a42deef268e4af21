#include "base/text.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

using Words = std::vector<std::string_view>;

TEST(Text, booleans_are_gos) {
    for (const char* yes : {"1", "t", "T", "true", "True", "TRUE"})
        EXPECT_EQ(parse_go_bool(yes), true);
    for (const char* no : {"0", "f", "F", "false", "False", "FALSE"})
        EXPECT_EQ(parse_go_bool(no), false);
    for (const char* neither : {"", "yes", "tRUE", "2", " true"})
        EXPECT_EQ(parse_go_bool(neither), std::nullopt);
}

TEST(Text, words_of_a_list_come_without_blanks) {
    EXPECT_EQ(split_words("a, b ,,\tc\t,"), (Words{"a", "b", "c"}));
    EXPECT_EQ(split_words("one word"), Words{"one word"});
    EXPECT_EQ(split_words("a:b", ':'), (Words{"a", "b"}));
    EXPECT_EQ(split_words(""), Words{});
    EXPECT_EQ(split_words(" , ,"), Words{});
}

TEST(Text, a_path_never_leaves_where_it_begins) {
    EXPECT_EQ(clean_relative_path("/a//./b/../c/"), "a/c");
    EXPECT_EQ(clean_relative_path("../../x"), "x");
    EXPECT_EQ(clean_relative_path("a/../.."), "");
    EXPECT_EQ(clean_relative_path("..."), "...");
    EXPECT_EQ(clean_relative_path(""), "");
}

TEST(Text, utf8_characters_have_their_size_and_others_none) {
    EXPECT_EQ(utf8_size("a"), 1U);
    EXPECT_EQ(utf8_size("\xc3\xa4 "), 2U);
    EXPECT_EQ(utf8_size("\xe2\x82\xac"), 3U);
    EXPECT_EQ(utf8_size("\xf0\x9f\x98\x80"), 4U);
    for (const char* bad : {"\x80", "\xc0\x80", "\xc3", "\xc3(", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
        EXPECT_EQ(utf8_size(bad), 0U) << bad;
}

TEST(Text, the_two_json_forms_differ_in_what_they_escape) {
    const std::string_view text = "<a&b>\"\\\n\r\t\b\f\x01\xe2\x80\xa8\xe2\x80\xa9\xc3\xa4\xff\x7f";
    std::string go, dag;
    append_json_text(go, text, JsonEscapes::go);
    append_json_text(dag, text, JsonEscapes::dag_json);
    EXPECT_EQ(go,
              "\"\\u003ca\\u0026b\\u003e\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u2028\\u2029\xc3\xa4\\ufffd"
              "\x7f\"");
    EXPECT_EQ(dag,
              "\"<a&b>\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u0001\\u2028\\u2029\xc3\xa4\\ufffd\x7f\"");
}

}  // namespace
}  // namespace ipfscluster
