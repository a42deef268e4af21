#pragma once
#include <optional>

#include "runtime/world.hpp"

namespace ipfscluster::peer {

/// One orderly shutdown: its parts end one after the other, each logged with the time it took.
/// Whatever comes of one, the next follows. Lives as long as the shutdown; one strand.
class Shutdown {
 public:
    explicit Shutdown(World& world) : world_(world) {}

    /// A part whose failure concerns others alone, or loses nothing.
    asio::awaitable<void> step(const char* what, Async<> work);
    /// A part that must end in order: the first that does not is what the shutdown ends with.
    asio::awaitable<void> stop_component(const char* what, Async<> work);
    Result<> result() const;

 private:
    Async<> logged(const char* what, Async<> work);

    World& world_;
    std::optional<Error> failure_;
};

}  // namespace ipfscluster::peer
