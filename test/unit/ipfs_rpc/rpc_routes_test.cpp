#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "ipfs/rpc/cid_text.hpp"
#include "ipfs/rpc/route.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

constexpr std::string_view kBegin = "<!-- made from src/ipfs/rpc/routes.cpp -->\n";
constexpr std::string_view kEnd = "<!-- end -->\n";

TEST(RpcRoutes, the_document_says_what_the_table_says) {
    const std::string path = std::string(ICL_DOCS) + "/kubo-rpc.md";
    std::stringstream read;
    read << std::ifstream(path).rdbuf();
    const auto text = read.str();
    const auto begin = text.find(kBegin), end = text.find(kEnd);
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    const auto from = begin + kBegin.size();
    if (std::getenv("ICL_UPDATE_DOCS") != nullptr) {
        std::ofstream(path) << text.substr(0, from) << describe_routes() << text.substr(end);
        return;
    }
    EXPECT_EQ(text.substr(from, end - from), describe_routes())
        << "run this test with ICL_UPDATE_DOCS=1";
}

TEST(RpcRoutes, every_call_is_found_once_and_names_its_options_once) {
    std::set<std::string_view> names;
    for (const auto& route : routes()) {
        EXPECT_TRUE(names.insert(route.name).second) << route.name;
        EXPECT_EQ(find_route(route.name), &route);
        EXPECT_NE(route.handler, nullptr);
        std::set<std::string_view> options;
        std::set<char> aliases;
        for (const auto& option : common_options()) options.insert(option.name);
        for (const auto& option : route.options) {
            EXPECT_TRUE(options.insert(option.name).second) << route.name << " " << option.name;
            if (option.alias != 0) {
                EXPECT_TRUE(aliases.insert(option.alias).second) << route.name << option.alias;
            }
        }
        for (std::size_t i = 0; i + 1 < route.arguments.size(); ++i)
            EXPECT_FALSE(route.arguments[i].several) << route.name;
    }
    for (const auto name : refused_calls()) EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(find_route(""), nullptr);
    EXPECT_EQ(find_route("zzz"), nullptr);
}

TEST(CidText, bases_are_those_of_multibase) {
    const auto v0 = Cid::parse("QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN").value();
    const auto v1 = Cid::v1(Codec::dag_pb, v0.multihash());
    EXPECT_EQ(CidText()(v0), v0.to_string());
    EXPECT_EQ(CidText()(v1), v1.to_string());
    for (const char* base : {"base16", "base32", "base36", "base64", "base64url"}) {
        const auto text = CidText::make(base, std::nullopt).value()(v0);
        EXPECT_EQ(Cid::parse(text).value(), v1) << base << text;
    }
    EXPECT_EQ(CidText::make("base58btc", std::nullopt).value()(v0), v0.to_string());
    EXPECT_EQ(CidText::make("base58btc", true).value()(v0)[0], 'z');
    EXPECT_EQ(CidText::make("base32", false).value()(v0), v0.to_string());
    EXPECT_FALSE(CidText::make("base2", std::nullopt));
    EXPECT_EQ(CidText::of_path("/ipfs/" + v1.to_string() + "/a")(v0), v1.to_string());
    EXPECT_EQ(CidText::of_path(v0.to_string() + "/a")(v0), v0.to_string());
    EXPECT_EQ(CidText::of_path("nonsense")(v0), v0.to_string());
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
