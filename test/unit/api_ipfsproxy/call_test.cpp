// What a request to the proxy asks for: pure parsing.
#include "api/ipfsproxy/call.hpp"

#include <gtest/gtest.h>

#include "api/ipfsproxy/put_row.hpp"

namespace ipfscluster::ipfsproxy {
namespace {

using http::Method;

constexpr const char* kV0 = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
constexpr const char* kV1 = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

TEST(proxy_call, intercepts_kubos_paths_and_nothing_beside_them) {
    struct Case {
        Method method;
        const char* path;
        const char* query;
        Op op;
    };
    const Case cases[] = {
        {Method::post, "/api/v0/pin/add", "", Op::pin_add},
        {Method::get, "/api/v0/pin/add", "", Op::pin_add},
        {Method::put, "/api/v0/pin/rm/x", "", Op::pin_rm},
        {Method::post, "/api/v0/pin/ls/x", "", Op::pin_ls},
        {Method::post, "/api/v0/pin/update", "", Op::pin_update},
        {Method::post, "/api/v0/add", "", Op::add},
        {Method::post, "/api/v0/repo/stat", "", Op::repo_stat},
        {Method::post, "/api/v0/repo/gc", "", Op::repo_gc},
        {Method::post, "/api/v0/block/put", "pin=true", Op::block_put},
        {Method::post, "/api/v0/dag/put", "pin", Op::dag_put},
        // The daemon's.
        {Method::head, "/api/v0/pin/add", "", Op::pass},
        {Method::options, "/api/v0/pin/add", "", Op::pass},
        {Method::post, "/api/v0/pin/add/", "", Op::pass},
        {Method::post, "/api/v0/pin/add/ipfs/x", "", Op::pass},
        {Method::post, "/api/v0/pin/addx", "", Op::pass},
        {Method::post, "/api/v0/pin/update/x", "", Op::pass},
        {Method::post, "/api/v0/add/x", "", Op::pass},
        {Method::post, "/api/v0/add", "only-hash=true", Op::pass},
        {Method::post, "/api/v0/block/put", "", Op::pass},
        {Method::post, "/api/v0/dag/put", "pin=false", Op::pass},
        {Method::post, "/api/v0/pin/remote/add", "", Op::pass},
        {Method::post, "/api/v1/pin/add", "", Op::pass},
        {Method::post, "/", "", Op::pass},
    };
    for (const auto& c : cases) {
        const auto call = parse_call(c.method, c.path, c.query);
        ASSERT_TRUE(call) << c.path;
        EXPECT_EQ(static_cast<int>(call.value().op), static_cast<int>(c.op))
            << c.path << "?" << c.query;
    }
}

TEST(proxy_call, arguments_come_from_the_path_or_repeated) {
    const auto args = [](const char* path, const char* query) {
        return parse_call(Method::post, path, query).value().args;
    };
    using List = std::vector<std::string>;
    EXPECT_EQ(args("/api/v0/pin/add", "arg=a&x=y&arg=b%2Fc&arg="), (List{"a", "b/c"}));
    EXPECT_EQ(args("/api/v0/pin/add/z", "arg=a"), (List{"z"}));
    EXPECT_TRUE(args("/api/v0/pin/add", "").empty());
}

TEST(proxy_call, bad_queries_are_refused_only_where_they_are_ours) {
    EXPECT_FALSE(parse_call(Method::post, "/api/v0/pin/add", "arg=%zz"));
    EXPECT_FALSE(parse_call(Method::post, "/api/v0/block/put", "pin=maybe"));
    EXPECT_TRUE(parse_call(Method::post, "/api/v0/cat", "arg=%zz"));
}

TEST(proxy_call, the_pin_option_is_replaced_and_the_rest_left_alone) {
    EXPECT_EQ(target_without_pin("/api/v0/block/put?pin=true&format=v0&p%69n=1&mhtype=a%20b"),
              "/api/v0/block/put?pin=false&format=v0&mhtype=a%20b");
    EXPECT_EQ(target_without_pin("/api/v0/dag/put"), "/api/v0/dag/put?pin=false");
}

TEST(proxy_call, paths_are_read_as_kubo_reads_them) {
    const auto plain = parse_content_path(kV0);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain.value().text, std::string("/ipfs/") + kV0);
    EXPECT_EQ(plain.value().cid->to_string(), kV0);
    const auto full = parse_content_path(std::string("/ipfs/") + kV1 + "/");
    ASSERT_TRUE(full);
    EXPECT_EQ(full.value().cid->to_string(), kV1);
    const auto deep = parse_content_path(std::string(kV1) + "/a/b");
    ASSERT_TRUE(deep);
    EXPECT_EQ(deep.value().text, std::string("/ipfs/") + kV1 + "/a/b");
    EXPECT_FALSE(deep.value().cid);
    EXPECT_FALSE(parse_content_path("/ipns/example.org").value().cid);
    for (const char* bad : {"", "/", "/ipfs/", "/ipfs/abc", "abc", "/other/x", "/ipns/"})
        EXPECT_FALSE(parse_content_path(bad)) << bad;
}

TEST(proxy_call, cids_are_written_in_the_base_asked_for) {
    const auto v0 = Cid::parse(kV0).value();
    const auto v1 = Cid::parse(kV1).value();
    const auto with = [](codec::Query query) { return CidWriter::from(query).value(); };
    EXPECT_EQ(with({})(v0), kV0);
    EXPECT_EQ(with({})(v1), kV1);
    EXPECT_EQ(with({{"cid-base", "base58btc"}})(v0), kV0);
    EXPECT_TRUE(with({{"cid-base", "base58btc"}})(v1).starts_with("z"));
    EXPECT_TRUE(with({{"cid-base", "base32"}})(v0).starts_with("bafybei"));
    EXPECT_EQ(Cid::parse(with({{"cid-base", "base16"}})(v1)).value(), v1);
    EXPECT_FALSE(CidWriter::from({{"cid-base", "base64"}}));
}

TEST(proxy_put_row, names_the_cid_or_says_what_came_instead) {
    const std::string cid = kV1;
    EXPECT_EQ(
        parse_put_row(Op::block_put, "{\"Key\":\"" + cid + "\",\"Size\":3}").value().to_string(),
        cid);
    EXPECT_EQ(parse_put_row(Op::dag_put, "{\"Cid\":{\"/\":\"" + cid + "\"}}").value().to_string(),
              cid);
    for (const char* bad :
         {"", "{}", "[]", "{\"Key\":1}", "{\"Key\":\"x\"}", "{\"Cid\":\"x\"}", "{"})
        EXPECT_EQ(parse_put_row(Op::block_put, bad).error().kind, Kind::corrupt) << bad;
    EXPECT_FALSE(parse_put_row(Op::dag_put, "{\"Cid\":{}}"));
}

}  // namespace
}  // namespace ipfscluster::ipfsproxy
