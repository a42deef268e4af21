// Calls that are cut while a task of theirs still works: by their client, their deadline, the
// node's end.
#include "rpc_fixture.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

using namespace std::chrono_literals;

/// Finds nothing until the test delivers, and says so only when it is told to stop.
class EndlessFetcher final : public bitswap::Fetcher {
 public:
    explicit EndlessFetcher(World& world) : never_(world.executor()) {}
    std::unique_ptr<bitswap::FetchSession> session() override {
        return std::make_unique<Session>(*this);
    }
    void deliver(Bytes data) {
        block_ = std::move(data);
        never_.notify_all();
    }
    int running = 0;

 private:
    class Session final : public bitswap::FetchSession {
     public:
        explicit Session(EndlessFetcher& owner) : owner_(owner) {}
        Async<Bytes> fetch(Cid, Duration) override {
            ++owner_.running;
            auto woken = co_await owner_.never_.wait();
            --owner_.running;
            if (woken && owner_.block_) co_return *owner_.block_;
            co_return fail(woken ? Error{Kind::internal, "woken"} : woken.error());
        }
        std::string where() const override { return "nobody"; }

     private:
        EndlessFetcher& owner_;
    };
    std::optional<Bytes> block_;
    Signal never_;
};

class RpcCutTest : public test::HttpFixture {
 protected:
    RpcCutTest() {
        run(node.start()).value();
        serve([this](http::Exchange& e) -> Async<> {
            ++running;
            auto done = co_await listener.handle(e);
            --running;
            co_return done;
        });
        client = std::make_unique<http::Client>(world, client_config());
    }
    ~RpcCutTest() override {
        client->close();
        if (server) {
            EXPECT_TRUE(run(server->stop(Duration{})));
        }
        server.reset();
        EXPECT_TRUE(run(node.stop()));
    }
    http::ClientCallPtr open(const std::string& target) {
        return run(client->open({.method = http::Method::post, .target = "/api/v0/" + target}))
            .value();
    }
    Async<> until(std::function<bool()> holds) {
        while (!holds()) {
            ICL_CO_TRY(co_await world.sleep_for(1ms));
        }
        co_return ok();
    }

    const std::string absent =
        "pin/add?progress=true&arg=QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    int running = 0;
    blockstore::MemoryBlockStore blocks{world};
    storage::MemoryStore rows{world};
    EndlessFetcher fetcher{world};
    node::EmbeddedNode node{node::EmbeddedNodeConfig{
        .world = world, .blocks = blocks, .rows = rows, .fetcher = &fetcher}};
    RpcListener listener{node, RpcListenerConfig{}};
    std::unique_ptr<http::Client> client;
};

TEST_F(RpcCutTest, a_pin_whose_client_goes_away_ends) {
    auto call = open(absent);
    ASSERT_TRUE(run(until([this] { return fetcher.running == 1; })));
    call.reset();
    ASSERT_TRUE(run(until([this] { return running == 0; })));
    EXPECT_EQ(fetcher.running, 0);
}

TEST_F(RpcCutTest, a_pin_that_is_taken_back_meanwhile_says_so) {
    auto call = open(absent);
    ASSERT_TRUE(run(call->read_head()));  // with the first progress line
    auto removal = open("pin/rm?arg=QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
    ASSERT_TRUE(run(removal->read_head()));
    EXPECT_EQ(removal->status(), 200);
    fetcher.deliver(Bytes("\x0a\x02\x08\x01"));
    auto body = run(call->read_all(1 << 16));
    ASSERT_TRUE(body) << body.error().text;
    EXPECT_NE(call->trailer_error().find("unpinned while it was being pinned"), std::string::npos)
        << call->trailer_error();
}

TEST_F(RpcCutTest, a_pin_ends_when_the_server_stops) {
    auto call = open(absent);
    ASSERT_TRUE(run(until([this] { return fetcher.running == 1; })));
    ASSERT_TRUE(run(server->stop(Duration{})));
    EXPECT_EQ(fetcher.running + running, 0);
    server.reset();
}

TEST_F(RpcCutTest, a_pin_ends_at_its_deadline) {
    for (const char* limit : {"20ms", "700ms"}) {  // before and after the first progress line
        auto call = open(absent + "&timeout=" + limit);
        ASSERT_TRUE(run(call->read_head()));
        auto body = run(call->read_all(1 << 16));
        ASSERT_TRUE(body) << body.error().text;
        const auto said = call->status() == 200 ? call->trailer_error() : body.value();
        EXPECT_NE(said.find("context deadline exceeded"), std::string::npos) << said;
        EXPECT_EQ(fetcher.running, 0);
    }
}

TEST_F(RpcCutTest, a_pin_whose_client_goes_away_ends_under_a_deadline_too) {
    auto call = open(absent + "&timeout=1h");
    ASSERT_TRUE(run(until([this] { return fetcher.running == 1; })));
    call.reset();
    ASSERT_TRUE(run(until([this] { return running == 0; })));
    EXPECT_EQ(fetcher.running, 0);
}

TEST_F(RpcCutTest, an_upload_ends_at_its_deadline) {
    http::MultipartWriter writer(1, 2);
    http::ClientRequest request;
    request.method = http::Method::post;
    request.target = "/api/v0/add?progress=true&timeout=50ms";
    request.headers.add("Content-Type", writer.content_type());
    request.streamed = true;
    auto call = run(client->open(std::move(request))).value();
    ASSERT_TRUE(run(call->write_body(writer.begin_file("f", "application/octet-stream") + "some")));
    ASSERT_TRUE(run(call->read_head()));
    ASSERT_TRUE(run(until([this] { return running == 0; })));
}

}  // namespace
}  // namespace ipfscluster::ipfs_rpc
