// Pure parsers: headers, parameters, queries, lines, paths, routes.
#include <gtest/gtest.h>

#include <random>

#include "http/header_params.hpp"
#include "http/headers.hpp"
#include "http/multipart_reader.hpp"
#include "http/ndjson.hpp"
#include "http/parser.hpp"
#include "http/pipeline.hpp"
#include "http/router.hpp"

namespace ipfscluster::http {
namespace {

TEST(Headers, names_compare_without_case_and_order_is_kept) {
    Headers h{{"Host", "a"}, {"X-One", "1"}, {"x-one", "2"}};
    EXPECT_EQ(h.get("HOST"), "a");
    EXPECT_EQ(h.all("X-ONE"), (std::vector<std::string_view>{"1", "2"}));
    h.set("x-ONE", "3");
    EXPECT_EQ(h.all("x-one"), (std::vector<std::string_view>{"3"}));
    h.remove("host");
    EXPECT_FALSE(h.has("Host"));
    std::string out;
    h.write_to(out);
    EXPECT_EQ(out, "x-ONE: 3\r\n");
}

TEST(Headers, tokens_of_comma_lists_are_found_whole) {
    Headers h{{"Connection", "keep-alive , Close"}};
    EXPECT_TRUE(h.has_token("connection", "close"));
    EXPECT_TRUE(h.has_token("connection", "keep-alive"));
    EXPECT_FALSE(h.has_token("connection", "keep"));
}

TEST(HeaderParams, values_quotes_and_extended_names) {
    struct Row {
        std::string text, value, name, expected;
    };
    const Row rows[] = {
        {"multipart/form-data; boundary=abc", "multipart/form-data", "boundary", "abc"},
        {"Multipart/Form-Data;boundary=\"a b\"", "multipart/form-data", "boundary", "a b"},
        {"form-data; name=\"file\"; filename=\"a\\\"b;c.txt\"", "form-data", "filename",
         "a\"b;c.txt"},
        {"form-data; filename=\"C:\\dir\\f\"", "form-data", "filename", "C:\\dir\\f"},
        {"form-data; filename=\"x\"; filename*=UTF-8''%e2%82%ac", "form-data", "filename", "€"},
        {"text/plain", "text/plain", "charset", ""},
        {"a;;b=1;", "a", "b", "1"},
    };
    for (const auto& row : rows) {
        auto parsed = parse_header_params(row.text);
        ASSERT_TRUE(parsed) << row.text;
        EXPECT_EQ(parsed.value().value, row.value) << row.text;
        EXPECT_EQ(parsed.value().get(row.name), row.expected) << row.text;
    }
    for (const auto* bad :
         {"a; b=\"open", "a; =x", "a; novalue", "a; b=\"x\"y", "a; f*=no-quotes", "a; *=UTF-8''x"})
        EXPECT_FALSE(parse_header_params(bad)) << bad;
}

TEST(Multipart, boundaries_come_from_two_types_only) {
    EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=x").value(), "x");
    EXPECT_EQ(multipart_boundary("multipart/mixed; boundary=\"x y\"").value(), "x y");
    for (const auto* bad : {"", "text/plain", "multipart/form-data",
                            "multipart/form-data; boundary=", "application/json; boundary=x"})
        EXPECT_FALSE(multipart_boundary(bad)) << bad;
    EXPECT_FALSE(multipart_boundary("multipart/mixed; boundary=" + std::string(201, 'x')));
}

TEST(LineSplitter, lines_survive_any_cut) {
    const std::string text = "{\"a\":1}\n{\"b\":2}\r\n\n{\"c\":3}";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        LineSplitter lines(100);
        std::vector<std::string> got;
        for (const auto& piece : {text.substr(0, cut), text.substr(cut)}) {
            ASSERT_TRUE(lines.feed(piece));
            while (auto line = lines.next()) got.push_back(*line);
        }
        EXPECT_EQ(got, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"})) << cut;
        EXPECT_EQ(lines.rest(), "{\"c\":3}") << cut;
    }
}

TEST(LineSplitter, an_endless_line_is_refused) {
    LineSplitter lines(10);
    ASSERT_TRUE(lines.feed("12345678"));
    EXPECT_FALSE(lines.next());
    EXPECT_FALSE(lines.feed("9abc"));
    EXPECT_FALSE(LineSplitter(10).feed("short\n0123456789a\n"));
}

TEST(Router, first_matching_route_of_the_method_answers) {
    Router router;
    std::string hit;
    auto mark = [&hit](std::string name) {
        return [&hit, name](Exchange&, PathParams) -> Async<> {
            hit = name;
            return []() -> Async<> { co_return ok(); }();
        };
    };
    router.add(Method::get, "/pins", mark("list"));
    router.add(Method::post, "/pins/recover", mark("recover_all"));
    router.add(Method::get, "/pins/{cid}", mark("status"));
    router.add(Method::post, "/pins/{cid}/recover", mark("recover"));
    router.add(Method::post, "/pins/ipfs/{path...}", mark("path"));
    EXPECT_TRUE(router.find(Method::get, "/pins").handler != nullptr);
    EXPECT_EQ(router.find(Method::get, "/pins/abc").params.get("cid"), "abc");
    // Registration order: "recover" before the path route (reference/http Q22).
    EXPECT_EQ(router.find(Method::post, "/pins/ipfs/recover").params.get("cid"), "ipfs");
    EXPECT_EQ(router.find(Method::post, "/pins/ipfs/Qm/a/b").params.get("path"), "Qm/a/b");
    EXPECT_EQ(router.find(Method::post, "/pins/ipfs/").handler, nullptr);
    auto other = router.find(Method::put, "/pins/abc");
    EXPECT_EQ(other.handler, nullptr);
    EXPECT_TRUE(other.path_known);
    EXPECT_FALSE(router.find(Method::get, "/nope").path_known);
    EXPECT_FALSE(router.find(Method::get, "/pinsx").path_known);
    EXPECT_FALSE(router.find(Method::get, "/pins/").path_known);
}

/// Feeds pieces as a connection does, going on after errors; gives the body bytes seen.
template <bool kIsRequest>
std::size_t feed_all(const std::string& text, std::size_t cut) {
    MessageParser<kIsRequest> parser(8192);
    std::string in;
    std::size_t body = 0;
    for (const auto& piece : {text.substr(0, cut), text.substr(cut)}) {
        in += piece;
        while (!in.empty()) {
            const auto used = parser.feed(in);
            body += std::exchange(parser.body, {}).size();
            if (!used || used.value() == 0) break;
            in.erase(0, used.value());
        }
    }
    (void)parser.feed_end();
    return body;
}

TEST(MessageParser, damaged_messages_are_refused_in_good_order) {
    const std::string request =
        "POST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX:  y z \r\n\r\n"
        "5;ext=\"q\"\r\nhello\r\n1\r\n!\r\n0\r\nTrail: er\r\n\r\nGET";
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTrailer: X\r\n\r\nhello";
    ASSERT_EQ(feed_all<true>(request, request.size()), 6u);
    ASSERT_EQ(feed_all<false>(answer, 3), 5u);
    std::mt19937 random(20260103);
    for (int round = 0; round < 40000; ++round) {
        std::string bad = round % 2 == 0 ? request : answer;
        for (auto changes = random() % 4; changes > 0; --changes) {
            const auto at = random() % bad.size();
            switch (random() % 4) {
                case 0:
                    bad.erase(at, random() % 6);
                    break;
                case 1:
                    bad[at] = static_cast<char>(random());
                    break;
                case 2:
                    bad[at] = "\r\n0f;: "[random() % 8];
                    break;
                default:
                    bad.insert(at, bad.substr(random() % bad.size(), random() % 20));
            }
        }
        const auto cut = random() % bad.size();
        const auto body = round % 2 == 0 ? feed_all<true>(bad, cut) : feed_all<false>(bad, cut);
        ASSERT_LE(body, bad.size());
    }
}

TEST(MessageParser, trailers_of_an_empty_chunked_body_may_come_byte_by_byte) {
    for (const char* end : {"0\r\n\r\n", "0\r\nX: y\r\n\r\n"}) {
        MessageParser<false> parser(8192);
        std::string in;
        for (const char c :
             std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + end) {
            in += c;
            const auto used = parser.feed(in);
            ASSERT_TRUE(used) << used.error().text;
            in.erase(0, used.value());
        }
        EXPECT_TRUE(parser.is_done());
        EXPECT_EQ(parser.trailers.size(), std::string(end).size() > 5 ? 1u : 0u);
    }
}

TEST(Paths, cleaning_keeps_the_trailing_slash) {
    EXPECT_EQ(clean_path("/a//b/./c/../d"), "/a/b/d");
    EXPECT_EQ(clean_path("//"), "/");
    EXPECT_EQ(clean_path("/../../x/"), "/x/");
}

}  // namespace
}  // namespace ipfscluster::http
