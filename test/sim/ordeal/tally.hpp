#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ipfscluster::ordeal {

/// How often each fault and each rare path occurred over the runs of one program: a run proves
/// nothing about what it never met. Rare paths are counted by what the peers log about them.
class Tally {
 public:
    void count(const std::string& what, std::uint64_t times = 1) { counts_[what] += times; }
    /// As `count`; the first `example` of each is kept for `text`.
    void count_line(const std::string& what, std::string_view example);
    /// Counts lines that the peers log from now on, instead of printing them; until destruction.
    void listen();
    ~Tally();
    Tally() = default;
    Tally(const Tally&) = delete;
    Tally& operator=(const Tally&) = delete;

    std::uint64_t of(const std::string& what) const;
    /// Those of `wanted` that never occurred.
    std::vector<std::string> missing(const std::vector<std::string>& wanted) const;
    /// One line each; with an example of each log line where ICL_SIM_WHY is set.
    std::string text() const;

 private:
    std::map<std::string, std::uint64_t> counts_;
    std::map<std::string, std::string> examples_;
    bool listening_ = false;
};

}  // namespace ipfscluster::ordeal
