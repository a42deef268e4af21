#include "support/linear_check.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_set>

namespace ipfscluster::test {

namespace {

using Kind = HistoryCall::Kind;

/// What stands at the CID after the call when `state` stood before; nothing when the call cannot
/// have happened then.
std::optional<std::uint64_t> after(const HistoryCall& call, std::uint64_t state) {
    switch (call.kind) {
        case Kind::pin:
            return call.value;
        case Kind::unpin: {
            // One whose outcome nobody knows may have found nothing.
            const bool fits = call.any_value ? call.unknown || state != 0 : state == call.value;
            if (!fits) return std::nullopt;
            return 0;
        }
        case Kind::read:
            if (state != call.value) return std::nullopt;
            return state;
    }
    return std::nullopt;
}

/// A set of calls and what stands after them.
struct Visited {
    std::vector<bool> done;
    std::uint64_t state = 0;
    friend bool operator==(const Visited&, const Visited&) = default;
};
struct VisitedHash {
    std::size_t operator()(const Visited& v) const {
        return std::hash<std::vector<bool>>{}(v.done) * 31 + std::hash<std::uint64_t>{}(v.state);
    }
};

class Search {
 public:
    explicit Search(std::vector<HistoryCall> calls) : calls_(std::move(calls)) {
        std::sort(calls_.begin(), calls_.end(),
                  [](const auto& a, const auto& b) { return a.begin < b.begin; });
        for (auto& call : calls_)
            if (call.unknown) call.end = std::numeric_limits<std::int64_t>::max();
        done_.assign(calls_.size(), false);
        left_ = static_cast<std::size_t>(std::count_if(
            calls_.begin(), calls_.end(), [](const auto& call) { return !call.unknown; }));
    }

    /// True when an order was found. Iterative: a history may be thousands of calls deep.
    bool run() {
        struct Step {
            std::size_t call;
            std::uint64_t before;
        };
        std::vector<Step> path;
        std::size_t next = 0;
        while (left_ > 0) {
            if (left_ < least_left_) least_left_ = left_, best_ = done_, best_state_ = state_;
            if (const auto found = pick(next)) {
                path.push_back({*found, state_});
                take(*found);
                next = 0;
                continue;
            }
            if (path.empty()) return false;
            const auto last = path.back();
            path.pop_back();
            give_back(last.call, last.before);
            next = last.call + 1;
        }
        return true;
    }

    /// The calls around the place beyond which no order was found.
    std::string story() const {
        std::string text = "no order explains these calls; " + describe_state(best_state_) +
                           " stands after the best attempt, which leaves:";
        int shown = 0;
        for (std::size_t i = 0; i < calls_.size() && shown < 12; ++i) {
            if (best_[i]) continue;
            text += "\n  " + describe(calls_[i]);
            ++shown;
        }
        return text;
    }

 private:
    /// The first call from `from` on that may come next and leads somewhere new.
    std::optional<std::size_t> pick(std::size_t from) {
        auto earliest_end = std::numeric_limits<std::int64_t>::max();
        for (std::size_t i = 0; i < calls_.size(); ++i)
            if (!done_[i]) earliest_end = std::min(earliest_end, calls_[i].end);
        for (std::size_t i = from; i < calls_.size(); ++i) {
            if (calls_[i].begin > earliest_end) break;
            if (done_[i]) continue;
            const auto state = after(calls_[i], state_);
            if (!state) continue;
            Visited place{done_, *state};
            place.done[i] = true;
            if (visited_.insert(std::move(place)).second) return i;
        }
        return std::nullopt;
    }
    void take(std::size_t i) {
        state_ = *after(calls_[i], state_);
        done_[i] = true;
        if (!calls_[i].unknown) --left_;
    }
    void give_back(std::size_t i, std::uint64_t before) {
        state_ = before;
        done_[i] = false;
        if (!calls_[i].unknown) ++left_;
    }
    static std::string describe_state(std::uint64_t state) {
        return state == 0 ? "nothing" : "pin " + std::to_string(state);
    }
    static std::string describe(const HistoryCall& call) {
        const char* const names[] = {"pin", "unpin", "read"};
        std::string text = names[static_cast<int>(call.kind)];
        text += call.any_value ? " of anything" : " " + describe_state(call.value);
        text += " from " + std::to_string(call.begin);
        return text + (call.unknown ? " (outcome unknown)" : " to " + std::to_string(call.end));
    }

    std::vector<HistoryCall> calls_;
    std::vector<bool> done_, best_;
    std::size_t left_ = 0;
    std::size_t least_left_ = std::numeric_limits<std::size_t>::max();
    std::uint64_t state_ = 0;
    std::uint64_t best_state_ = 0;
    std::unordered_set<Visited, VisitedHash> visited_;
};

/// Pins of unknown outcome that nobody ever saw explain nothing: without them the search is short.
void drop_unseen(std::vector<HistoryCall>& calls) {
    const bool anything_removed =
        std::any_of(calls.begin(), calls.end(), [](const HistoryCall& call) {
            return call.kind == Kind::unpin && call.any_value && !call.unknown;
        });
    if (anything_removed) return;
    std::erase_if(calls, [&calls](const HistoryCall& call) {
        if (call.kind != Kind::pin || !call.unknown) return false;
        return std::none_of(calls.begin(), calls.end(), [&](const HistoryCall& other) {
            return other.kind != Kind::pin && other.value == call.value;
        });
    });
}

}  // namespace

std::string explain_history(std::vector<HistoryCall> calls) {
    drop_unseen(calls);
    if (calls.size() > kHistoryCallsMax)
        return "a history of " + std::to_string(calls.size()) + " calls is too long to be checked";
    Search search(std::move(calls));
    return search.run() ? std::string() : search.story();
}

}  // namespace ipfscluster::test
