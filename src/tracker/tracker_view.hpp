#pragma once
#include "component/ipfs_connector.hpp"
#include "tracker/outcomes.hpp"
#include "tracker/reconciler.hpp"

namespace ipfscluster::tracker {

/// What the tracker tells about its items: the row of one CID, for which the daemon is asked where
/// it has something to say, and lists of the records. Owned by the tracker; one strand; what it
/// gives ends before the tracker does. Errors of the store are passed on, lists that look at the
/// daemon first pass on those of its list.
class TrackerView {
 public:
    struct Parts {
        World& world;
        storage::Store& store;
        state::State& pinset;
        component::IpfsConnector& ipfs;
        PinQueue& queue;
        ItemFacts& facts;
        Outcomes& outcomes;
        Reconciler& reconciler;
        const TrackerOptions& options;
    };
    explicit TrackerView(Parts parts) : parts_(parts) {}

    void set_identity(TrackerIdentity identity) { identity_ = std::move(identity); }

    Async<PinInfo> status(Cid cid);
    Async<PinInfo> sync(Cid cid);
    Async<PinInfo> recover(Cid cid);
    SourcePtr<PinInfo> status_all(StatusFilter filter);
    /// `all`: also what will be tried again by itself.
    SourcePtr<PinInfo> recover_all(bool all);
    SourcePtr<PinInfo> sync_all();

 private:
    class StatusSource;
    class RecoverSource;
    class SyncSource;
    /// What a look at the daemon for one CID has come to.
    struct Asked {
        PinInfo row;                   ///< afterwards
        std::optional<Error> unasked;  ///< why the daemon gave no answer, where it was to be asked
        bool overtaken = false;        ///< something happened meanwhile: the answer is of before
    };

    PinInfo describe(const Cid& cid, const Facts& facts) const;
    Async<Asked> look(Cid cid);
    Async<Asked> ask_daemon(Cid cid, Facts facts);

    Parts parts_;
    TrackerIdentity identity_;
};

}  // namespace ipfscluster::tracker
