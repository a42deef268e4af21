#include "load_pins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>

#include "bench_cid.hpp"
#include "codec/json_writer.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::bench {
namespace {

/// After a request that did not get an answer.
constexpr auto kErrorPause = std::chrono::milliseconds(50);
constexpr auto kPollPause = std::chrono::milliseconds(10);
constexpr auto kToldPause = std::chrono::milliseconds(1);

enum class Operation { pin, unpin, get };

/// What all clients share.
struct Run {
    World& world;
    PinLoad load;
    PinLoadResult result;
    std::uint64_t sent = 0;
    std::uint64_t pinned = 0, unpinned = 0;  ///< acknowledged
    SteadyTime start, last_answer;
};

double seconds_between(SteadyTime from, SteadyTime to) {
    return std::chrono::duration<double>(to - from).count();
}

/// One client's requests. Client k has the indexes k, k + C, k + 2C, …; what it pinned and has not
/// unpinned is a range of them, so no list is kept.
class Caller {
 public:
    Caller(Run& run, std::size_t number)
        : run_(run),
          number_(number),
          client_(run.world, config_of(run.load.apis, number)),
          daemon_(run.world, config_of(run.load.daemons, number)) {}

    asio::awaitable<void> work() {
        const auto& load = run_.load;
        while (run_.sent < load.requests) {
            const auto turn = run_.sent++;
            if (load.rate > 0) {
                const auto slot =
                    run_.start +
                    std::chrono::duration_cast<SteadyTime::duration>(
                        std::chrono::duration<double>(static_cast<double>(turn) / load.rate));
                auto slept = co_await run_.world.sleep_until(slot);
                if (!slept) break;
            }
            if (load.limit.count() > 0 && run_.world.steady_now() - run_.start > load.limit) break;
            if (!co_await one(choose(turn))) {
                auto slept = co_await run_.world.sleep_for(kErrorPause);
                if (!slept) break;
            }
        }
        client_.close();
        daemon_.close();
    }

 private:
    static http::ClientConfig config_of(const std::vector<http::ClientConfig>& servers,
                                        std::size_t number) {
        auto config = servers.empty() ? http::ClientConfig{} : servers[number % servers.size()];
        config.connections_max = 1;
        config.idle_connections_max = 1;
        return config;
    }

    Operation choose(std::uint64_t turn) const {
        const auto& load = run_.load;
        const auto total = static_cast<std::uint64_t>(load.pins + load.unpins + load.gets);
        const auto draw = static_cast<int>(mix64(load.seed << 44 ^ turn) % total);
        if (draw < load.pins || gone_ == made_) return Operation::pin;
        return draw < load.pins + load.unpins ? Operation::unpin : Operation::get;
    }

    std::string cid_text(std::uint64_t step) const {
        return bench_cid({run_.load.seed, run_.load.first + number_ + step * run_.load.clients})
            .to_string();
    }

    /// False when nothing answered.
    asio::awaitable<bool> one(Operation operation) {
        http::ClientRequest request;
        if (operation == Operation::pin) {
            request.method = http::Method::post;
            request.target = "/pins/" + cid_text(made_);
            if (!run_.load.query.empty()) request.target += "?" + run_.load.query;
        } else if (operation == Operation::unpin) {
            request.method = http::Method::del;
            request.target = "/pins/" + cid_text(gone_);
        } else {
            request.target = "/allocations/" + cid_text(gone_ + mix64(run_.sent) % (made_ - gone_));
        }
        const auto begun = run_.world.steady_now();
        auto answer = co_await client_.fetch(std::move(request));
        const auto now = run_.world.steady_now();
        run_.last_answer = now;
        // A failed pin leaves a hole that would answer 404 later; its CID is simply tried again.
        if (!answer) {
            failed(answer.error().text);
            co_return false;
        }
        if (answer.value().status / 100 != 2) {
            failed(fmt::format("HTTP {}: {}", answer.value().status,
                               answer.value().body.substr(0, 300)));
            co_return true;
        }
        const auto step = made_;
        count(operation, now - begun);
        if (run_.load.told && operation == Operation::pin)
            co_await wait_until_told(cid_text(step), begun);
        co_return true;
    }

    asio::awaitable<void> wait_until_told(std::string cid, SteadyTime begun) {
        const auto end = begun + run_.load.realised_limit;
        while (run_.world.steady_now() < end) {
            http::ClientRequest request;
            request.method = http::Method::post;
            request.target = "/api/v0/pin/ls?arg=" + cid;
            auto answer = co_await daemon_.fetch(std::move(request));
            if (answer && answer.value().status == 200) {
                run_.result.told.add(run_.world.steady_now() - begun);
                co_return;
            }
            auto slept = co_await run_.world.sleep_for(kToldPause);
            if (!slept) co_return;
        }
        failed("the daemon does not hold " + cid);
    }

