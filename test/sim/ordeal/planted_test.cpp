// Each planted bug of the ordeal is noticed: always by a stored schedule that fails with it and
// passes without, on demand by fresh seeds. Bugs that other tests notice: CMakeLists.txt.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "sim/ordeal/ordeal.hpp"
#include "support/planted_bugs.hpp"

namespace ipfscluster::ordeal {
namespace {

using namespace std::chrono_literals;

/// Seeds within which a hunt must notice each bug, and how long their runs are.
constexpr std::uint64_t kSeedsMax = 500;
constexpr Duration kHuntLength = 2min;
constexpr int kReductionTries = 150;
/// What a schedule meets hangs on delays, which any change of the code shifts: it is tried with so
/// many seeds of chance.
constexpr std::uint64_t kChancesMax = 24;

std::filesystem::path schedule_of(std::string_view name) {
    return std::filesystem::path(ICL_TEST_DATA) / ".." / "sim" / "ordeal" / "schedules" /
           "planted" / (std::string(name) + ".txt");
}

std::string wrong_with(Bug bug, const Schedule& schedule, bool histories = true) {
    planted_bug = bug;
    Tally tally;
    std::string wrong;
    {
        Ordeal ordeal(schedule, tally);
        if (!histories) ordeal.ignore_histories();
        wrong = ordeal.run().wrong;
    }
    planted_bug = Bug::none;
    return wrong;
}

/// The schedule with the first chance at which the bug is noticed and nothing is wrong without it.
struct Noticed {
    Schedule schedule;
    std::uint64_t chances = 0;
    std::string wrong;  ///< empty: none
};
Noticed notice(Bug bug, Schedule schedule) {
    for (std::uint64_t tried = 1; tried <= kChancesMax; ++tried, ++schedule.seed) {
        auto wrong = wrong_with(bug, schedule);
        if (wrong.empty()) continue;
        EXPECT_EQ(wrong_with(Bug::none, schedule), "") << "without the bug, seed " << schedule.seed;
        return {schedule, tried, std::move(wrong)};
    }
    return {};
}

class Planted : public ::testing::TestWithParam<test::NamedBug> {};

TEST_P(Planted, is_noticed_by_its_schedule) {
    ASSERT_TRUE(set_log_levels("off"));
    const auto schedule = read_schedule(schedule_of(GetParam().name));
    ASSERT_TRUE(schedule) << schedule.error().text;
    const auto noticed = notice(GetParam().bug, schedule.value());
    EXPECT_NE(noticed.wrong, "") << "nobody noticed";
    std::printf("chance %llu: %.160s\n", static_cast<unsigned long long>(noticed.chances),
                noticed.wrong.c_str());
}

std::vector<test::NamedBug> bugs_of_the_ordeal() {
    std::vector<test::NamedBug> out;
    for (const auto& each : test::kPlantedBugs)
        if (each.in_ordeal) out.push_back(each);
    return out;
}
INSTANTIATE_TEST_SUITE_P(bugs, Planted, ::testing::ValuesIn(bugs_of_the_ordeal()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(planted, stale_reads_go_unnoticed_without_the_checker_of_histories) {
    ASSERT_TRUE(set_log_levels("off"));
    const auto schedule = read_schedule(schedule_of("reads_not_awaited"));
    ASSERT_TRUE(schedule) << schedule.error().text;
    const auto noticed = notice(Bug::reads_not_awaited, schedule.value());
    ASSERT_NE(noticed.wrong, "");
    EXPECT_EQ(wrong_with(Bug::reads_not_awaited, noticed.schedule, false), "");
}

/// Keeps a reduced schedule of the seed where ICL_SIM_KEEP says.
void keep(const test::NamedBug& bug, const Schedule& schedule) {
    const char* folder = std::getenv("ICL_SIM_KEEP");
    if (folder == nullptr) return;
    planted_bug = bug.bug;
    const auto reduced = reduce(schedule, kReductionTries);
    planted_bug = Bug::none;
    const auto path = std::filesystem::path(folder) / (std::string(bug.name) + ".txt");
    std::ofstream(path) << to_text(reduced);
    std::printf("kept %s with %zu of %zu events\n", path.c_str(), reduced.events.size(),
                schedule.events.size());
}

/// The first fresh seed that notices each bug; ICL_SIM_BUG: that bug only.
TEST(planted, hunt) {
    ASSERT_TRUE(set_log_levels("off"));
    const char* only = std::getenv("ICL_SIM_BUG");
    const char* first = std::getenv("ICL_SIM_FROM");
    const auto from = first == nullptr ? 1 : std::strtoull(first, nullptr, 10);
    for (const auto& each : test::kPlantedBugs) {
        if (!each.in_ordeal || (only != nullptr && each.name != only)) continue;
        std::string wrong;
        auto seed = from;
        while (seed < from + kSeedsMax && wrong.empty())
            wrong = wrong_with(each.bug, draw_schedule(seed++, kHuntLength));
        const std::string name(each.name);
        std::printf("%s: %s after %llu seeds: %.200s\n", name.c_str(),
                    wrong.empty() ? "not noticed" : "noticed",
                    static_cast<unsigned long long>(seed - from), wrong.c_str());
        std::fflush(stdout);
        EXPECT_NE(wrong, "") << name;
        if (!wrong.empty()) keep(each, draw_schedule(seed - 1, kHuntLength));
    }
}

}  // namespace
}  // namespace ipfscluster::ordeal
