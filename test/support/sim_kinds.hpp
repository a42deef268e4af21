#pragma once
#include <gtest/gtest.h>

#include "support/sim_peer.hpp"
#include "support/toy_consensus.hpp"

namespace ipfscluster::test {

/// The kinds of consensus that simulated peers are run with.
enum class SimKind { raft, toy };

inline SimPeerOptions options_with(SimKind kind) {
    SimPeerOptions out;
    if (kind == SimKind::toy) out.consensus = make_toy_consensus();
    return out;
}

inline std::string kind_name(const ::testing::TestParamInfo<SimKind>& info) {
    return info.param == SimKind::raft ? "raft" : "toy";
}

/// Runs the tests of a fixture with each of them.
#define SIM_WITH_EACH_KIND(Fixture)                                                         \
    INSTANTIATE_TEST_SUITE_P(each, Fixture, ::testing::Values(SimKind::raft, SimKind::toy), \
                             ipfscluster::test::kind_name)

}  // namespace ipfscluster::test
