#include "peer/shutdown.hpp"

#include "base/log.hpp"
#include "base/time.hpp"

namespace ipfscluster::peer {

Async<> Shutdown::logged(const char* what, Async<> work) {
    const auto start = world_.steady_now();
    auto done = co_await std::move(work);
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(world_.steady_now() - start);
    if (done)
        logger("cluster")->info("shutdown: {} took={}", what, format_go_duration(took));
    else
        logger("cluster")->warn("shutdown: {} failed took={} error=\"{}\"", what,
                                format_go_duration(took), done.error().text);
    co_return done;
}

asio::awaitable<void> Shutdown::step(const char* what, Async<> work) {
    auto done = co_await logged(what, std::move(work));
    (void)done;
}

asio::awaitable<void> Shutdown::stop_component(const char* what, Async<> work) {
    auto done = co_await logged(what, std::move(work));
    if (!done && !failure_) failure_ = done.error().in("shutdown: " + std::string(what));
}

Result<> Shutdown::result() const {
    if (failure_) return fail(*failure_);
    return ok();
}

}  // namespace ipfscluster::peer
