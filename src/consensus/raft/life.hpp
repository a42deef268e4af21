#pragma once
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace ipfscluster::raft {

/// Where the consensus component stands: it starts, runs once it has an engine, and is over when it
/// has ended for a reason of its own or its owner stops it. The first reason holds; what is over
/// never runs again. Owned by the component, asked by all its parts, on its strand. No I/O.
class Life {
 public:
    enum class Phase { starting, running, ended };
    struct Events {
        /// What is known to be missing of the stored data; empty: nothing. It is a better reason
        /// than the engine's, which only says that it could not read.
        std::function<std::string()> damage;
        std::function<void(const Error&)> ended;
    };
    explicit Life(Events events) : events_(std::move(events)) {}

    void run();
    /// Without effect when it is over. `conflict` stays the word for a removal alone: whoever waits
    /// for the end takes it for that.
    void end(Error why);
    /// The members agreed that this peer is none of them: `end` says so from now on.
    void note_removal() { removed_ = true; }
    /// A removal that somebody told us of. Without effect when it is over.
    void end_removed(Error why);
    /// The owner wants the end. True the first time.
    bool stop();
    /// Data is missing, noticed before it ran.
    void lose(std::string what) { loss_ = std::move(what); }
    /// Why nothing happens yet; empty: nothing hinders. False when that is no news.
    bool hinder(std::string why);

    Phase phase() const { return phase_; }
    bool stopping() const { return stopping_; }
    bool over() const { return stopping_ || phase_ == Phase::ended; }
    /// Why it ended.
    const std::optional<Error>& ended() const { return why_; }
    /// The error with which a call is answered when it is over.
    Result<> check() const;
    bool removed() const { return removed_; }
    const std::string& hindrance() const { return hindrance_; }
    const std::string& loss() const { return loss_; }

 private:
    Events events_;
    Phase phase_ = Phase::starting;
    bool stopping_ = false;
    std::optional<Error> why_;
    bool removed_ = false;
    std::string hindrance_;
    std::string loss_;
};

}  // namespace ipfscluster::raft
