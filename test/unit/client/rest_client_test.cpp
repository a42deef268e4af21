#include "client/rest_client.hpp"

#include "support/http_fixture.hpp"

namespace ipfscluster::client {
namespace {

constexpr const char* kCid = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

std::string pin_line(const std::string& name) {
    return "{\"cid\":\"" + std::string(kCid) + "\",\"name\":\"" + name + "\",\"type\":\"pin\"}\n";
}

/// What one whole stream gave.
struct Listed {
    std::vector<std::string> names;
    std::optional<ApiError> error;
};

class RestClientTest : public test::HttpFixture {
 protected:
    std::unique_ptr<RestClient> client(std::vector<http::ClientConfig> before = {}) {
        ClientOptions options;
        options.hosts = std::move(before);
        options.hosts.push_back(client_config());
        options.timeout = timeout;
        return std::make_unique<RestClient>(world, std::move(options));
    }

    /// The value, or the error kept in `failed`.
    template <class T>
    std::optional<T> call(Call<T> work) {
        auto done = run(unwrap<T>(std::move(work), this));
        EXPECT_TRUE(done);
        return done ? std::move(done.value()) : std::optional<T>{};
    }
    template <class T>
    static Async<std::optional<T>> unwrap(Call<T> work, RestClientTest* self) {
        auto result = co_await std::move(work);
        self->failed.reset();
        if (!result) {
            self->failed = result.error();
            co_return std::optional<T>{};
        }
        co_return std::optional<T>(std::move(result.value()));
    }

    static Async<Listed> collect(Call<StreamPtr<Pin>> call) {
        Listed out;
        auto stream = co_await std::move(call);
        if (!stream) {
            out.error = stream.error();
            co_return out;
        }
        while (true) {
            auto item = co_await stream.value()->next();
            if (!item) {
                out.error = item.error();
                co_return out;
            }
            if (!item.value()) co_return out;
            out.names.push_back(item.value()->options.name);
        }
    }

