#pragma once
#include <functional>
#include <string>

#include "http/exchange.hpp"
#include "model/peer_info.hpp"
#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::adding {

/// Output lines held for a client that does not read while it uploads; beyond it progress lines are
/// dropped and the upload waits with the others.
inline constexpr std::size_t kAddLinesBytesMax = 1024 * 1024;
/// Output of `stream-channels=false`, which is answered in one piece.
inline constexpr std::size_t kAddArrayBytesMax = 64 * 1024 * 1024;

/// In what form a surface answers an add.
struct AddForm {
    bool stream = true;  ///< one JSON document per line, else one array
    std::function<void(std::string& out, const AddedOutput& output)> append;
    /// The failure of an add that was to be answered in one piece.
    Async<> (*send_error)(http::Exchange& exchange, Error error) = nullptr;
};

/// The answer of one add. Streaming: lines go out by a task of its own, so that reading the upload
/// and writing the answer never wait for each other. Otherwise everything is kept for one array.
/// Owned by the handler, which must end it by `succeed` or `fail_with` also when it has been
/// cancelled, and so must not throw then (`this_coro::throw_if_cancelled(false)`, as in a
/// connection's own thread). One strand.
class AddReply {
 public:
    AddReply(World& world, http::Exchange& exchange, AddForm form);

    /// Takes the outputs that became ready. Fails when the client is gone or the array has become
    /// too large.
    Async<> put(std::vector<AddedOutput> outputs);
    /// Everything is stored and pinned.
    Async<> succeed();
    /// Streaming: status 200 and the cause in the trailer (reference/http 4.4); else
    /// `form.send_error`.
    Async<> fail_with(Error error);

 private:
    asio::awaitable<void> write_loop();
    Async<> end_lines();

    http::Exchange& exchange_;
    const AddForm form_;
    std::string lines_;  ///< not yet handed to the exchange; for an array, all of it
    bool ending_ = false;
    Result<> written_ = ok();
    Signal changed_;
    TaskGroup tasks_;
};

}  // namespace ipfscluster::adding
