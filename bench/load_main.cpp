// icl_bench_load: puts load on the REST APIs of cluster peers and prints one JSON object.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <boost/asio/detached.hpp>
#include <fstream>
#include <iostream>

#include "base/log.hpp"
#include "bench_cid.hpp"
#include "codec/json.hpp"
#include "load_list.hpp"
#include "load_pins.hpp"
#include "runtime/asio_world.hpp"

namespace ipfscluster::bench {
namespace {

struct Settings {
    std::vector<std::string> apis, daemons;
    double limit_s = 0, realised_limit_s = 120;
    std::string target = "/allocations";
    std::string output;
    std::uint64_t count = 0;
    int replication_min = -1, replication_max = -1;
    PinLoad load;
};

Result<std::vector<http::ClientConfig>> servers(const std::vector<std::string>& texts) {
    std::vector<http::ClientConfig> out;
    for (const auto& text : texts) {
        auto address = Multiaddr::parse(text);
        if (!address) return fail(address.error().in("\"" + text + "\""));
        ICL_TRY(auto config, http::client_config_for(address.value()));
        out.push_back(std::move(config));
    }
    return out;
}

template <class T>
asio::awaitable<void> report(Async<T> work, int& exit_code) {
    auto result = co_await std::move(work);
    if (!result) {
        std::cerr << result.error().text << std::endl;
        exit_code = 1;
        co_return;
    }
    std::cout << result.value().to_json() << std::endl;
}

template <class T>
int run_here(AsioWorld& world, asio::io_context& io, Async<T> work) {
    int exit_code = 0;
    asio::co_spawn(world.executor(), report(std::move(work), exit_code), asio::detached);
    io.run();
    return exit_code;
}

Duration seconds(double value) {
    return Duration(static_cast<std::int64_t>(value * 1e9));
}

/// Lines as `state export` writes them.
int write_pins(const Settings& settings) {
    std::ofstream file(settings.output, std::ios::trunc);
    std::string line;
    for (std::uint64_t i = 0; file && i < settings.count; ++i) {
        Pin pin;
        pin.cid = bench_cid({settings.load.seed, settings.load.first + i});
        pin.timestamp = Time(std::chrono::seconds(1'700'000'000 + i));
        pin.options.replication_min = settings.replication_min;
        pin.options.replication_max = settings.replication_max;
        pin.options.name = "item " + std::to_string(i);
        line.clear();
        codec::append_json(line, pin);
        line += '\n';
        file << line;
    }
    file.close();
    if (file) return 0;
    std::cerr << "cannot write " << settings.output << std::endl;
    return 1;
}

int run(int argc, char** argv) {
    CLI::App app("load on the REST APIs of cluster peers", "icl_bench_load");
    app.require_subcommand(1);
    Settings settings;
    auto& load = settings.load;
    auto* pin =
        app.add_subcommand("pin", "many clients that pin made-up CIDs, unpin and read them");
    pin->add_option("--api", settings.apis,
                    "REST API of a peer, as a multiaddress; repeat for several")
        ->required();
    pin->add_option("--clients", load.clients, "on one keep-alive connection each");
    pin->add_option("--requests", load.requests, "of all clients together");
    pin->add_option("--limit", settings.limit_s, "stop sending after so many seconds");
    pin->add_option("--seed", load.seed, "which made-up CIDs");
    pin->add_option("--first", load.first, "index of the first one");
    pin->add_option("--pins", load.pins, "share of pin requests");
    pin->add_option("--unpins", load.unpins, "share of unpin requests");
    pin->add_option("--gets", load.gets, "share of GET /allocations/{cid}");
    pin->add_option("--query", load.query, "of each pin request");
    pin->add_option("--rate", load.rate, "requests per second; 0: as fast as answers come");
    pin->add_option("--daemon", settings.daemons,
                    "stub daemon that must hold every pin at the end; repeat for several");
    pin->add_option("--expected", load.expected, "new pins at each daemon (default: all)");
    pin->add_option("--realised-limit", settings.realised_limit_s,
                    "seconds to wait for the daemons");

    pin->add_flag("--told", load.told, "measure until each pin's daemon holds it");

    auto* list = app.add_subcommand("list", "one streamed list, read to its end");
    list->add_option("--api", settings.apis, "REST API of a peer, as a multiaddress")->required();
    list->add_option("--target", settings.target, "path and query");

    auto* pins =
        app.add_subcommand("make-pins", "a file of made-up pins, as `state export` writes them");
    pins->add_option("--count", settings.count, "how many")->required();
    pins->add_option("--output", settings.output, "the file")->required();
    pins->add_option("--seed", load.seed, "which made-up CIDs");
    pins->add_option("--first", load.first, "index of the first one");
    pins->add_option("--replication-min", settings.replication_min);
    pins->add_option("--replication-max", settings.replication_max);
    CLI11_PARSE(app, argc, argv);

    if (pins->parsed()) return write_pins(settings);
    auto apis = servers(settings.apis);
    auto daemons = servers(settings.daemons);
    for (const auto* found : {&apis, &daemons}) {
        if (*found) continue;
        std::cerr << found->error().text << std::endl;
        return 1;
    }
    load.apis = std::move(apis).value();
    load.daemons = std::move(daemons).value();
    load.limit = seconds(settings.limit_s);
    load.realised_limit = seconds(settings.realised_limit_s);
    asio::io_context io(1);
    AsioWorld world(io);
    if (list->parsed())
        return run_here(world, io, run_list(world, load.apis.front(), settings.target));
    return run_here(world, io, run_pin_load(world, std::move(load)));
}

}  // namespace
}  // namespace ipfscluster::bench

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    ipfscluster::init_logging();
    return ipfscluster::bench::run(argc, argv);
}
