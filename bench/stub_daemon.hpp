#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "http/server.hpp"
#include "stub_pins.hpp"

namespace ipfscluster::bench {

/// How a stub daemon answers. Counts of zero mean "never".
struct StubOptions {
    Multiaddr listen;              ///< /ip4/127.0.0.1/tcp/0 for any free port
    std::string peer_id;           ///< what `id` answers
    Duration pin_delay{};          ///< before the answer of pin/add
    Duration unpin_delay{};        ///< before the answer of pin/rm
    std::uint64_t fail_every = 0;  ///< each n-th pin/add answers an error
    std::uint64_t late_error_every =
        0;  ///< each n-th pin/add with progress ends in an X-Stream-Error trailer
    std::uint64_t cut_listing_after = 0;  ///< pin/ls breaks off after that many rows
    /// Nobody has the made-up items of this seed: pin/add goes on saying that nothing has come.
    std::optional<std::uint64_t> dead_seed;
};

/// An IPFS daemon without content: answers at once the part of Kubo's RPC API that a cluster peer
/// calls, and counts the calls. `GET /bench/counters` answers
/// `{"pins":…,"calls":{"pin/add":…}}`, `POST /bench/reset` sets the counts to zero.
/// Owned by main or a test; `start` before, `stop` after use; one strand.
class StubDaemon {
 public:
    StubDaemon(World& world, StubOptions options);
    ~StubDaemon();

    Async<> start();
    Async<> stop();
    /// The real address, once started.
    Multiaddr address() const;
    StubPins& pins() { return pins_; }
    std::uint64_t calls(const std::string& name) const;

 private:
    using Exchange = http::Exchange;
    Async<> handle(Exchange& e);
    Async<> call(Exchange& e, std::string name);
    Async<> pin_add(Exchange& e);
    bool is_dead(const Cid& cid) const;
    Async<> find_nothing(Exchange& e);
    Async<> pin_remove(Exchange& e);
    Async<> pin_list(Exchange& e);
    Async<> pin_update(Exchange& e);
    Async<> block_put(Exchange& e);
    Async<> counters(Exchange& e);

    World& world_;
    StubOptions options_;
    StubPins pins_;
    std::map<std::string, std::uint64_t> calls_;
    std::uint64_t pin_adds_ = 0;
    std::unique_ptr<http::Server> server_;
};

}  // namespace ipfscluster::bench
