#pragma once
#include <optional>
#include <string>
#include <vector>

#include "codec/pin_query.hpp"
#include "http/message.hpp"
#include "multi/cid.hpp"

/// What a request to Kubo's RPC API asks for: pure functions on its method, path and query.
namespace ipfscluster::ipfsproxy {

enum class Op {
    pass,  ///< the daemon's business
    pin_add,
    pin_rm,
    pin_ls,
    pin_update,
    add,
    repo_stat,
    repo_gc,
    block_put,
    dag_put,
};

/// One request.
struct Call {
    Op op = Op::pass;
    /// Values of `arg`, in order; of `/pin/add/{arg}` the one in the path alone, as in the Go peer.
    std::vector<std::string> args;
    codec::Query query;  ///< empty when passed on
};

/// `path` decoded, `query` as it came. POST, GET and PUT of the intercepted paths are ours, as in
/// Go; `add` with `only-hash`, and `block/put` and `dag/put` without `pin=true`, are the daemon's.
/// `invalid` when an intercepted request's query cannot be decoded or an option that decides is no
/// boolean.
Result<Call> parse_call(http::Method method, std::string_view path, std::string_view query);

/// The option's value; nothing when it is absent.
std::optional<std::string_view> find_option(const codec::Query& query, std::string_view name);
/// As Kubo reads a boolean: Go's words for it, present without a value is true. `invalid` names it.
Result<bool> bool_option(const codec::Query& query, std::string_view name, bool fallback);

/// The request target with `pin=false` and without any other `pin`; all else stays as it came.
std::string target_without_pin(std::string_view target);

/// What `arg` names, as Kubo reads it: `/ipfs/…`, `/ipns/…`, `/ipld/…`, a CID, or a CID with a
/// path.
struct ContentPath {
    std::string text;        ///< from its namespace on
    std::optional<Cid> cid;  ///< when the path is a CID and nothing else: nothing must be resolved
};
/// `invalid` with Kubo's words.
Result<ContentPath> parse_content_path(std::string_view text);

/// How CIDs are written in an answer (`cid-base`, `upgrade-cidv0-in-output`).
class CidWriter {
 public:
    /// `invalid` for a base the proxy does not write (it knows base16, base32 and base58btc).
    static Result<CidWriter> from(const codec::Query& query);
    std::string operator()(const Cid& cid) const;

 private:
    enum class Base { usual, base16, base32, base58 } base_ = Base::usual;
    bool upgrade_ = false;
};

}  // namespace ipfscluster::ipfsproxy
