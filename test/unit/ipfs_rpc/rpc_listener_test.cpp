#include "rpc_fixture.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

class RpcListenerTest : public RpcFixture {};

TEST_F(RpcListenerTest, only_post_reaches_the_api) {
    const auto got = send(http::Method::get, "/api/v0/version");
    EXPECT_EQ(got.status, 405);
    EXPECT_EQ(got.headers.get("Allow"), "OPTIONS, POST");
    EXPECT_EQ(got.body, "405 - Method Not Allowed\n");
    EXPECT_EQ(send(http::Method::options, "/api/v0/version").status, 204);
    EXPECT_EQ(call("version").status, 200);
}

TEST_F(RpcListenerTest, pages_of_other_sites_may_not_call) {
    using Fields = http::Headers;
    const auto post = [&](Fields fields) {
        return send(http::Method::post, "/api/v0/version", std::move(fields)).status;
    };
    EXPECT_EQ(post({{"Origin", "http://evil.example"}}), 403);
    EXPECT_EQ(post({{"Referer", "http://evil.example/page"}}), 403);
    EXPECT_EQ(post({{"Referer", "nonsense"}}), 403);
    EXPECT_EQ(post({{"User-Agent", "Mozilla/5.0"}}), 403);
    EXPECT_EQ(post({{"User-Agent", "Mozilla/5.0 Electron/1"}}), 200);
    EXPECT_EQ(post({{"User-Agent", "curl/7"}}), 200);
}

