// When a pin counts as held: pure.
#include "api/ipfsproxy/pin_judge.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"

namespace ipfscluster::ipfsproxy {
namespace {

using State = PinVerdict::State;

PeerId peer(int number) {
    return ed25519_from_seed(std::string(32, static_cast<char>('a' + number))).id;
}

/// One letter per peer: P pinned, W pinning, Q queued, E error, S silent, R remote, U unpinned.
GlobalPinInfo reports(const std::string& letters) {
    GlobalPinInfo out;
    int number = 0;
    for (const char letter : letters) {
        PinInfoShort row;
        row.peername = "peer" + std::to_string(number);
        switch (letter) {
            case 'P':
                row.status = TrackerStatus::pinned;
                break;
            case 'W':
                row.status = TrackerStatus::pinning;
                break;
            case 'Q':
                row.status = TrackerStatus::pin_queued;
                break;
            case 'S':
                row.status = TrackerStatus::cluster_error;
                break;
            case 'R':
                row.status = TrackerStatus::remote;
                break;
            case 'U':
                row.status = TrackerStatus::unpinned;
                break;
            default:
                row.status = TrackerStatus::pin_error;
                row.error = "no block";
        }
        out.peer_map[peer(number++)] = row;
    }
    return out;
}

struct Case {
    int min;            ///< -1: everywhere
    const char* peers;  ///< of them all but R are allocated
    State state;
    bool maybe_held;
};

TEST(pin_judge, enough_peers_make_a_pin) {
    const Case cases[] = {
        {-1, "P", State::held, true},      {-1, "PPP", State::held, true},
        {-1, "PPS", State::held, true},    {-1, "PPW", State::working, true},
        {-1, "PUP", State::working, true}, {-1, "WQ", State::working, false},
        {-1, "PPE", State::failed, false}, {-1, "SS", State::waiting, true},
        {-1, "PR", State::held, true},     {-1, "WR", State::working, false},
        {-1, "", State::failed, false},    {2, "PPW", State::held, true},
        {2, "PPE", State::held, true},     {2, "PWR", State::working, false},
        {2, "PER", State::failed, false},  {2, "PSR", State::waiting, true},
        {2, "WSR", State::working, false}, {2, "SSR", State::waiting, true},
        {1, "ER", State::failed, false},   {1, "EP", State::held, true},
        {0, "P", State::held, true},
    };
    for (const auto& c : cases) {
        Pin pin;
        pin.options.replication_min = pin.options.replication_max = c.min;
        const auto status = reports(c.peers);
        if (c.min >= 0)
            for (const auto& [id, row] : status.peer_map)
                if (row.status != TrackerStatus::remote) pin.allocations.push_back(id);
        const auto verdict = judge_pin(pin, status);
        EXPECT_EQ(static_cast<int>(verdict.state), static_cast<int>(c.state))
            << c.min << " " << c.peers;
        EXPECT_EQ(verdict.maybe_held, c.maybe_held) << c.min << " " << c.peers;
    }
}

TEST(pin_judge, a_failure_names_each_peer_and_its_error) {
    Pin pin;
    pin.options.replication_min = pin.options.replication_max = -1;
    EXPECT_EQ(judge_pin(pin, reports("E")).why, "peer0: no block");
    EXPECT_NE(judge_pin(pin, reports("EE")).why.find("; "), std::string::npos);
}

}  // namespace
}  // namespace ipfscluster::ipfsproxy
