#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <optional>

#include "fuzz.hpp"
#include "net/host.hpp"
#include "runtime/sim_world.hpp"

/// Runs readers of streams over an input: the stream never waits, so a reader that does not come
/// to an end is a bug.
namespace ipfscluster::fuzz {

/// A peer that sends the input in pieces, closes, and ignores what is written.
class InputStream final : public net::Stream {
 public:
    explicit InputStream(BytesView in) : pieces_(in) {}
    const PeerId& remote() const override { return remote_; }
    const std::string& protocol() const override { return protocol_; }
    Async<Bytes> read(std::size_t max) override {
        if (is_reset_) co_return fail(Kind::unavailable, "reset");
        if (rest_.empty() && !pieces_.empty()) rest_ = pieces_.next();
        const auto piece = rest_.substr(0, max);
        rest_.remove_prefix(piece.size());
        co_return Bytes(piece);
    }
    Async<> write(Bytes) override { co_return ok(); }
    Async<> close_write() override { co_return ok(); }
    void reset() override { is_reset_ = true; }

 private:
    Pieces pieces_;
    BytesView rest_;
    bool is_reset_ = false;
    PeerId remote_;
    std::string protocol_ = "fuzz";
};

template <class T>
asio::awaitable<void> keep(Async<T> work, std::shared_ptr<std::optional<Result<T>>> out) {
    auto result = co_await std::move(work);
    out->emplace(std::move(result));
}

/// Runs `work` to its end in virtual time.
template <class T>
Result<T> run(SimWorld& world, Async<T> work) {
    auto out = std::make_shared<std::optional<Result<T>>>();
    asio::co_spawn(world.executor(), keep<T>(std::move(work), out), asio::detached);
    require(world.run_until([out] { return out->has_value(); }, std::chrono::hours(1)),
            "a reader comes to an end");
    return std::move(**out);
}

}  // namespace ipfscluster::fuzz
