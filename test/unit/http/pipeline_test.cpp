// Authentication, CORS, slash rules and routing as a client sees them (reference/http 1.3 to 1.6).
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "http/jwt.hpp"
#include "http/pipeline.hpp"
#include "support/http_fixture.hpp"

namespace ipfscluster::http {
namespace {

Time at(std::int64_t seconds) {
    return Time(std::chrono::seconds(seconds));
}

const std::string kToken =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhbGljZSJ9."
    "WYtzjZFGXjAprG1Xqiqxybd9adsB73xCzfSmCMkMnrs";

std::optional<std::string> passwords(std::string_view user) {
    if (user == "alice") return "s3cret";
    return std::nullopt;
}

TEST(Jwt, the_published_vector_is_issued_and_accepted) {
    EXPECT_EQ(issue_jwt("alice", "s3cret"), kToken);
    EXPECT_EQ(check_jwt(kToken, passwords, at(1)).value(), "alice");
}

TEST(Jwt, forgeries_are_refused) {
    const std::string none = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhbGljZSJ9.";
    for (const std::string& bad :
         {std::string(), std::string("a.b.c"), none, kToken.substr(0, kToken.size() - 2),
          issue_jwt("bob", "s3cret"), issue_jwt("alice", "other"), kToken + ".x",
          std::string(5000, 'x')})
        EXPECT_FALSE(check_jwt(bad, passwords, at(1))) << bad.substr(0, 50);
}

class Api : public test::HttpFixture {
 protected:
    void start(PipelineConfig config = {}) {
        config.error_body = [](int status, std::string_view message) {
            return std::to_string(status) + " " + std::string(message);
        };
        Router router;
        auto name = [](std::string text) {
            return [text](Exchange& e, PathParams p) {
                return e.respond(200, "text/plain", text + ":" + std::string(p.get("x")));
            };
        };
        router.add(Method::get, "/health", name("health"));
        router.add(Method::get, "/things/{x}", name("get"));
        router.add(Method::post, "/things/{x}", name("post"));
        serve(make_pipeline(world, std::move(config), std::move(router)));
    }
    ClientAnswer ask(Method method, std::string target, Headers headers = {}) {
        Client client(world, client_config());
        auto answer =
            run(client.fetch({.method = method, .target = std::move(target), .headers = headers}));
        EXPECT_TRUE(answer) << answer.error().text;
        return answer ? answer.value() : ClientAnswer{};
    }
};

TEST_F(Api, routes_and_their_absence) {
    start({.headers = {{"X-Extra", "1"}, {"X-Extra", "2"}}});
    EXPECT_EQ(ask(Method::get, "/things/a%20b").body, "get:a b");
    EXPECT_EQ(ask(Method::get, "/things/a").headers.all("X-Extra").size(), 2u);
    EXPECT_EQ(ask(Method::get, "/nope").body, "404 not found");
    EXPECT_EQ(ask(Method::get, "/").status, 404);
    EXPECT_EQ(ask(Method::del, "/things/a").status, 404);
    auto put = ask(Method::put, "/things/a");
    EXPECT_EQ(put.status, 405);
    EXPECT_EQ(put.body, "");
    EXPECT_EQ(ask(Method::options, "/things/a").status, 405);
    EXPECT_EQ(ask(Method::head, "/things/a").status, 405);
    EXPECT_EQ(ask(Method::put, "/nope").status, 404);
}

TEST_F(Api, slashes_are_redirected_with_their_query) {
    start();
    auto slash = ask(Method::post, "/things/a%20b/?q=1");
    EXPECT_EQ(slash.status, 307);
    EXPECT_EQ(slash.headers.get("Location"), "/things/a%20b?q=1");
    auto dirty = ask(Method::get, "//things/./x/../a?q=2");
    EXPECT_EQ(dirty.status, 301);
    EXPECT_EQ(dirty.headers.get("Location"), "/things/a?q=2");
    // Never to another host.
    EXPECT_EQ(ask(Method::get, "//evil.example/").headers.get("Location"), "/evil.example/");
}

TEST_F(Api, basic_and_bearer_open_the_door) {
    start({.credentials = {{"alice", "s3cret"}, {"empty", ""}}});
    auto none = ask(Method::get, "/things/a", {{"Origin", "http://x"}});
    EXPECT_EQ(none.status, 401);
    EXPECT_TRUE(none.body.starts_with("401 unauthorized"));
    EXPECT_EQ(none.headers.all("WWW-Authenticate"),
              (std::vector<std::string_view>{"Bearer realm=\"Restricted IPFS Cluster API\"",
                                             "Basic realm=\"Restricted IPFS Cluster API\""}));
    EXPECT_FALSE(none.headers.has("Access-Control-Allow-Origin"));
    const auto basic = [](const std::string& pair) { return "Basic " + base64_encode(pair); };
    EXPECT_EQ(ask(Method::get, "/things/a", {{"Authorization", basic("alice:s3cret")}}).status,
              200);
    for (const auto* wrong : {"alice:s3cre", "alice:", "bob:s3cret", "empty:", ":", "alice"}) {
        auto answer = ask(Method::get, "/things/a", {{"Authorization", basic(wrong)}});
        EXPECT_EQ(answer.status, 401) << wrong;
        EXPECT_EQ(answer.headers.get("WWW-Authenticate"),
                  "Basic realm=\"Restricted IPFS Cluster API\"");
    }
    EXPECT_EQ(ask(Method::get, "/things/a", {{"Authorization", "bearer " + kToken}}).status, 200);
    auto bad = ask(Method::get, "/things/a", {{"Authorization", "Bearer " + kToken + "x"}});
    EXPECT_EQ(bad.status, 401);
    EXPECT_EQ(bad.headers.get("WWW-Authenticate"),
              "Bearer realm=\"Restricted IPFS Cluster API\", error=\"invalid_token\"");
    EXPECT_EQ(ask(Method::get, "/health").status, 200);
    EXPECT_EQ(ask(Method::get, "/health/x").status, 401);
    EXPECT_EQ(ask(Method::head, "/health").status, 401);
    EXPECT_EQ(ask(Method::options, "/things/a").status, 405);
}

TEST_F(Api, cross_origin_requests) {
    start();
    auto plain = ask(Method::get, "/things/a", {{"Origin", "http://x"}});
    EXPECT_EQ(plain.headers.get("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(plain.headers.get("Access-Control-Allow-Credentials"), "true");
    EXPECT_NE(plain.headers.get("Access-Control-Expose-Headers").find("X-Chunked-Output"),
              std::string::npos);
    EXPECT_EQ(plain.headers.get("Vary"), "Origin");
    EXPECT_FALSE(ask(Method::post, "/things/a", {{"Origin", "http://x"}})
                     .headers.has("Access-Control-Allow-Origin"));

    auto preflight = ask(Method::options, "/anything",
                         {{"Origin", "http://x"},
                          {"Access-Control-Request-Method", "GET"},
                          {"Access-Control-Request-Headers", "content-type"}});
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.headers.get("Access-Control-Allow-Methods"), "GET");
    EXPECT_EQ(preflight.headers.get("Access-Control-Allow-Headers"), "content-type");
    auto refused = ask(Method::options, "/anything",
                       {{"Origin", "http://x"}, {"Access-Control-Request-Method", "DELETE"}});
    EXPECT_EQ(refused.status, 204);
    EXPECT_FALSE(refused.headers.has("Access-Control-Allow-Origin"));
}

TEST(Cors, origins_match_with_one_star) {
    CorsConfig config;
    config.allowed_origins = {"http://*.example.org"};
    Request request;
    request.headers.add("Origin", "http://a.example.org");
    Headers fields;
    add_cors_fields(config, request, fields);
    EXPECT_EQ(fields.get("Access-Control-Allow-Origin"), "http://a.example.org");
    request.headers.set("Origin", "http://example.org");
    fields.clear();
    add_cors_fields(config, request, fields);
    EXPECT_FALSE(fields.has("Access-Control-Allow-Origin"));
}

}  // namespace
}  // namespace ipfscluster::http
