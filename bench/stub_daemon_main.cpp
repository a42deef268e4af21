// icl_bench_stub_daemon: N IPFS daemons without content in one process.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <iostream>

#include "base/log.hpp"
#include "runtime/asio_world.hpp"
#include "stub_daemon.hpp"

namespace ipfscluster::bench {
namespace {

/// `SEED:FIRST:COUNT`
struct Range {
    std::uint64_t seed = 0, first = 0, count = 0;
};

Result<Range> parse_range(std::string_view text) {
    Range range;
    std::uint64_t* const parts[] = {&range.seed, &range.first, &range.count};
    for (auto* part : parts) {
        const auto colon = text.find(':');
        const auto word = text.substr(0, colon);
        const auto [end, ec] = std::from_chars(word.data(), word.data() + word.size(), *part);
        const bool last = part == parts[2];
        if (ec != std::errc() || end != word.data() + word.size() ||
            (colon == std::string_view::npos) != last)
            return fail(Kind::invalid, "a range is SEED:FIRST:COUNT");
        text.remove_prefix(last ? text.size() : colon + 1);
    }
    return range;
}

/// A well-formed peer id that nobody has the key of.
std::string made_up_peer_id(std::size_t number) {
    // An inlined Ed25519 key: identity multihash of its protobuf form.
    Bytes id("\x00\x24\x08\x01\x12\x20", 6);
    for (std::uint64_t i = 0; i < 4; ++i) put_be64(id, mix64(number * 4 + i));
    auto peer = PeerId::from_bytes(id);
    return peer ? peer.value().to_string() : std::string{};
}

struct Settings {
    std::size_t count = 1;
    std::string listen = "/ip4/127.0.0.1/tcp/0";
    std::vector<std::string> held;
    double pin_delay_ms = 0, unpin_delay_ms = 0;
    StubOptions options;
};

Duration milliseconds(double value) {
    return Duration(static_cast<std::int64_t>(value * 1e6));
}

using Stubs = std::vector<std::unique_ptr<StubDaemon>>;

/// Starts every stub and prints its address, one line each.
asio::awaitable<void> start_all(Stubs& stubs, Result<>& outcome, asio::signal_set& signals) {
    for (auto& stub : stubs) {
        outcome = co_await stub->start();
        if (!outcome) {
            signals.cancel();
            co_return;
        }
        std::cout << stub->address().to_string() << std::endl;
    }
}

asio::awaitable<void> stop_all(Stubs& stubs) {
    for (auto& stub : stubs) {
        auto stopped = co_await stub->stop();
        if (!stopped) std::cerr << stopped.error().text << std::endl;
    }
}

int run(int argc, char** argv) {
    CLI::App app("IPFS daemons without content: answer a cluster peer at once and count its calls",
                 "icl_bench_stub_daemon");
    Settings settings;
    app.add_option("--count", settings.count, "daemons in this process")->check(CLI::Range(1, 64));
    app.add_option("--listen", settings.listen, "address of each; port 0: any free one");
    app.add_option("--held", settings.held, "SEED:FIRST:COUNT, made-up CIDs held from the start");
    app.add_option("--pin-delay-ms", settings.pin_delay_ms, "before each answer of pin/add");
    app.add_option("--unpin-delay-ms", settings.unpin_delay_ms, "before each answer of pin/rm");
    app.add_option("--fail-every", settings.options.fail_every,
                   "each n-th pin/add answers an error");
    app.add_option("--late-error-every", settings.options.late_error_every,
                   "each n-th pin/add with progress ends in an error trailer");
    app.add_option("--cut-listing-after", settings.options.cut_listing_after,
                   "pin/ls breaks off after that many rows");
    app.add_option("--dead-seed", settings.options.dead_seed,
                   "made-up CIDs of this seed are nowhere to be found: their pin/add never ends");
    CLI11_PARSE(app, argc, argv);

    auto listen = Multiaddr::parse(settings.listen);
    if (!listen) {
        std::cerr << "--listen: " << listen.error().text << std::endl;
        return 1;
    }
    settings.options.listen = listen.value();
    settings.options.pin_delay = milliseconds(settings.pin_delay_ms);
    settings.options.unpin_delay = milliseconds(settings.unpin_delay_ms);
    std::vector<Range> held;
    for (const auto& text : settings.held) {
        auto range = parse_range(text);
        if (!range) {
            std::cerr << "--held \"" << text << "\": " << range.error().text << std::endl;
            return 1;
        }
        held.push_back(range.value());
    }

    asio::io_context io(1);
    AsioWorld world(io);
    std::vector<std::unique_ptr<StubDaemon>> stubs;
    for (std::size_t i = 0; i < settings.count; ++i) {
        auto options = settings.options;
        options.peer_id = made_up_peer_id(i);
        stubs.push_back(std::make_unique<StubDaemon>(world, std::move(options)));
        for (const auto& range : held)
            stubs.back()->pins().add_range(range.seed, range.first, range.count);
    }
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code, int) {
        asio::co_spawn(io, stop_all(stubs), asio::detached);
    });
    Result<> outcome = ok();
    asio::co_spawn(io, start_all(stubs, outcome, signals), asio::detached);
    io.run();
    if (outcome) return 0;
    std::cerr << outcome.error().text << std::endl;
    return 1;
}

}  // namespace
}  // namespace ipfscluster::bench

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    ipfscluster::init_logging();
    return ipfscluster::bench::run(argc, argv);
}