    void failed(std::string why) {
        if (run_.result.errors++ == 0) run_.result.first_error = std::move(why);
    }

    void count(Operation operation, Duration taken) {
        auto& result = run_.result;
        if (operation == Operation::pin) {
            result.pin.add(taken);
            ++made_;
            ++run_.pinned;
        } else if (operation == Operation::unpin) {
            result.unpin.add(taken);
            ++gone_;
            ++run_.unpinned;
        } else {
            result.get.add(taken);
            ++result.reads;
            return;
        }
        ++result.acknowledged;
    }

    Run& run_;
    std::size_t number_;
    http::Client client_;
    http::Client daemon_;
    std::uint64_t made_ = 0;  ///< steps pinned
    std::uint64_t gone_ = 0;  ///< of these, unpinned: the lowest ones
};

/// The number after `"pins":` in a stub's counters.
Async<std::uint64_t> pins_held(http::Client& daemon) {
    http::ClientRequest request;
    request.target = "/bench/counters";
    ICL_CO_TRY(const auto answer, co_await daemon.fetch(std::move(request)));
    constexpr std::string_view key = "\"pins\":";
    const auto at = answer.body.find(key);
    std::uint64_t value = 0;
    if (answer.status != 200 || at == std::string::npos ||
        std::from_chars(answer.body.data() + at + key.size(),
                        answer.body.data() + answer.body.size(), value)
                .ec != std::errc())
        co_return fail(Kind::corrupt, "a stub's counters: HTTP " + std::to_string(answer.status));
    co_return value;
}

}  // namespace

std::string PinLoadResult::to_json() const {
    const auto rate = [this](std::uint64_t n) {
        return seconds > 0 ? static_cast<double>(n) / seconds : 0;
    };
    std::string error;
    codec::append_json(error, first_error);
    return fmt::format(
        R"({{"acknowledged":{},"acknowledged_per_second":{:.1f},"reads":{},"reads_per_second":{:.1f},"errors":{},)"
        R"("first_error":{},"seconds":{:.3f},"latency_ms":{{"pin":{},"unpin":{},"get":{},"told":{}}},"realised_seconds":{:.3f},)"
        R"("missing":{}}})",
        acknowledged, rate(acknowledged), reads, rate(reads), errors, error, seconds, pin.to_json(),
        unpin.to_json(), get.to_json(), told.to_json(), realised_seconds, missing);
}

Async<PinLoadResult> run_pin_load(World& world, PinLoad load) {
    if (load.apis.empty()) co_return fail(Kind::invalid, "no API to talk to");
    if (load.clients == 0 || load.pins <= 0 || load.unpins < 0 || load.gets < 0)
        co_return fail(Kind::invalid, "at least one client and one share of pins are needed");
    if (load.told && load.daemons.empty())
        co_return fail(Kind::invalid, "no daemon to ask whether it was told");
    Run run{.world = world, .load = std::move(load), .result = {}, .start = {}, .last_answer = {}};
    std::vector<std::unique_ptr<http::Client>> daemons;
    std::vector<std::uint64_t> held;
    for (const auto& config : run.load.daemons) {
        daemons.push_back(std::make_unique<http::Client>(world, config));
        ICL_CO_TRY(const auto pins, co_await pins_held(*daemons.back()));
        held.push_back(pins);
    }

    run.start = run.last_answer = world.steady_now();
    std::deque<Caller> callers;
    TaskGroup tasks(world, "load");
    for (std::size_t i = 0; i < run.load.clients; ++i) {
        callers.emplace_back(run, i);
        tasks.spawn(callers.back().work());
    }
    auto ended = co_await tasks.drain();
    auto stopped = co_await tasks.stop();
    if (!ended) co_return fail(ended.error());
    if (!stopped) co_return fail(stopped.error());
    run.result.seconds = seconds_between(run.start, run.last_answer);

    const auto expected = run.load.expected != 0 ? run.load.expected : run.pinned - run.unpinned;
    for (const auto deadline = run.last_answer + run.load.realised_limit; !daemons.empty();) {
        run.result.missing = 0;
        for (std::size_t i = 0; i < daemons.size(); ++i) {
            ICL_CO_TRY(const auto pins, co_await pins_held(*daemons[i]));
            run.result.missing += held[i] + expected - std::min(pins, held[i] + expected);
        }
        run.result.realised_seconds = seconds_between(run.last_answer, world.steady_now());
        if (run.result.missing == 0 || world.steady_now() > deadline) break;
        ICL_CO_TRY(co_await world.sleep_for(kPollPause));
    }
    co_return std::move(run.result);
}

}  // namespace ipfscluster::bench
