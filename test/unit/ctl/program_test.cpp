#include "cli/ctl/program.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "http/server.hpp"
#include "runtime/asio_world.hpp"
#include "support/temp_folder.hpp"
#include "tar_text.hpp"

namespace ipfscluster::ctl {
namespace {

constexpr const char* kCid = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
constexpr const char* kPeer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

std::string status_of(const std::string& status) {
    return "{\"cid\":\"" + std::string(kCid) + "\",\"name\":\"n\",\"peer_map\":{\"" + kPeer +
           "\":{\"peername\":\"alpha\",\"status\":\"" + status +
           "\",\"timestamp\":\"2026-01-31T12:00:00Z\"}}}\n";
}

std::string pin_text() {
    return "{\"cid\":\"" + std::string(kCid) +
           "\",\"type\":\"pin\",\"replication_factor_min\":-1,\"replication_factor_max\":-1}\n";
}

/// What is said of a peer that leaves, in turn; then it is gone.
std::vector<std::string> leaves;

Async<> answer_leave(http::Exchange& e) {
    if (leaves.empty())
        co_return co_await e.respond(404, "application/json",
                                     "{\"code\":404,\"message\":\"no such pin\"}\n");
    if (e.request.method == http::Method::del) co_return co_await e.respond_empty(202);
    auto next = leaves.front();
    leaves.erase(leaves.begin());
    co_return co_await e.respond(200, "application/json", std::move(next));
}

/// Answers the few requests the tests make.
Async<> answer(http::Exchange& e) {
    const std::string path(e.request.path);
    const std::string cid(kCid);
    if (path == "/version")
        co_return co_await e.respond(200, "application/json", "{\"version\":\"1.1.6\"}\n");
    if (path == "/pins/" + cid)
        co_return co_await e.respond(200, "application/json", status_of("pinned"));
    if (path == "/pins/ipfs/" + cid)
        co_return co_await e.respond(200, "application/json", pin_text());
    if (path.starts_with("/peers/")) co_return co_await answer_leave(e);
    if (path.find("moved") != std::string::npos || path == "/peers" || path == "/id") {
        e.headers.add("Location", "https://elsewhere.example/login");
        if (path == "/id") co_return co_await e.respond_empty(302);
        co_return co_await e.respond(301, "text/html", "<html>moved</html>\n");
    }
    if (path == "/allocations") {
        e.headers.add("Trailer", "X-Stream-Error");
        e.start(200, "application/json");
        ICL_CO_TRY(co_await e.write(pin_text()));
        e.add_trailer("X-Stream-Error", "half way");
        co_return co_await e.finish();
    }
    if (path == "/add") {
        std::size_t size = 0;
        while (true) {
            ICL_CO_TRY(const auto piece, co_await e.read_body());
            if (piece.empty()) break;
            size += piece.size();
        }
        if (size < 100) co_return co_await e.respond_empty(400);
        co_return co_await e.respond(200, "application/json",
                                     "{\"name\":\"a.txt\",\"cid\":\"" + cid + "\",\"size\":3}\n");
    }
    if (path == "/ipfs/" + cid && e.request.query == "format=tar")
        co_return co_await e.respond(
            200, "application/x-tar",
            tar_entry(cid, '5', "") + tar_entry(cid + "/f", '0', "hi") + tar_end());
    if (path == "/ipfs/" + cid + "/f") co_return co_await e.respond(200, "text/plain", "hi");
    co_return co_await e.respond(404, "application/json",
                                 "{\"code\":404,\"message\":\"no such pin\"}\n");
}

asio::awaitable<void> serve_until(http::Server* server, std::promise<Multiaddr>* address) {
    const auto started = co_await server->start();
    EXPECT_TRUE(started);
    address->set_value(server->addresses().front());
}

asio::awaitable<void> stop_server(http::Server* server) {
    (void)co_await server->stop(Duration{});
}

/// A REST API on another thread, as for the real program.
class ProgramTest : public ::testing::Test {
 protected:
    ProgramTest() : world_(io_) {
        http::ServerConfig config;
        config.listen = {Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()};
        server_ = std::make_unique<http::Server>(world_, std::move(config), answer);
        std::promise<Multiaddr> address;
        asio::co_spawn(world_.executor(), serve_until(server_.get(), &address), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
        host_ = address.get_future().get().to_string();
    }
    ~ProgramTest() override {
        asio::co_spawn(world_.executor(), stop_server(server_.get()), asio::detached);
        thread_.join();
        world_.join();
    }

    int ctl(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--host", host_});
        std::ostringstream out;
        std::ostringstream err;
        const int exit = run(arguments, config::Environment(), {out, err, false});
        out_ = out.str();
        err_ = err.str();
        return exit;
    }

    std::string out_, err_, host_;
    test::TempFolder folder_;

 private:
    asio::io_context io_{1};
    AsioWorld world_;
    std::unique_ptr<http::Server> server_;
    std::thread thread_;
};

TEST_F(ProgramTest, version_in_text_and_json) {
    EXPECT_EQ(ctl({"version"}), 0);
    EXPECT_EQ(out_, "1.1.6\n");
    EXPECT_EQ(ctl({"--enc", "json", "version"}), 0);
    EXPECT_EQ(out_, "{\n    \"version\": \"1.1.6\"\n}\n");
}

TEST_F(ProgramTest, an_error_of_the_server_exits_with_2_on_standard_output) {
    EXPECT_EQ(ctl({"peers", "rm", kPeer}), 2);
    EXPECT_EQ(out_, "An error occurred:\n  Code: 404\n  Message: no such pin\n");
}

TEST_F(ProgramTest, a_bad_peer_is_named) {
    for (const char* bad : {"nopeer", "/ip4/127.0.0.1/tcp/1", "/nonsense"}) {
        EXPECT_EQ(ctl({"peers", "rm", bad}), 1);
        EXPECT_NE(err_.find(bad), std::string::npos) << err_;
    }
}

TEST_F(ProgramTest, a_broken_stream_prints_its_items_and_exits_with_2) {
    EXPECT_EQ(ctl({"pin", "ls"}), 2);
    EXPECT_NE(out_.find(" | PIN | "), std::string::npos);
    EXPECT_NE(out_.find("Message: half way"), std::string::npos);
}

TEST_F(ProgramTest, a_redirection_is_no_success) {
    const std::vector<std::vector<std::string>> commands = {
        {"id"}, {"peers", "ls"}, {"cat", std::string(kCid) + "/moved"}};
    for (const auto& command : commands) {
        EXPECT_EQ(ctl(command), 2) << command[0];
        EXPECT_NE(out_.find("https://elsewhere.example/login"), std::string::npos) << out_;
        EXPECT_EQ(out_.find("<html>"), std::string::npos) << out_;
    }
}

TEST_F(ProgramTest, no_answer_exits_with_1) {
    host_ = "/unix" + folder_.path("nobody");
    EXPECT_EQ(ctl({"id"}), 1);
    EXPECT_NE(out_.find("Code: 0"), std::string::npos);
}

TEST_F(ProgramTest, bad_arguments_exit_with_1_and_say_why) {
    EXPECT_EQ(ctl({"pin", "add", "nonsense"}), 1);
    EXPECT_NE(err_.find("nonsense"), std::string::npos);
    EXPECT_EQ(ctl({"pin", "add"}), 1);
    EXPECT_EQ(ctl({"pin", "add", kCid, "--rmin", "-2"}), 1);
    EXPECT_NE(err_.find("replication-min"), std::string::npos);
    EXPECT_EQ(ctl({"pin", "add", kCid, "--allocations", "x"}), 1);
    EXPECT_EQ(ctl({"pin", "add", kCid, "--metadata", "x"}), 1);
    EXPECT_EQ(ctl({"pin", "add", kCid, "--mode", "Direct"}), 1);
    EXPECT_NE(err_.find("Direct"), std::string::npos);
    EXPECT_EQ(ctl({"cat", std::string(kCid) + "/a/../f"}), 1);
    EXPECT_EQ(ctl({"status", "--filter", "undefined"}), 1);
    EXPECT_EQ(ctl({"--enc", "yaml", "id"}), 1);
    EXPECT_EQ(ctl({"pin", "add", "--bogus"}), 1);
    EXPECT_NE(out_.find("Incorrect Usage"), std::string::npos);
    EXPECT_EQ(ctl({"bogus"}), 3);
    EXPECT_EQ(ctl({"help", "bogus"}), 3);
    EXPECT_EQ(ctl({"help"}), 0);
}

TEST_F(ProgramTest, pin_waits_and_prints_the_status) {
    EXPECT_EQ(ctl({"pin", "add", "--wait", kCid}), 0);
    EXPECT_EQ(out_, std::string(kCid) +
                        " | n:\n    > alpha                : PINNED | 2026-01-31T12:00:00Z | "
                        "Attempts: 0 | Priority: false\n");
    EXPECT_EQ(ctl({"pin", "rm", "--wait", "--wait-timeout", "1ms", kCid}), 62);
    EXPECT_NE(err_.find("deadline"), std::string::npos);
}

TEST_F(ProgramTest, add_sends_files_and_prints_what_came_of_it) {
    const std::string file = folder_.path("a.txt");
    std::ofstream(file) << "abc";
    EXPECT_EQ(ctl({"add", file}), 0);
    EXPECT_EQ(out_, "added " + std::string(kCid) + " a.txt\n");
    EXPECT_EQ(ctl({"add", "-Q", file}), 0);
    EXPECT_EQ(out_, std::string(kCid) + "\n");
    EXPECT_EQ(ctl({"add", folder_.path()}), 1);
    EXPECT_NE(err_.find("--recursive"), std::string::npos);
    EXPECT_EQ(ctl({"add", folder_.path("missing")}), 1);
    EXPECT_NE(err_.find("missing"), std::string::npos);
    EXPECT_EQ(ctl({"add", "-w", "--format", "car", file}), 1);
    EXPECT_EQ(ctl({"add", file, file}), 1);
}

TEST_F(ProgramTest, get_and_cat_read_through_the_peer) {
    EXPECT_EQ(ctl({"cat", std::string(kCid) + "/f"}), 0);
    EXPECT_EQ(out_, "hi");
    EXPECT_EQ(ctl({"cat", "/ipfs//" + std::string(kCid) + "/.//f/"}), 0);
    EXPECT_EQ(out_, "hi");
    EXPECT_EQ(ctl({"get", kCid, "-o", folder_.path("saved")}), 0);
    std::ifstream in(folder_.path("saved/f"));
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "hi");
    EXPECT_EQ(ctl({"get", kCid, "-o", folder_.path("saved")}), 1) << "files are not overwritten";
    EXPECT_NE(err_.find("incomplete"), std::string::npos);
    EXPECT_EQ(ctl({"cat", std::string(kCid) + "/missing"}), 2);
}

TEST_F(ProgramTest, a_peer_that_leaves_is_followed_until_it_is_gone) {
    const auto said = [](int pins, int kept) {
        return "{\"id\":\"" + std::string(kPeer) +
               "\",\"kind\":\"leaving\",\"alive\":true,\"pins\":" + std::to_string(pins) +
               ",\"kept\":" + std::to_string(kept) + "}";
    };
    leaves = {said(20, 0), said(5, 10), said(5, 10)};
    EXPECT_EQ(ctl({"peers", "rm", kPeer}), 0);
    EXPECT_EQ(out_, "") << "as of a removal at once";
    EXPECT_EQ(err_,
              "leaving: 20 of 20 to go\n"
              "leaving: 15 of 20 to go, 10 of them kept until others have theirs\n");
    leaves = {said(20, 0)};
    EXPECT_EQ(ctl({"peers", "rm", "--no-wait", kPeer}), 0);
    EXPECT_EQ(leaves.size(), 1u) << "nobody waits";
    EXPECT_NE(err_.find("leaves once"), std::string::npos);
    leaves = {said(20, 0), "{\"kind\":\"none\",\"alive\":true}"};
    EXPECT_EQ(ctl({"peers", "rm", kPeer}), 1) << "somebody took it back";
    EXPECT_NE(err_.find("stays a member"), std::string::npos) << err_;
    leaves = {said(1, 0)};
    EXPECT_EQ(ctl({"peers", "drain", "--dry-run", "--everything", kPeer}), 0);
    EXPECT_NE(out_.find("Pins: 1 "), std::string::npos) << out_;
}

}  // namespace
}  // namespace ipfscluster::ctl
