// Whole peers for ten simulated minutes under everything that fate has, in schedules that a seed
// draws. See README.md for what can be set.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "sim/ordeal/ordeal.hpp"

namespace ipfscluster::ordeal {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLength = 10min;
constexpr std::uint64_t kSeedsUsual = 8;
/// Runs that a reduction of one failure may take.
constexpr int kReductionTries = 300;

std::uint64_t setting(const char* name, std::uint64_t usual) {
    const char* text = std::getenv(name);
    return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

/// What each batch of seeds must have met; else its seeds say little.
const std::vector<std::string> kMustOccur{"act: pin",
                                          "act: unpin",
                                          "act: read",
                                          "act: add",
                                          "act: pin_for",
                                          "act: move",
                                          "act: crash",
                                          "act: power_cut",
                                          "act: stop",
                                          "act: break_disk",
                                          "act: stall_disk",
                                          "act: wipe",
                                          "act: fill_database",
                                          "act: fill_disk",
                                          "act: lose_tail",
                                          "act: damage_row",
                                          "act: lose_apart",
                                          "act: accept_loss",
                                          "act: clock",
                                          "act: hang_names",
                                          "act: slow_blocks",
                                          "act: cut",
                                          "act: cut_one_way",
                                          "act: cut_gossip",
                                          "act: isolate",
                                          "act: lead",
                                          "act: join",
                                          "act: remove",
                                          "act: rejoin",
                                          "act: leave",
                                          "act: cordon",
                                          "act: uncordon",
                                          "act: daemon_down",
                                          "act: daemon_loses",
                                          "act: collect",
                                          "removal done",
                                          "left on request",
                                          "cordoned",
                                          "drain begun",
                                          "cordon ended",
                                          "drained to the end",
                                          "cordons that held",
                                          "came back anew",
                                          "items outlived everything",
                                          "histories explained",
                                          "contents read back",
                                          "log: installing a snapshot",
                                          "log: a pin has expired and was removed",
                                          "log: member added",
                                          "log: member removed",
                                          "log: leader"};

struct Batch {
    Tally tally;
    std::uint64_t runs = 0, failed = 0;
    std::size_t acknowledged = 0, calls = 0;
};

/// Keeps the schedule of a failed run where ICL_SIM_KEEP says, reduced when asked.
void keep(const Schedule& schedule) {
    const char* folder = std::getenv("ICL_SIM_KEEP");
    if (folder == nullptr) return;
    const auto kept =
        std::getenv("ICL_SIM_REDUCE") == nullptr ? schedule : reduce(schedule, kReductionTries);
    const auto path =
        std::filesystem::path(folder) / ("seed-" + std::to_string(schedule.seed) + ".txt");
    std::ofstream(path) << to_text(kept);
    std::printf("kept %s with %zu of %zu events\n", path.c_str(), kept.events.size(),
                schedule.events.size());
}

void run_one(const Schedule& schedule, const std::string& name, Batch& batch) {
    std::printf("ordeal %s founders=%d content=%d ", name.c_str(), schedule.founders,
                schedule.content ? 1 : 0);
    std::fflush(stdout);
    const auto began = std::chrono::steady_clock::now();
    const auto verdict = Ordeal(schedule, batch.tally).run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf(
        "trace=%s calls=%zu acknowledged=%zu refused=%zu unknown=%zu events=%llu in %.1f s\n",
        hex_encode(verdict.trace).substr(4, 16).c_str(), verdict.calls, verdict.acknowledged,
        verdict.refused, verdict.unknown, static_cast<unsigned long long>(verdict.events),
        took.count());
    ++batch.runs;
    batch.acknowledged += verdict.acknowledged;
    batch.calls += verdict.calls;
    EXPECT_EQ(verdict.wrong, "") << "ordeal " << name;
    if (verdict.wrong.empty()) return;
    ++batch.failed;
    keep(schedule);
}

TEST(ordeal, fresh_seeds_break_no_promise) {
    Batch batch;
    ASSERT_TRUE(set_log_levels("off"));
    batch.tally.listen();
    if (const char* one = std::getenv("ICL_SIM_SEED")) {
        run_one(draw_schedule(std::strtoull(one, nullptr, 10), kLength), "seed=" + std::string(one),
                batch);
        std::printf("%s", batch.tally.text().c_str());
        return;
    }
    const auto from = setting("ICL_SIM_FROM", 1);
    const auto count = setting("ICL_SIM_SEEDS", kSeedsUsual);
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::minutes(setting("ICL_SIM_MINUTES", 0));
    const bool by_time = std::getenv("ICL_SIM_MINUTES") != nullptr;
    for (auto seed = from; by_time ? std::chrono::steady_clock::now() < end : seed < from + count;
         ++seed)
        run_one(draw_schedule(seed, kLength), "seed=" + std::to_string(seed), batch);
    std::printf("ordeal runs=%llu failed=%llu calls=%zu acknowledged=%zu\n%s",
                static_cast<unsigned long long>(batch.runs),
                static_cast<unsigned long long>(batch.failed), batch.calls, batch.acknowledged,
                batch.tally.text().c_str());
    // Peers that refuse everything would break no promise.
    EXPECT_GT(2 * batch.acknowledged, batch.calls);
    if (batch.runs >= kSeedsUsual) {
        EXPECT_EQ(batch.tally.missing(kMustOccur), std::vector<std::string>{});
    }
}

/// What failed once, reduced.
TEST(ordeal, stored_schedules_break_no_promise) {
    ASSERT_TRUE(set_log_levels("off"));
    const auto folder =
        std::filesystem::path(ICL_TEST_DATA) / ".." / "sim" / "ordeal" / "schedules";
    Batch batch;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        if (!file.is_regular_file()) continue;
        const auto schedule = read_schedule(file.path());
        ASSERT_TRUE(schedule) << file.path() << ": " << schedule.error().text;
        run_one(schedule.value(), file.path().filename(), batch);
    }
    EXPECT_GT(batch.runs, 0u);
}

TEST(ordeal, the_same_schedule_gives_the_same_run) {
    ASSERT_TRUE(set_log_levels("off"));
    for (const std::uint64_t seed : {5, 8}) {
        const auto schedule = draw_schedule(seed, 1min);
        const auto again = parse_schedule(to_text(schedule));
        ASSERT_TRUE(again) << again.error().text;
        Tally tally;
        const auto first = Ordeal(schedule, tally).run();
        const auto second = Ordeal(again.value(), tally).run();
        EXPECT_EQ(first.trace, second.trace) << seed;
        EXPECT_EQ(first.events, second.events) << seed;
        EXPECT_GT(first.acknowledged, 0u);
    }
}

TEST(ordeal, a_schedule_survives_its_text) {
    const auto schedule = draw_schedule(42, kLength);
    const auto again = parse_schedule(to_text(schedule));
    ASSERT_TRUE(again) << again.error().text;
    EXPECT_EQ(to_text(again.value()), to_text(schedule));
    EXPECT_EQ(again.value().events.size(), schedule.events.size());
    std::size_t calls = 0;
    for (const auto& event : schedule.events) calls += is_call(event.act) ? 1 : 0;
    EXPECT_GE(calls, 500u);
    EXPECT_FALSE(parse_schedule("ordeal 2 seed 1 founders 3 content 0\n"));
    EXPECT_FALSE(parse_schedule("ordeal 1 seed 1 founders 3 content 0\n12 dance 1 2 3 4\n"));
}

/// A disk that acknowledges what it has not synced must be noticed.
TEST(ordeal, acknowledging_before_the_disk_has_it_is_noticed) {
    ASSERT_TRUE(set_log_levels("off"));
    test::SimPeerOptions options;
    options.acknowledge_without_sync = true;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Tally tally;
        const auto verdict = Ordeal(draw_schedule(seed, 2min), tally, options).run();
        if (verdict.wrong.empty()) continue;
        std::printf("noticed at seed %llu: %.160s\n", static_cast<unsigned long long>(seed),
                    verdict.wrong.c_str());
        return;
    }
    FAIL() << "nobody noticed";
}

}  // namespace
}  // namespace ipfscluster::ordeal
