#pragma once
#include <memory>
#include <string>
#include <vector>

#include "client/api_error.hpp"
#include "http/client.hpp"

namespace ipfscluster::client {

/// Largest single JSON document or error body read: the keys that a garbage collection of several
/// peers names.
inline constexpr std::size_t kDocumentBytesMax = 128 * 1024 * 1024;

struct ClientOptions {
    std::vector<http::ClientConfig> hosts;  ///< tried in order when one does not answer
    Duration timeout{};                     ///< per request with its body; 0: none
};

/// One answer on its way. Owned by whoever reads it; destroying it early cancels the request.
class Answer {
 public:
    Answer(World& world, http::ClientCallPtr call, std::optional<SteadyTime> deadline)
        : world_(world), call_(std::move(call)), deadline_(deadline) {}

    /// Waits for the head; an HTTP status other than 2xx becomes an error with the server's
    /// message. Redirections are not followed, as the API sends none for what this client asks.
    Call<> check();
    int status() const { return call_->status(); }
    /// The next piece; empty at the clean end. A filled error trailer is an error with code 500.
    Call<Bytes> read();
    Call<Bytes> read_all();
    http::ClientCall& call() { return *call_; }
    Result<Duration> time_left() const;

 private:
    World& world_;
    http::ClientCallPtr call_;
    std::optional<SteadyTime> deadline_;
};
using AnswerPtr = std::unique_ptr<Answer>;

/// Sends requests to the first host that answers. Owned by RestClient; one strand.
class Transport {
 public:
    Transport(World& world, ClientOptions options);

    /// Sends a request with its whole body and checks the answer's status.
    Call<AnswerPtr> send(http::ClientRequest request);
    /// Connects and sends the head of a streamed request; the caller writes the body.
    Call<AnswerPtr> open(http::ClientRequest request);
    /// Closes idle connections and gives up what is still looking for a host.
    void close();
    World& world() { return world_; }

 private:
    Call<AnswerPtr> start(http::ClientRequest request, bool whole);
    std::optional<SteadyTime> deadline() const;

    World& world_;
    Duration timeout_;
    std::vector<std::unique_ptr<http::Client>> hosts_;
};

}  // namespace ipfscluster::client
