#include "api/adding/add_reply.hpp"

#include "runtime/join.hpp"

namespace ipfscluster::adding {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kStreamError = "X-Stream-Error";

}  // namespace

AddReply::AddReply(World& world, http::Exchange& exchange, AddForm form)
    : exchange_(exchange),
      form_(std::move(form)),
      changed_(world.executor()),
      tasks_(world, "add reply") {
    exchange.headers.add("Cache-Control", "no-cache");
    exchange.close_after();
    if (!form_.stream) return;
    exchange.headers.add("X-Chunked-Output", "1");
    exchange.headers.add("Trailer", kStreamError);
    exchange.start(200, kJson);
    tasks_.spawn(write_loop());
}

asio::awaitable<void> AddReply::write_loop() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        while (lines_.empty() && !ending_) {
            auto woken = co_await changed_.wait();
            if (!woken) {
                written_ = fail(woken.error());
                co_return;
            }
        }
        if (lines_.empty()) co_return;
        auto sent = co_await exchange_.write(std::exchange(lines_, {}));
        if (sent) sent = co_await exchange_.flush();
        if (!sent) {
            written_ = sent;
            changed_.notify_all();
            co_return;
        }
        changed_.notify_all();
    }
}

Async<> AddReply::put(std::vector<AddedOutput> outputs) {
    for (const auto& output : outputs) {
        const bool progress = !output.cid.defined();
        if (form_.stream && progress && lines_.size() > kAddLinesBytesMax) continue;
        if (!form_.stream) lines_ += lines_.empty() ? '[' : ',';
        form_.append(lines_, output);
        if (form_.stream) lines_ += '\n';
    }
    if (!form_.stream) {
        if (lines_.size() > kAddArrayBytesMax)
            co_return fail(Kind::invalid, "too many results for stream-channels=false");
        co_return ok();
    }
    if (!outputs.empty()) changed_.notify_all();
    while (lines_.size() > kAddLinesBytesMax && written_) {
        auto woken = co_await changed_.wait();
        if (!woken) co_return woken;
    }
    co_return written_;
}

Async<> AddReply::end_lines() {
    ending_ = true;
    changed_.notify_all();
    auto drained = co_await tasks_.drain();
    if (drained) co_return written_;
    // The task refers to this object: it must have ended, whatever happens to us meanwhile.
    co_await join(tasks_);
    co_return drained;
}

Async<> AddReply::succeed() {
    if (!form_.stream) {
        Bytes body = lines_.empty() ? "null\n" : std::move(lines_) + "]\n";
        co_return co_await exchange_.respond(200, kJson, std::move(body));
    }
    ICL_CO_TRY(co_await end_lines());
    co_return co_await exchange_.finish();
}

Async<> AddReply::fail_with(Error error) {
    if (!form_.stream) {
        if (error.kind == Kind::cancelled) co_return fail(std::move(error));
        co_return co_await form_.send_error(exchange_, std::move(error));
    }
    ICL_CO_TRY(co_await end_lines());
    exchange_.add_trailer(kStreamError, error.text);
    co_return co_await exchange_.finish();
}

}  // namespace ipfscluster::adding
