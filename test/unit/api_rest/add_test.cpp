// POST /add (reference/http 4) over a fake importer.
#include "http/multipart_writer.hpp"
#include "unit/api_rest/rest_fixture.hpp"

namespace ipfscluster::rest {
namespace {

using http::Method;

class Add : public RestFixture {
 protected:
    http::ClientAnswer add(const std::string& query, const Bytes& body) {
        return ask(Method::post, "/add" + query, {{"Content-Type", writer.content_type()}}, body);
    }
    std::string file(const std::string& path, const std::string& content) {
        return writer.begin_file(path, "application/octet-stream") + content;
    }
    /// A whole body of files; the frame is written in the order of the parts.
    Bytes files(const std::vector<std::pair<std::string, std::string>>& list) {
        Bytes body;
        for (const auto& [path, content] : list) body += file(path, content);
        body += writer.close();
        writer = http::MultipartWriter(1, 2);
        return body;
    }
    http::MultipartWriter writer{1, 2};
};

TEST_F(Add, parts_become_nodes_in_their_order) {
    start();
    Bytes body = writer.begin_file("docs", "application/x-directory");
    body += file("docs/a b.txt", "hello world");
    body += writer.begin_file("docs/l", "application/symlink") + "a b.txt";
    body += file("../..//x/./y", "");
    body += writer.close();
    auto answer = add("", body);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(cluster.add_state.events,
              (std::vector<std::string>{"dir docs", "file docs/a b.txt:11", "link docs/l->a b.txt",
                                        "file x/y:0"}));
    EXPECT_TRUE(cluster.add_state.finished);
    EXPECT_TRUE(answer.body.starts_with("{\"name\":\"docs/a b.txt\",\"cid\":\"" +
                                        test_cid("root").to_string() + "\",\"size\":19}\n"))
        << answer.body;
    EXPECT_EQ(answer.headers.get("X-Chunked-Output"), "1");
    EXPECT_EQ(answer.headers.get("Trailer"), "X-Stream-Error");
    EXPECT_EQ(answer.headers.get("Connection"), "close");
    EXPECT_EQ(answer.headers.get("Cache-Control"), "no-cache");
    // Declared, but absent when all went well.
    EXPECT_FALSE(answer.trailers.has("X-Stream-Error"));
}

TEST_F(Add, without_stream_channels_the_answer_is_one_array) {
    start();
    auto answer = add("?stream-channels=false", files({{"a", "1"}, {"b", "2"}}));
    EXPECT_EQ(answer.status, 200);
    const auto cid = test_cid("root").to_string();
    EXPECT_EQ(answer.body, "[{\"name\":\"a\",\"cid\":\"" + cid +
                               "\",\"size\":9},{\"name\":\"b\",\"cid\":\"" + cid +
                               "\",\"size\":9}]\n");
    EXPECT_FALSE(answer.headers.has("X-Chunked-Output"));
}

TEST_F(Add, progress_shows_while_the_upload_goes_on) {
    start();
    auto call = run(client->open({.method = Method::post,
                                  .target = "/add?progress=true",
                                  .headers = {{"Content-Type", writer.content_type()}},
                                  .streamed = true}))
                    .value();
    ASSERT_TRUE(run(call->write_body(file("big", std::string(100000, 'x')))));
    ASSERT_TRUE(run(call->read_head()));
    auto first = run(call->read()).value();
    EXPECT_TRUE(first.starts_with("{\"name\":\"big\",\"cid\":null,\"bytes\":")) << first;
    EXPECT_FALSE(cluster.add_state.finished);
    ASSERT_TRUE(run(call->write_body(writer.close())));
    ASSERT_TRUE(run(call->finish_body()));
    EXPECT_TRUE(run(call->read_all(1 << 20)));
    EXPECT_TRUE(cluster.add_state.finished);
    EXPECT_EQ(cluster.add_state.events, (std::vector<std::string>{"file big:100000"}));
}

TEST_F(Add, a_client_that_reads_only_at_the_end_is_served) {
    start();
    Bytes body;
    for (int i = 0; i < 20000; ++i)
        body += file("f" + std::to_string(i) + std::string(100, 'n'), "");
    auto answer = add("", body + writer.close());
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 20000);
}

TEST_F(Add, late_errors_stand_in_the_trailer_or_are_a_500) {
    start();
    const Bytes body = files({{"a", "hello"}});
    auto check = [&](const std::string& text, const Bytes& sent) {
        auto streamed = add("", sent);
        EXPECT_EQ(streamed.status, 200) << text;
        ASSERT_EQ(streamed.trailers.all("X-Stream-Error").size(), 1u) << text;
        EXPECT_NE(streamed.trailers.get("X-Stream-Error").find(text), std::string::npos);
        EXPECT_FALSE(cluster.add_state.finished);
        auto whole = add("?stream-channels=false", sent);
        EXPECT_EQ(whole.status, 500) << text;
        EXPECT_NE(whole.body.find(text), std::string::npos);
    };
    cluster.add_state.begin_error = Error{Kind::invalid, "chunker: bad one"};
    check("chunker: bad one", body);
    cluster.add_state.begin_error.reset();
    cluster.add_state.write_error = Error{Kind::disk_full, "disk full on peer-1"};
    check("disk full on peer-1", body);
    cluster.add_state.write_error.reset();
    cluster.add_state.finish_error = Error{Kind::unavailable, "no quorum"};
    check("no quorum", body);
    cluster.add_state.finish_error.reset();
    EXPECT_TRUE(cluster.add_state.destroyed);
    http::MultipartWriter other(1, 2);
    check("no parts", other.close());
    check("before its closing boundary", body.substr(0, body.size() - 10));
    check("no boundary", "nonsense");
}

TEST_F(Add, what_is_not_multipart_is_refused) {
    start();
    for (const auto* type :
         {"", "text/plain", "multipart/form-data", "application/json; boundary=x"}) {
        auto answer = ask(Method::post, "/add", {{"Content-Type", type}}, "hello");
        EXPECT_EQ(answer.status, 400) << type;
        EXPECT_NE(answer.body.find("Content-Type"), std::string::npos);
    }
}

TEST_F(Add, bad_parameters_are_named_and_nothing_begins) {
    start();
    for (const std::string query :
         {"format=zip", "layout=flat", "cid-version=x", "raw-leaves=yes", "wrap-with-directory=2",
          "shard=maybe", "local=x", "progress=x", "no-pin=x", "nocopy=x", "stream-channels=x",
          "recursive=x", "hidden=x", "replication-min=x", "shard-size=x", "expire-in=x",
          "wrap-with-directory=true&format=car"}) {
        auto answer = add("?" + query, files({{"a", "x"}}));
        EXPECT_EQ(answer.status, 400) << query;
        EXPECT_NE(answer.body.find(query.substr(0, query.find('='))), std::string::npos)
            << answer.body;
    }
    EXPECT_TRUE(cluster.add_state.events.empty());
}

TEST_F(Add, parameters_reach_the_importer) {
    start();
    auto answer =
        add("?layout=trickle&chunker=rabin&hash=SHA2-512&cid-version=1&wrap-with-directory=T&shard="
            "1&local=true&progress=f"
            "&no-pin=TRUE&name=n&replication=2&mode=direct",
            files({{"a", "x"}}));
    EXPECT_EQ(answer.status, 200);
    const auto& p = cluster.add_state.params;
    EXPECT_EQ(p.layout, "trickle");
    EXPECT_EQ(p.chunker, "rabin");
    EXPECT_EQ(p.hash, "sha2-512");
    EXPECT_EQ(p.cid_version, 1);
    EXPECT_TRUE(p.raw_leaves);
    EXPECT_TRUE(p.wrap && p.shard && p.local && p.no_pin);
    EXPECT_FALSE(p.progress);
    EXPECT_EQ(p.pin.name, "n");
    EXPECT_EQ(p.pin.replication_max, 2);
    EXPECT_EQ(p.pin.mode, PinMode::recursive);
    EXPECT_EQ(p.pin.shard_size, 104857600u);
}

TEST_F(Add, a_client_that_goes_away_aborts_the_session) {
    start();
    {
        auto call = run(client->open({.method = Method::post,
                                      .target = "/add",
                                      .headers = {{"Content-Type", writer.content_type()}},
                                      .streamed = true}))
                        .value();
        ASSERT_TRUE(run(call->write_body(file("big", std::string(1000, 'x')))));
    }
    struct Wait {
        static Async<> until(World& w, bool& done) {
            while (!done) {
                ICL_CO_TRY(co_await w.sleep_for(std::chrono::milliseconds(1)));
            }
            co_return ok();
        }
    };
    EXPECT_TRUE(run(Wait::until(world, cluster.add_state.destroyed)));
    EXPECT_FALSE(cluster.add_state.finished);
}

}  // namespace
}  // namespace ipfscluster::rest
