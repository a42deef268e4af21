// A streamed add whose client goes away, or whose server stops, while it works.
#include "api/adding/upload.hpp"
#include "http/multipart_reader.hpp"
#include "http/multipart_writer.hpp"
#include "support/http_fixture.hpp"

namespace ipfscluster::adding {
namespace {

/// Takes everything; its end comes only with the cancellation of who waits for it.
class StuckSession final : public component::AddSession {
 public:
    explicit StuckSession(World& world) : never_(world.executor()) {}
    Async<> begin_file(std::string path) override {
        path_ = std::move(path);
        co_return ok();
    }
    Async<> write(Bytes data) override {
        written += data.size();
        outputs_.push_back({path_, {}, written, 0, {}});
        co_return ok();
    }
    Async<> end_file() override { co_return ok(); }
    Async<> add_directory(std::string) override { co_return ok(); }
    Async<> add_symlink(std::string, std::string) override { co_return ok(); }
    std::vector<AddedOutput> take_outputs() override { return std::exchange(outputs_, {}); }
    Async<Cid> finish() override {
        finishing = true;
        auto woken = co_await never_.wait();
        co_return fail(woken ? Error{Kind::internal, "woken"} : woken.error());
    }

    std::size_t written = 0;
    bool finishing = false;

 private:
    Signal never_;
    std::string path_;
    std::vector<AddedOutput> outputs_;
};

class AddReplyTest : public test::HttpFixture {
 protected:
    AddReplyTest() {
        serve([this](http::Exchange& e) { return handle(e); });
        client = std::make_unique<http::Client>(world, client_config());
    }
    ~AddReplyTest() override {
        client->close();
        EXPECT_TRUE(run(server->stop(Duration{})));
        server.reset();  // its handlers use the members below
    }

    /// As the handlers of the HTTP surfaces.
    Async<> handle(http::Exchange& e) {
        ICL_CO_TRY(auto boundary, http::multipart_boundary(e.request.headers.get("Content-Type")));
        AddForm form;
        form.append = [](std::string& out, const AddedOutput& output) { out += output.name; };
        AddReply reply(world, e, std::move(form));
        auto done = co_await upload(e, std::move(boundary), session, reply);
        Result<> ended = ok();
        if (done) {
            ended = co_await reply.succeed();
        } else {
            ended = co_await reply.fail_with(done.error());
        }
        outcome = done;
        co_return ended;
    }
    /// The head and the first piece of an upload whose answer has begun.
    http::ClientCallPtr begin_upload() {
        http::ClientRequest request;
        request.method = http::Method::post;
        request.target = "/add";
        request.headers.add("Content-Type", writer.content_type());
        request.streamed = true;
        auto call = run(client->open(std::move(request))).value();
        Bytes piece = writer.begin_file("name", "application/octet-stream") + Bytes(100'000, 'x');
        EXPECT_TRUE(run(call->write_body(std::move(piece))));
        EXPECT_TRUE(run(call->read_head()));
        EXPECT_TRUE(run(call->read()));
        return call;
    }
    Async<> until(std::function<bool()> holds) {
        while (!holds()) {
            ICL_CO_TRY(co_await world.sleep_for(std::chrono::milliseconds(1)));
        }
        co_return ok();
    }

    StuckSession session{world};
    http::MultipartWriter writer{1, 2};
    std::optional<Result<>> outcome;  ///< of the upload, once its answer has ended
    std::unique_ptr<http::Client> client;
};

TEST_F(AddReplyTest, a_client_that_goes_away_during_the_end_of_its_add_ends_it) {
    auto call = begin_upload();
    EXPECT_TRUE(run(call->write_body(writer.close())));
    EXPECT_TRUE(run(call->finish_body()));
    ASSERT_TRUE(run(until([this] { return session.finishing; })));
    call.reset();
    ASSERT_TRUE(run(until([this] { return outcome.has_value(); })));
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().kind, Kind::cancelled);
    ASSERT_TRUE(run(until([this] { return server->connections() == 0; })));
}

TEST_F(AddReplyTest, a_client_that_goes_away_in_the_middle_of_its_upload_ends_it) {
    auto call = begin_upload();
    call.reset();
    ASSERT_TRUE(run(until([this] { return outcome.has_value(); })));
    EXPECT_FALSE(*outcome);
    ASSERT_TRUE(run(until([this] { return server->connections() == 0; })));
}

TEST_F(AddReplyTest, a_server_that_stops_ends_an_open_upload) {
    auto call = begin_upload();
    ASSERT_TRUE(run(server->stop(Duration{})));
    ASSERT_TRUE(outcome);
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().kind, Kind::cancelled);
}

TEST_F(AddReplyTest, a_server_that_stops_ends_an_add_that_waits_for_its_end) {
    auto call = begin_upload();
    EXPECT_TRUE(run(call->write_body(writer.close())));
    EXPECT_TRUE(run(call->finish_body()));
    ASSERT_TRUE(run(until([this] { return session.finishing; })));
    ASSERT_TRUE(run(server->stop(Duration{})));
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(*outcome);
}

}  // namespace
}  // namespace ipfscluster::adding