TEST_F(RpcListenerTest, pages_of_its_own_address_may_call) {
    RpcListenerConfig config;
    config.server.listen = {Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()};
    RpcListener open(node, std::move(config));
    ASSERT_TRUE(run(open.start()));
    const auto text = open.addresses().front().to_string();
    const auto origin = "http://localhost:" + text.substr(text.rfind('/') + 1);
    http::Client own(world, http::client_config_for(open.addresses().front()).value());
    const auto post = [&](http::Method method, http::Headers fields) {
        http::ClientRequest request;
        request.method = method;
        request.target = "/api/v0/version";
        request.headers = std::move(fields);
        return run(own.fetch(std::move(request))).value();
    };
    const auto answer = post(http::Method::post, {{"Origin", origin}, {"Referer", origin + "/x"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.get("Access-Control-Allow-Origin"), origin);
    const auto asked = post(http::Method::options,
                            {{"Origin", origin}, {"Access-Control-Request-Method", "POST"}});
    EXPECT_EQ(asked.status, 204);
    EXPECT_EQ(asked.headers.get("Access-Control-Allow-Methods"), "POST");
    own.close();
    EXPECT_TRUE(run(open.stop(Duration{})));
}

TEST_F(RpcListenerTest, unknown_paths_and_commands_fail_as_in_kubo) {
    for (const char* path : {"/api/v0/nonsense", "/api/v0/", "/api/v0/pin/add/x", "/other"}) {
        const auto answer = send(http::Method::post, path);
        EXPECT_EQ(answer.status, 404) << path;
        EXPECT_EQ(answer.body, "404 page not found\n");
    }
    EXPECT_NE(message(call("files/ls?arg=/")).find("does not have the command \\\"files/ls\\\""),
              std::string::npos);
    EXPECT_NE(message(call("shutdown")).find("shutdown"), std::string::npos);
}

TEST_F(RpcListenerTest, wrong_arguments_are_named) {
    struct Case {
        const char *target, *text;
    };
    for (const auto& c :
         {Case{"cat", "argument \"ipfs-path\" is required\n"},
          Case{"pin/update?arg=x", "argument \"to-path\" is required\n"},
          Case{"block/get?arg=a&arg=b", "expected 1 argument(s), got 2\n"},
          Case{"add", "file argument 'path' is required\n"},
          Case{"cat?arg=x&offset=y",
               "could not convert value \"y\" to type \"int64\" (for option \"-offset\")\n"},
          Case{"pin/ls?stream=maybe",
               "could not convert value \"maybe\" to type \"bool\" (for option \"-stream\")\n"},
          Case{"pin/ls?type=all&type=direct", "expected key type to have only a single value\n"},
          Case{"version?encoding=xml", "invalid encoding: xml (this node answers in JSON)\n"}}) {
        const auto answer = call(c.target);
        EXPECT_EQ(answer.status, 400) << c.target;
        EXPECT_EQ(answer.body, c.text) << c.target;
    }
    EXPECT_NE(message(call("id?peerid-base=base36")).find("option"), std::string::npos);
    EXPECT_NE(message(call("version?cid-base=x")), "");
}

TEST_F(RpcListenerTest, a_call_has_kubos_fields) {
    const auto answer = call("version?unknown-option=1");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/json");
    EXPECT_EQ(answer.headers.get("Server"), "kubo/0.43.0");
    EXPECT_EQ(answer.headers.get("Trailer"), "X-Stream-Error");
    EXPECT_NE(answer.body.find("\"Version\":\"0.43.0\""), std::string::npos);
}

TEST_F(RpcListenerTest, a_missing_block_in_the_middle_ends_in_the_trailer) {
    const std::string content(600'000, 'x');
    std::string varied = content;
    for (std::size_t i = 0; i < varied.size(); ++i) varied[i] = static_cast<char>(i * 7 / 3);
    const auto cid = add(varied);
    const auto links = call("refs?arg=" + cid);
    const auto last = links.body.rfind("\"Ref\":\"");
    const auto lost = links.body.substr(last + 7, 46);
    ASSERT_TRUE(blocks.forget(Cid::parse(lost).value().multihash()));
    const auto answer = call("cat?arg=" + cid);
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.trailers.get("X-Stream-Error").find("was not found"), std::string_view::npos);
    EXPECT_TRUE(varied.starts_with(answer.body));
}

TEST_F(RpcListenerTest, a_call_ends_at_its_timeout) {
    EXPECT_EQ(call("version?timeout=1s").status, 200);
    EXPECT_EQ(call("version?timeout=soon").status, 400);
}

TEST_F(RpcListenerTest, the_gateway_serves_ranges) {
    std::string content(600'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 / 3);
    const auto root = add_in_directory(content);
    const auto list = call("ls?arg=" + root);
    ASSERT_NE(list.body.find("\"Name\":\"f\""), std::string::npos) << list.body;
    const auto target = "/ipfs/" + root + "/f";
    const auto part = send(http::Method::get, target, {{"Range", "bytes=262140-262150"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.headers.get("Content-Range"), "bytes 262140-262150/600000");
    EXPECT_TRUE(part.body == content.substr(262'140, 11));
    EXPECT_EQ(send(http::Method::get, target, {{"Range", "bytes=700000-"}}).status, 416);
    EXPECT_EQ(send(http::Method::get, "/ipfs/" + root + "/none").status, 404);
    EXPECT_EQ(send(http::Method::get, "/ipfs/" + root).status, 400);
    EXPECT_EQ(send(http::Method::post, target).status, 405);
    const auto head = send(http::Method::head, target);
    EXPECT_EQ(head.headers.get("Content-Length"), "600000");
    EXPECT_EQ(head.headers.get("X-Content-Type-Options"), "nosniff");
    const std::string tag(head.headers.get("ETag"));
    EXPECT_EQ(send(http::Method::get, target, {{"If-None-Match", tag}}).status, 304);
    const auto archive = send(http::Method::get, "/ipfs/" + root + "?format=tar");
    EXPECT_EQ(archive.headers.get("Content-Type"), "application/x-tar");
    EXPECT_NE(archive.body.find(root + "/f"), std::string::npos);
    EXPECT_EQ(send(http::Method::get, target + "?format=raw").status, 400);
}

TEST_F(RpcListenerTest, it_listens_on_loopback_only) {
    RpcListenerConfig config;
    config.server.listen = {Multiaddr::parse("/ip4/0.0.0.0/tcp/0").value()};
    RpcListener open(node, std::move(config));
    auto started = run(open.start());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, Kind::invalid);
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
