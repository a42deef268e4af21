#pragma once
#include "blockstore/memory_block_store.hpp"
#include "http/multipart_writer.hpp"
#include "ipfs/rpc/rpc_listener.hpp"
#include "storage/memory_store.hpp"
#include "support/http_fixture.hpp"

namespace ipfscluster::ipfs_rpc {

/// A node over memory behind its RPC API, and a client.
class RpcFixture : public test::HttpFixture {
 protected:
    RpcFixture() {
        run(node.start()).value();
        serve([this](http::Exchange& e) { return listener.handle(e); });
        client = std::make_unique<http::Client>(world, client_config());
    }
    ~RpcFixture() override {
        client->close();
        EXPECT_TRUE(run(node.stop()));
    }

    http::ClientAnswer send(http::Method method, std::string target, http::Headers headers = {}) {
        http::ClientRequest request;
        request.method = method;
        request.target = std::move(target);
        request.headers = std::move(headers);
        return run(client->fetch(std::move(request))).value();
    }
    /// POST /api/v0/…
    http::ClientAnswer call(const std::string& target) {
        return send(http::Method::post, "/api/v0/" + target);
    }
    struct File {
        std::string name, content;
        std::string type = "application/octet-stream";
    };
    http::ClientAnswer upload(const std::string& target, const std::vector<File>& files,
                              http::Headers headers = {}) {
        http::MultipartWriter writer(1, 2);
        http::ClientRequest request;
        request.headers = std::move(headers);
        request.method = http::Method::post;
        request.target = "/api/v0/" + target;
        request.headers.add("Content-Type", writer.content_type());
        for (const auto& file : files)
            request.body += writer.begin_file(file.name, file.type) + file.content;
        request.body += writer.close();
        return run(client->fetch(std::move(request))).value();
    }
    /// The CID of one file added by itself.
    std::string add(const std::string& content, const std::string& options = "") {
        const auto answer = upload("add?quieter=true&" + options, {{"f", content}});
        const auto at = answer.body.find("\"Hash\":\"");
        EXPECT_NE(at, std::string::npos) << answer.status << answer.body;
        return answer.body.substr(at + 8, answer.body.find('"', at + 8) - at - 8);
    }
    /// The CID of a directory with the file "f" of that content.
    std::string add_in_directory(const std::string& content, const std::string& options = "") {
        const auto answer = upload("add?wrap-with-directory=true" + options, {{"f", content}});
        return answer.body.substr(answer.body.rfind("\"Hash\":\"") + 8, 46);
    }
    static std::string message(const http::ClientAnswer& answer) {
        const auto at = answer.body.find("\"Message\":\"");
        if (answer.status != 500 || at != 1) return "no error: " + answer.body;
        return answer.body.substr(at + 11,
                                  answer.body.find("\",\"Code\":0,\"Type\":\"error\"}") - at - 11);
    }

    blockstore::MemoryBlockStore blocks{world};
    storage::MemoryStore rows{world};
    node::EmbeddedNode node{
        node::EmbeddedNodeConfig{.world = world, .blocks = blocks, .rows = rows}};
    RpcListener listener{node, config()};
    std::unique_ptr<http::Client> client;

 private:
    static RpcListenerConfig config() {
        RpcListenerConfig out;
        out.repo_path = "/the/repo";
        return out;
    }
};

}  // namespace ipfscluster::ipfs_rpc
