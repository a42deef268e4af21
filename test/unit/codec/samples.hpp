#pragma once
#include <random>

#include "base/encoding.hpp"
#include "codec/wire.hpp"

namespace ipfscluster::codec::test {

inline Bytes hex(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c != ' ') digits.push_back(c);
    return hex_decode(digits).value();
}

inline const std::string kPeerHex =
    "00240801122095e71d436bacf4a81caf0748762cc6f2332e5f434b565efa87fa6e2a0d4c6135";
inline const std::string kCidHex =
    "1220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

inline PeerId peer() {
    return PeerId::parse("12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg").value();
}
inline Cid cid0() {
    return Cid::parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n").value();
}
inline Time at(std::int64_t seconds, std::int64_t nanos = 0) {
    return Time(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos));
}

/// Random values of every field, the same for a seed.
class Samples {
 public:
    explicit Samples(std::uint64_t seed) : random_(seed) {}
    std::uint64_t number(std::uint64_t below) { return random_() % below; }
    bool coin() { return number(2) == 0; }
    std::string text() {
        static constexpr std::size_t kLengths[] = {0, 1, 5, 31, 32, 255, 256, 70000};
        std::string s(kLengths[number(20) == 0 ? 7 : number(7)], 'x');
        for (auto& c : s) c = static_cast<char>('a' + number(26));
        return s;
    }
    Cid cid() {
        if (number(4) == 0) return {};
        Bytes hash = hex("1220");
        for (int i = 0; i < 32; ++i) hash.push_back(static_cast<char>(number(256)));
        return coin() ? Cid::v0(hash) : Cid::v1(Codec::raw, hash);
    }
    PeerId peer() {
        Bytes id = hex("002408011220");
        for (int i = 0; i < 32; ++i) id.push_back(static_cast<char>(number(256)));
        return PeerId::from_bytes(id).value();
    }
    Multiaddr address() {
        auto base =
            Multiaddr::parse("/ip4/10.0.0." + std::to_string(number(256)) + "/tcp/4001").value();
        return coin() ? base : base.with_peer(peer());
    }
    Time time() {
        switch (number(4)) {
            case 0:
                return kTimeUnset;
            case 1:
                return at(static_cast<std::int64_t>(number(4'000'000'000)));
            case 2:
                return at(static_cast<std::int64_t>(number(8'000'000'000)), 123456789);
            default:
                return at(-static_cast<std::int64_t>(number(1'000'000'000)) - 1, 5);
        }
    }
    std::int64_t integer() {
        const auto value = static_cast<std::int64_t>(random_() >> number(64));
        return coin() ? value : -value;
    }
    template <class F>
    auto list(F make) {
        std::vector<decltype(make())> out;
        for (auto n = number(4); n > 0; --n) out.push_back(make());
        return out;
    }
    std::map<std::string, std::string> metadata() {
        std::map<std::string, std::string> out;
        for (auto n = number(3); n > 0; --n) out.emplace("k" + text(), text());
        return out;
    }
    PinOptions options() {
        PinOptions o;
        o.replication_min = static_cast<int>(integer());
        o.replication_max = static_cast<int>(integer());
        o.name = text();
        o.mode = coin() ? PinMode::direct : PinMode::recursive;
        o.shard_size = random_() >> number(64);
        o.user_allocations = list([&] { return peer(); });
        o.expire_at = time();
        o.metadata = metadata();
        o.pin_update = cid();
        o.origins = list([&] { return address(); });
        return o;
    }
    Pin pin() {
        static constexpr PinType kTypes[] = {PinType::data, PinType::meta, PinType::cluster_dag,
                                             PinType::shard};
        Pin p;
        p.cid = cid();
        p.type = kTypes[number(4)];
        p.allocations = list([&] { return peer(); });
        p.max_depth = static_cast<int>(number(4)) - 1;
        p.reference = cid();
        p.timestamp = time();
        p.options = options();
        return p;
    }
    PinInfoShort info() {
        static constexpr TrackerStatus kAll[] = {
            TrackerStatus::undefined, TrackerStatus::cluster_error, TrackerStatus::pinned,
            TrackerStatus::remote, TrackerStatus::unexpectedly_unpinned};
        return {text(),
                coin() ? peer() : PeerId(),
                list([&] { return address(); }),
                kAll[number(5)],
                time(),
                text(),
                static_cast<int>(number(1000)),
                coin()};
    }
    PinInfo row() {
        return {cid(),
                text(),
                peer(),
                list([&] { return peer(); }),
                list([&] { return address(); }),
                time(),
                metadata(),
                info()};
    }
    GlobalPinInfo global() {
        GlobalPinInfo g;
        g.cid = cid();
        for (auto n = number(4); n > 0; --n) {
            auto r = row();
            r.cid = g.cid;
            g.add(r);
        }
        return g;
    }
    Metric metric() { return {text(), peer(), text(), time(), coin(), integer(), coin(), time()}; }
    PeerInfo peer_info() {
        return {peer(),
                list([&] { return address(); }),
                list([&] { return peer(); }),
                list([&] { return address(); }),
                text(),
                text(),
                text(),
                text(),
                {peer(), list([&] { return address(); }), text()},
                text()};
    }

 private:
    std::mt19937_64 random_;
};

}  // namespace ipfscluster::codec::test
