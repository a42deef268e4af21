#include <algorithm>

#include "fuzz.hpp"
#include "support/raft_messages.hpp"
#include "unit/consensus_raft/memory_log.hpp"

// A running engine that is told anything, by two members and by nobody: what no engine would say is
// refused, and nothing breaks it. Each step is an operation and, for a message, its fields, chosen
// around what the engine has.
namespace ipfscluster::fuzz {
namespace {

using raft::NodeId;
using test::RaftMessage;
using test::RaftType;

enum Operation : std::uint8_t { kTick, kCampaign, kPropose, kMessage, kRaw, kOperations };
constexpr std::size_t kStepsMax = 200;

class Run {
 public:
    explicit Run(BytesView in) : in_(in) {
        node_.id = 1;
        node_.conf_state = raft::make_conf_state({1, 2, 3}, {});
        node_.start();
    }

    void go() {
        for (std::size_t steps = 0; !in_.empty() && steps < kStepsMax; ++steps) {
            before_ = node_.status();
            step();
            settle();
        }
    }

 private:
    void step() {
        Result<> outcome = ok();
        switch (take_byte(in_) % kOperations) {
            case kTick:
                outcome = node_.engine->tick();
                break;
            case kCampaign:
                outcome = node_.engine->campaign();
                break;
            case kPropose:
                outcome = node_.engine->propose("proposed here");
                break;
            case kMessage:
                outcome = node_.engine->step(message().encode());
                break;
            default: {
                const std::size_t wanted = take_byte(in_);
                const auto size = std::min(wanted, in_.size());
                outcome = node_.engine->step(in_.substr(0, size));
                in_.remove_prefix(size);
            }
        }
        require(outcome || (outcome.error().kind != Kind::internal &&
                            outcome.error().kind != Kind::shutting_down),
                "the engine bears what it is told");
    }

    /// A number around what is true, or far from it.
    std::uint64_t around(std::uint64_t base) {
        const auto choice = take_byte(in_);
        switch (choice % 8) {
            case 0:
                return 0;
            case 1:
                return base + 1;
            case 2:
                return base > 0 ? base - 1 : 0;
            case 3:
                return base + choice;
            case 4:
                return base + (std::uint64_t{1} << 33);
            case 5:
                return ~std::uint64_t{0};
            default:
                return base;
        }
    }
    NodeId node() { return 1 + take_byte(in_) % 5; }

    RaftMessage message() {
        RaftMessage out;
        out.type = static_cast<RaftType>(take_byte(in_) % 19);
        out.to = 1;
        out.from = node();
        out.term = around(before_.term);
        out.log_term = around(before_.term);
        out.index = around(before_.last_index);
        out.commit = around(before_.commit);
        const auto flags = take_byte(in_);
        out.reject = (flags & 1) != 0;
        if (out.reject) out.reject_hint = around(before_.last_index);
        for (unsigned i = 0; i < ((flags >> 1) & 3U); ++i) {
            const auto index = (flags & 8) != 0 ? around(out.index) : out.index + i + 1;
            out.entries.push_back({index, around(out.log_term), raft::EntryType::normal, "x"});
        }
        if (out.type == RaftType::snapshot) {
            out.snapshot.at = {around(before_.last_index), around(before_.term)};
            out.snapshot.conf_state = raft::make_conf_state({node(), node()}, {node()});
        }
        return out;
    }

    /// Rounds until nothing moves.
    void settle() {
        for (int rounds = 0; rounds < 100; ++rounds) {
            const auto more = node_.round();
            require(more.has_value(), "a round goes well");
            if (!more.value()) break;
        }
        node_.outbox.clear();
        const auto now = node_.engine->status();
        require(now.has_value(), "the engine runs");
        require(now.value().term >= before_.term, "terms do not go back");
        require(now.value().commit >= before_.commit, "what is agreed stays so");
        require(now.value().commit <= now.value().last_index, "only entries of the log are agreed");
    }

    BytesView in_;
    raft::StepNode node_;
    raft::EngineStatus before_;
};

}  // namespace

std::vector<Bytes> seeds() {
    const auto step = [](RaftType type, std::uint8_t from, const char(&fields)[7]) {
        Bytes out{kMessage, static_cast<char>(type), static_cast<char>(from - 1)};
        return out.append(fields, 6);
    };
    // Fields: term, log term, index, commit, flags, term of the first entry.
    const auto beat = step(RaftType::heartbeat, 2, "\x01\x00\x00\x06\x00\x00");
    const auto append = step(RaftType::append, 2, "\x06\x06\x06\x06\x02\x06");
    const auto vote = step(RaftType::vote, 3, "\x01\x06\x06\x00\x00\x00");
    const Bytes lead{kCampaign, kMessage, 18, 1, 6, 6, 6, 6, 0, kMessage, 6, 1, 6, 6, 6, 6, 0};
    RaftMessage snapshot{RaftType::snapshot, 1, 2, 3};
    snapshot.snapshot = {{90, 2}, raft::make_conf_state({1, 2}, {3}), "token"};
    const auto bytes = snapshot.encode();
    Bytes raw{kRaw, static_cast<char>(bytes.size())};
    raw += bytes;
    return {beat + append + append, lead + Bytes{kPropose, kTick, kTick} + vote, raw + append};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ipfscluster::fuzz::Run(ipfscluster::fuzz::view(data, size)).go();
    return 0;
}