    Duration timeout{};
    std::optional<ApiError> failed;
    std::string seen_target;
};

Async<> answer_list(http::Exchange& e) {
    e.headers.add("Trailer", "X-Stream-Error");
    e.start(200, "application/json");
    for (const char* name : {"a", "b"}) {
        ICL_CO_TRY(co_await e.write(pin_line(name)));
        ICL_CO_TRY(co_await e.flush());
    }
    if (e.request.query.find("meta-pin") != std::string_view::npos)
        e.add_trailer("X-Stream-Error", "the disk is gone");
    co_return co_await e.finish();
}

TEST_F(RestClientTest, a_stream_gives_its_items_and_ends) {
    serve(answer_list);
    const auto api = client();
    const auto listed = run(collect(api->allocations("all"))).value();
    EXPECT_EQ(listed.names, (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(listed.error);
}

TEST_F(RestClientTest, an_error_trailer_fails_the_stream_after_its_items) {
    serve(answer_list);
    const auto api = client();
    const auto listed = run(collect(api->allocations("meta-pin"))).value();
    EXPECT_EQ(listed.names.size(), 2u);
    ASSERT_TRUE(listed.error);
    EXPECT_EQ(listed.error->code, 500);
    EXPECT_EQ(listed.error->error.text, "the disk is gone");
}

Async<> answer_cut(http::Exchange& e) {
    e.start(200, "application/json");
    ICL_CO_TRY(co_await e.write(pin_line("a")));
    ICL_CO_TRY(co_await e.flush());
    co_return fail(Kind::internal, "cut");
}

TEST_F(RestClientTest, a_cut_stream_is_no_short_list) {
    serve(answer_cut);
    const auto api = client();
    const auto listed = run(collect(api->allocations("all"))).value();
    ASSERT_TRUE(listed.error);
    EXPECT_EQ(listed.error->code, 0);
}

Async<> answer_empty(http::Exchange& e) {
    co_return co_await e.respond_empty(204);
}

TEST_F(RestClientTest, no_content_is_an_empty_list) {
    serve(answer_empty);
    const auto api = client();
    const auto listed = run(collect(api->allocations(""))).value();
    EXPECT_TRUE(listed.names.empty());
    EXPECT_FALSE(listed.error);
}

Async<> answer_refusal(http::Exchange& e) {
    if (e.request.path == "/id") co_return co_await e.respond(502, "text/html", "bad gateway\n");
    co_return co_await e.respond(404, "application/json",
                                 "{\"code\":404,\"message\":\"pin is not part of the pinset\"}\n");
}

TEST_F(RestClientTest, errors_carry_the_servers_code_and_words) {
    serve(answer_refusal);
    const auto api = client();
    EXPECT_FALSE(call(api->allocation(Cid::parse(kCid).value())));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->code, 404);
    EXPECT_EQ(failed->error.text, "pin is not part of the pinset");
    EXPECT_EQ(failed->error.kind, Kind::not_found);
    EXPECT_FALSE(call(api->id()));
    EXPECT_EQ(failed->code, 502);
    EXPECT_EQ(failed->error.text, "bad gateway");
}

TEST_F(RestClientTest, the_next_host_is_asked_when_one_cannot_be_reached) {
    serve([this](http::Exchange& e) -> Async<> {
        seen_target = e.request.target;
        return e.respond(200, "application/json", pin_line("x"));
    });
    http::ClientConfig nobody;
    nobody.unix_path = "/nonexistent/socket";
    const auto api = client({nobody});
    PinOptions options;
    options.replication_min = 1;
    options.replication_max = 2;
    options.name = "a b";
    const auto pin = call(api->pin(std::string("/ipfs/") + kCid + "/x y", options));
    ASSERT_TRUE(pin) << failed->error.text;
    EXPECT_EQ(pin->options.name, "x");
    EXPECT_TRUE(seen_target.starts_with(std::string("/pins/ipfs/") + kCid + "/x%20y?"))
        << seen_target;
    EXPECT_NE(seen_target.find("replication-max=2"), std::string::npos);
}

Async<> answer_never(http::Exchange& e) {
    e.start(200, "application/json");
    ICL_CO_TRY(co_await e.write(pin_line("a")));
    ICL_CO_TRY(co_await e.flush());
    // Holds the answer open until the client goes away.
    while (true) {
        ICL_CO_TRY(const auto piece, co_await e.read_body());
        ICL_CO_TRY(co_await e.write(Bytes(1000, '\n')));
    }
}

TEST_F(RestClientTest, a_timeout_covers_the_whole_answer) {
    serve(answer_never);
    timeout = std::chrono::milliseconds(50);
    const auto api = client();
    const auto listed = run(collect(api->allocations("all"))).value();
    ASSERT_TRUE(listed.error);
    EXPECT_EQ(listed.error->code, 0);
    EXPECT_EQ(listed.error->error.kind, Kind::timeout);
}

/// A body of some pieces, then its end or an error.
class FakeBody final : public Source<Bytes> {
 public:
    FakeBody(int pieces, bool fails) : left_(pieces), fails_(fails) {}
    Async<std::optional<Bytes>> next() override {
        if (left_-- > 0) co_return std::optional<Bytes>(Bytes(100'000, 'x'));
        if (fails_) co_return fail(Kind::invalid, "a file went away");
        co_return std::optional<Bytes>{};
    }

 private:
    int left_;
    bool fails_;
};

class AddTest : public RestClientTest {
 protected:
    ApiResult<> add(FakeBody body) {
        auto api = client();
        auto done = run(keep(api.get(), &body, this));
        EXPECT_TRUE(done) << done.error().text;
        return std::move(*result);
    }
    static Async<> keep(RestClient* api, FakeBody* body, AddTest* self) {
        std::function<void(AddedOutput)> keep_name = [self](AddedOutput output) {
            self->names.push_back(output.name);
        };
        const AddParams params;
        auto added = co_await api->add(params, "multipart/form-data; boundary=b", *body, keep_name);
        self->result.emplace(std::move(added));
        co_return ok();
    }
    /// Reads the whole body, then answers two objects.
    static Async<> take_all(AddTest* self, http::Exchange* e) {
        while (true) {
            ICL_CO_TRY(const auto piece, co_await e->read_body());
            if (piece.empty()) break;
            self->received += piece.size();
        }
        self->complete = true;
        e->start(200, "application/json");
        ICL_CO_TRY(co_await e->write("{\"name\":\"first\",\"cid\":null,\"bytes\":1}\n"));
        ICL_CO_TRY(
            co_await e->write("{\"name\":\"last\",\"cid\":\"" + std::string(kCid) + "\"}\n"));
        co_return co_await e->finish();
    }

    std::optional<ApiResult<>> result;
    std::vector<std::string> names;
    std::size_t received = 0;
    bool complete = false;
};

TEST_F(AddTest, sends_all_and_reads_the_outputs) {
    serve([this](http::Exchange& e) -> Async<> { return take_all(this, &e); });
    EXPECT_TRUE(add({20, false}));
    EXPECT_EQ(received, 2'000'000u);
    EXPECT_EQ(names, (std::vector<std::string>{"first", "last"}));
}

TEST_F(AddTest, a_local_error_never_completes_the_upload) {
    serve([this](http::Exchange& e) -> Async<> { return take_all(this, &e); });
    const auto added = add({5, true});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().error.text, "a file went away");
    EXPECT_TRUE(run(server->stop(Duration{})));
    EXPECT_FALSE(complete);
}

Async<> refuse_at_once(http::Exchange& e) {
    co_return co_await e.respond(400, "application/json",
                                 "{\"code\":400,\"message\":\"bad chunker\"}\n");
}

TEST_F(AddTest, an_early_refusal_is_reported_in_the_servers_words) {
    serve(refuse_at_once);
    const auto added = add({400, false});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, 400) << added.error().error.text;
    EXPECT_EQ(added.error().error.text, "bad chunker");
}

TEST_F(AddTest, an_answer_that_names_nothing_is_no_success) {
    serve([](http::Exchange& e) -> Async<> { return e.respond(200, "application/json", ""); });
    const auto added = add({0, false});
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().error.text.find("what was added"), std::string::npos);
}

TEST(AddQuery, names_every_option) {
    AddParams params;
    params.pin.name = "a&b";
    params.chunker = "size-1000";
    params.wrap = true;
    const std::string query = add_query(params);
    for (const char* part : {"name=a%26b", "chunker=size-1000", "wrap-with-directory=true",
                             "stream-channels=true", "raw-leaves=false", "cid-version=0"})
        EXPECT_NE(query.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace ipfscluster::client
