#pragma once
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "consensus/raft/types.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::raft {

/// Asks the leader once for all readers that wait together: a question serves whoever came before
/// it was asked, and the next one is asked when it is answered. Its answer is an index; a reader
/// that sees everything up to it has seen whatever was acknowledged before it came. No I/O; owned
/// by the consensus component, its strand.
class ReadRounds {
 public:
    /// `name` tells the questions of this start of this peer from all others.
    ReadRounds(Bytes name, Duration retry_after)
        : name_(std::move(name)), retry_after_(retry_after) {}

    /// A reader comes: the number of the first question that may serve it.
    std::uint64_t join() { return wanted_ = asked_ + 1; }
    /// Whether somebody waits for a question that can be asked now.
    bool has_new() const { return answered_ == asked_ && wanted_ > asked_; }
    /// The question to ask now: a new one, or another one when the last was lost, which a change of
    /// leader or silence shows. Nothing while one is under way, nobody waits or nobody leads.
    std::optional<Bytes> next(NodeId leader, std::uint64_t term, SteadyTime now);
    /// The answer to a question; to one of another start: nothing happens.
    void answered(BytesView question, std::uint64_t index);
    /// What the reader with this number has to see; nothing before it is known. Later answers are
    /// larger, so a reader keeps the first.
    std::optional<std::uint64_t> index_for(std::uint64_t number) const {
        return answered_ >= number ? std::optional(index_) : std::nullopt;
    }

 private:
    Bytes name_;
    Duration retry_after_;
    std::uint64_t wanted_ = 0;
    std::uint64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t index_ = 0;
    SteadyTime asked_at_{};
    NodeId leader_ = 0;
    std::uint64_t term_ = 0;
};

}  // namespace ipfscluster::raft
