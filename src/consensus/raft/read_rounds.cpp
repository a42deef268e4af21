#include "consensus/raft/read_rounds.hpp"

namespace ipfscluster::raft {

std::optional<Bytes> ReadRounds::next(NodeId leader, std::uint64_t term, SteadyTime now) {
    if (leader == 0 || wanted_ <= answered_) return std::nullopt;
    const bool under_way = asked_ > answered_;
    const bool lost = leader != leader_ || term != term_ || now - asked_at_ >= retry_after_;
    if (under_way && !lost) return std::nullopt;
    ++asked_;
    asked_at_ = now;
    leader_ = leader;
    term_ = term;
    auto question = name_;
    put_be64(question, asked_);
    return question;
}

void ReadRounds::answered(BytesView question, std::uint64_t index) {
    if (question.size() != name_.size() + 8 || !question.starts_with(name_)) return;
    const auto number = get_be64(question.substr(name_.size()));
    if (number <= answered_ || number > asked_) return;
    answered_ = number;
    index_ = index;
}

}  // namespace ipfscluster::raft
