#pragma once
#include <map>

#include "consensus/raft/lookout.hpp"
#include "consensus/raft/loss_watch.hpp"
#include "consensus/raft/member_changes.hpp"
#include "consensus/raft/vouching.hpp"
#include "net/stream_places.hpp"

namespace ipfscluster::raft {

/// A peer needs two or three; the rest are those whose end has not been noticed yet, and changes of
/// membership that many ask for at once.
inline constexpr net::StreamBounds kStreamBounds{
    .per_member = 32, .per_stranger = 32, .strangers = 64, .in_all = 4096, .refusals = 16};

/// The streams that others open to us: each is given a place, greeted at the door and served as its
/// purpose says, until it ends or its node is no member any more. Owned by the consensus component,
/// on its strand. What a stream says wrong ends that stream alone.
class Streams {
 public:
    struct Parts {
        World& world;
        storage::Store& store;
        const RaftOptions& options;
        LogStore& log;
        Life& life;
        Roster& roster;
        Driver& driver;
        LeaderDuties& duties;
        MemberChanges& changes;
        SnapshotLeases& leases;
        SnapshotFetch& fetch;
        LossWatch& loss;
        Lookout& lookout;
        Vouching& vouching;
        TaskGroup& tasks;
    };
    explicit Streams(Parts parts) : p_(parts) {}

    void accept(net::StreamPtr stream);
    /// Ends those of a node that is no member any more, once it had time to hear of it.
    void forget(NodeId id);
    std::size_t open() const { return places_.open(); }

 private:
    asio::awaitable<void> serve(std::unique_ptr<FrameStream> stream,
                                net::StreamPlaces::Place place);
    asio::awaitable<void> refuse(std::unique_ptr<FrameStream> stream,
                                 net::StreamPlaces::Place place);
    Async<> refuse_politely(FrameStream* stream);
    Async<> serve_checked(FrameStream* stream);
    Async<> serve_purpose(FrameStream* stream, Purpose purpose, NodeId from);
    Async<> serve_snapshot(FrameStream* stream, NodeId to);
    Async<> serve_change(FrameStream* stream, NodeId from);
    Async<> receive_messages(FrameStream* stream, NodeId from);
    Async<> take_messages(FrameStream* stream, NodeId from);
    Async<> take_message(FrameStream* stream, NodeId from, Bytes message);
    asio::awaitable<void> end_streams_of(NodeId id);

    DoorFacts facts(const PeerId& opener, const Hello& said) const;
    bool knows(const PeerId& peer) const;
    Async<HelloReply> answer(PeerId opener, Hello said);

    Parts p_;
    net::StreamPlaces places_{kStreamBounds};
    std::map<NodeId, FrameStream*> talking_;  ///< on which nodes send us messages
};

}  // namespace ipfscluster::raft
