#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.hpp"
#include "codec/pin_query.hpp"
#include "http/exchange.hpp"
#include "http/multipart_reader.hpp"
#include "ipfs/node/embedded_node.hpp"
#include "ipfs/rpc/cid_text.hpp"
#include "ipfs/rpc/route.hpp"

namespace ipfscluster::ipfs_rpc {

/// Arguments one call may have, and the bytes of those that come in a body.
inline constexpr std::size_t kArgumentsMax = 65'536;
inline constexpr std::size_t kBodyArgumentBytesMax = 8u << 20;
/// Whose answers we give; clients compare it with their own.
inline constexpr std::string_view kKuboVersion = "0.43.0";

/// What the handlers work on. All outlive the calls.
struct Deps {
    node::EmbeddedNode& node;
    const std::string& repo_path;
};

/// Answers with the object Kubo sends for an error.
Async<> send_failure(http::Exchange& exchange, int status, std::string message);

/// One request to the RPC API and its answer. Owned by the listener for as long as the handler
/// runs; one strand.
class Call {
 public:
    Call(const Deps& deps, http::Exchange& exchange, const Route& route);

    /// Reads query and body arguments. A failure is what Kubo answers with status 400.
    Async<> parse();

    node::EmbeddedNode& node() { return deps_.node; }
    World& world() { return deps_.node.world(); }
    const Deps& deps() const { return deps_; }
    http::Exchange& exchange() { return exchange_; }

    const std::vector<std::string>& arguments() const { return arguments_; }
    /// True when the request names the option.
    bool has(std::string_view option) const { return options_.contains(option); }
    bool flag(std::string_view option) const;
    std::int64_t number(std::string_view option) const;
    std::string_view text(std::string_view option) const;
    /// `--offline`: nothing is fetched.
    bool offline() const { return flag("offline"); }
    std::optional<Duration> limit() const { return limit_; }

    std::string cid(const Cid& cid) const { return cid_text_(cid); }
    const CidText& cid_text() const { return cid_text_; }
    /// Reads blocks for this call.
    node::NodeBlocks& blocks();

    /// The next file of the body; nothing after the last. Directories are refused.
    Async<bool> next_file();
    /// The next piece of it; empty at its end.
    Async<Bytes> read_file() { return parts_->read(); }
    /// All of it; `invalid` when it is longer than `limit`.
    Async<Bytes> read_whole_file(std::size_t limit);

    /// Sends a row of an answer that has any number of them.
    Async<> emit(std::string json);
    /// The answer is this one document.
    Async<> emit_once(std::string json);
    /// Begins an answer in one document that is written in pieces.
    Async<> begin_document();
    /// Begins an answer of bytes; `length`: of the content, when known.
    Async<> begin_bytes(std::string_view content_type, std::optional<std::uint64_t> length);
    Async<> write(Bytes piece) { return exchange_.write(std::move(piece)); }

    /// Ends the answer: the error object, the trailer, or nothing more.
    Async<> end(Result<> done);

 private:
    Result<> read_query();
    Result<> read_option(const std::string& name, const std::string& value);
    Result<> check_arguments(bool more_in_body) const;
    Async<> read_body_arguments();
    Result<> open_parts();
    void add_common_fields();

    Deps deps_;
    http::Exchange& exchange_;
    const Route& route_;
    std::vector<std::string> arguments_;
    std::map<std::string_view, std::string, std::less<>> options_;  // names are the routes'
    std::optional<Duration> limit_;
    CidText cid_text_;
    std::shared_ptr<node::NodeBlocks> blocks_;
    std::optional<http::MultipartReader> parts_;
};

}  // namespace ipfscluster::ipfs_rpc
