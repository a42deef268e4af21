#pragma once
#include <set>

#include "base/log.hpp"
#include "net/address_book.hpp"
#include "net/bridge_host.hpp"
#include "net/bridge_stream.hpp"
#include "net/listeners.hpp"

/// The inside of BridgeHost, shared by its source files alone.
namespace ipfscluster::net {

/// Events taken in one turn of the strand.
inline constexpr int kEventsPerTurnMax = 256;

struct FreeHost {
    void operator()(icl_p2p* host) const { bridge(icl_p2p_free, host); }
};

/// An event that gives its buffers back.
struct OwnedEvent : icl_p2p_event {
    OwnedEvent() : icl_p2p_event{} {}
    OwnedEvent(const OwnedEvent&) = delete;
    OwnedEvent& operator=(const OwnedEvent&) = delete;
    ~OwnedEvent() {
        for (auto* buffer : {&peer, &source, &name, &data, &id}) bridge(icl_buffer_free, buffer);
        bridge(icl_stream_free, stream);
    }
    BridgeStreamPtr take_stream() { return BridgeStreamPtr(std::exchange(stream, nullptr)); }
};

std::uint32_t to_millis(Duration limit);
Bytes address_list(const std::vector<Multiaddr>& addresses);
/// The addresses of a list that we understand; others may use protocols we do not know.
std::vector<Multiaddr> to_addresses(BytesView list);

/// A discovered peer that could not be connected (mostly one of another network) is left alone for
/// a while, longer each time.
struct DiscoveryPause {
    SteadyTime until{};
    Duration length{};
};

/// What outlives the host object while posted work still refers to it.
struct BridgeHost::Core : std::enable_shared_from_this<BridgeHost::Core> {
    Core(World& w, BridgeHostOptions o)
        : world(w),
          options(std::move(o)),
          counters(std::make_shared<StreamCounters>(w.executor())) {}

    World& world;
    BridgeHostOptions options;
    asio::any_io_executor executor = world.executor();
    std::shared_ptr<spdlog::logger> log = logger("net");
    std::unique_ptr<icl_p2p, FreeHost> host;
    PeerId id;
    bool closed = false;
    std::vector<Multiaddr> listening;
    std::map<PeerId, SteadyTime> connected;  ///< since when
    AddressBook book;
    std::shared_ptr<StreamCounters> counters;
    std::map<std::string, StreamHandler> handlers;
    std::map<std::string, TopicHandler> topics;
    std::map<std::string, TopicValidator> validators;
    Listeners<ConnectionEvent> connections;
    std::set<PeerId> dialing_discovered;
    std::map<PeerId, DiscoveryPause> discovery_pauses;
    SteadyTime last_trim{};
    Reachability reachability = Reachability::unknown;
    std::optional<Multiaddr> seen_at;                         ///< where others can dial us
    std::multimap<Bytes, ProviderHandler> provider_searches;  ///< by key
    std::vector<std::function<void(Error)>> failures;

    Result<> start();
    std::optional<std::string> cannot_listen(const Multiaddr& address) const;
    /// By `no_announce`.
    bool hides(const Multiaddr& address) const;
    Async<> listen(Multiaddr address);
    Async<> listen_all();
    static void ready(void* ctx);
    void drain(int most);
    void on_event(OwnedEvent& event);
    void on_stream(OwnedEvent& event);
    void on_message(OwnedEvent& event);
    void on_failed(Error error);
    void on_discovered(const PeerId& peer, std::vector<Multiaddr> addresses);
    void on_discovery_dialed(const PeerId& peer, std::int32_t status, const Bytes& text);
    void on_reachability(OwnedEvent& event);
    void on_provider(OwnedEvent& event);
    void trim_connections();
    Async<std::size_t> provide(Bytes key, Duration limit);
    Async<std::size_t> find_providers(Bytes key, std::size_t most, Duration limit,
                                      ProviderHandler found);
    Async<> dial(PeerId peer, std::vector<Multiaddr> addresses, Duration limit);
    Async<std::vector<Multiaddr>> find(PeerId peer, Duration limit);
    Async<StreamPtr> open(PeerId peer, std::vector<std::string> protocols, Duration limit);
    Result<> usable() const {
        if (closed) return fail(Kind::shutting_down, "the network host is closed");
        return ok();
    }
};

}  // namespace ipfscluster::net
