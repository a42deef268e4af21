#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/ordeal/cordon_acts.hpp"
#include "sim/ordeal/disk_watch.hpp"
#include "sim/ordeal/schedule.hpp"
#include "sim/ordeal/tally.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::ordeal {

/// What came of one run.
struct Verdict {
    std::string wrong;  ///< empty: every rule held
    std::size_t calls = 0, acknowledged = 0, refused = 0, unknown = 0;
    std::uint64_t events = 0;
    Bytes trace;
};

/// Looks at the peers after each event of the simulation: one leader per term, commit and applied
/// index never go back within a life. Cheap. One run's; outlived by the cluster.
class StepWatch {
 public:
    explicit StepWatch(test::SimCluster& cluster) : cluster_(cluster) {}
    void look();
    /// The first rule that was broken.
    const std::string& wrong() const { return wrong_; }

 private:
    struct Seen {
        std::uint64_t life = 0, commit = 0, applied = 0;
    };
    void look_at(int number, const raft::EngineStatus& now);

    test::SimCluster& cluster_;
    std::map<std::uint64_t, raft::NodeId> leaders_;  ///< by term
    std::vector<Seen> seen_;                         ///< by peer
    std::string wrong_;
};

/// Carries out one schedule on whole peers, then heals everything and judges: the promises of
/// SimCluster::wrong, the rules of StepWatch and DiskWatch, one order of all calls per item,
/// content read back.
/// Acts that would go beyond what anybody promises (a second lost disk at once, too few members)
/// are left out; `tally` counts those that took place. Used once.
class Ordeal {
 public:
    Ordeal(const Schedule& schedule, Tally& tally, test::SimPeerOptions options = {});
    /// Histories are not judged: shows what their checker alone finds.
    void ignore_histories() { ignore_histories_ = true; }
    Verdict run();

 private:
    void prepare();
    void pass(Duration until);
    void act(const Event& event);
    bool act_of_client(const Event& event);
    bool act_of_process(const Event& event);
    bool act_of_disk(const Event& event);
    bool act_of_machine(const Event& event);
    bool act_of_network(const Event& event);
    bool act_of_membership(const Event& event);
    bool act_of_daemon(const Event& event);
    bool calm();
    bool start(int number);
    bool lose_data(const Event& event);
    bool set_clock(int number, Duration ahead);
    void set_clocks_right();
    bool move(const Event& event);
    bool lose_apart(const Event& event);
    bool accept_loss(int number);
    bool waits_for_more(int number);
    bool tell_cordon(int number, component::Cordon::Kind kind);
    std::string finish_drain();
    bool may_go(int number);
    bool remove(int number);
    bool leave(int number);
    void note_leave();
    bool rejoin(int number);
    void ask_to_remove();
    void note_removal();
    bool gives_copies();
    void finish_removal();
    void take_back();
    int members() const;
    /// Everybody is up, ready and a voter: one disk may be lost now.
    bool all_well();
    std::string judge();
    std::string check_histories();
    std::string check_content();
    void make_daemon_unsteady(int number);
    test::SimPeer& peer(int number) { return cluster_.peer(number); }

    const Schedule& schedule_;
    Tally& tally_;
    test::SimCluster cluster_;
    StepWatch watch_{cluster_};
    DiskWatch disks_{cluster_};
    CordonActs cordons_{cluster_, tally_};
    SteadyTime began_{};
    std::uint64_t steps_ = 0;
    std::vector<Cid> items_;
    std::map<Cid, Bytes> contents_;
    int leaving_ = -1;  ///< whose removal has been asked for and has no known outcome yet
    std::shared_ptr<std::optional<Result<component::Removal>>> removal_;
    bool ignore_histories_ = false;
    std::shared_ptr<std::optional<Result<>>> leave_;  ///< of `leaving_`, by its own wish
    int apart_ = -1;  ///< who lost its tail, while too few others may be started
    int wiped_ = -1;  ///< who lost data and is not back yet
    int wrong_clock_ = -1;
    SteadyTime clocks_right_since_{};
};

/// A smaller schedule that still fails: parts of it are left out for as long as that works.
/// `tries` runs at most.
Schedule reduce(Schedule schedule, int tries);

}  // namespace ipfscluster::ordeal
