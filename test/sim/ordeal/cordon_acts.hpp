#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/ordeal/tally.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::ordeal {

/// Tells the cluster that a peer takes no new pins, is drained, or is as any other again, and
/// judges what came of it. One peer at a time, so that the others can take what it must not have.
/// One run's; outlived by cluster and tally.
class CordonActs {
 public:
    CordonActs(test::SimCluster& cluster, Tally& tally) : cluster_(cluster), tally_(tally) {}
    /// Through the first member that is up; false: it is another peer's turn, or nobody is up.
    bool tell(int number, component::Cordon::Kind kind);
    /// Nobody was told anything that still holds.
    bool idle() const { return cordoned_ < 0; }
    /// Takes note of answers, and of who is no member any more.
    void note();
    /// Whether nothing is being told, and who is drained has none of these items by name.
    bool drained(const std::vector<Cid>& items);
    /// How many it had when `drained` looked last.
    std::size_t left() const { return left_; }
    /// What `drained` waits for, for people.
    std::string text() const;
    /// Once everything is healed: who is cordoned gets none of a few new pins. Else what is wrong.
    std::string check();

 private:
    component::Cordon cordon_at(int number);

    test::SimCluster& cluster_;
    Tally& tally_;
    int cordoned_ = -1;
    std::shared_ptr<std::optional<Result<DrainReport>>> told_;  ///< no answer yet
    component::Cordon::Kind told_kind_ = component::Cordon::Kind::none;
    std::size_t left_ = 0;
    bool counted_ = false;
};

}  // namespace ipfscluster::ordeal
