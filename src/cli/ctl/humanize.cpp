#include "cli/ctl/humanize.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace ipfscluster::ctl {
namespace {

using namespace std::chrono_literals;

constexpr Duration kDay = 24h;
constexpr Duration kWeek = 7 * kDay;
constexpr Duration kMonth = 30 * kDay;
constexpr Duration kYear = 12 * kMonth;

struct Step {
    Duration below;
    const char* words;  ///< with "%d" for the count
    Duration unit;
};

/// The first step whose bound is above the distance gives the words.
constexpr std::array kSteps{
    Step{1s, "now", 1s},
    Step{2s, "1 second", 1s},
    Step{1min, "{} seconds", 1s},
    Step{2min, "1 minute", 1min},
    Step{1h, "{} minutes", 1min},
    Step{2h, "1 hour", 1h},
    Step{kDay, "{} hours", 1h},
    Step{2 * kDay, "1 day", kDay},
    Step{kWeek, "{} days", kDay},
    Step{2 * kWeek, "1 week", kWeek},
    Step{kMonth, "{} weeks", kWeek},
    Step{2 * kMonth, "1 month", kMonth},
    Step{kYear, "{} months", kMonth},
    Step{18 * kMonth, "1 year", kYear},
    Step{2 * kYear, "2 years", kYear},
    Step{37 * kYear, "{} years", kYear},
};

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 10) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1000 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    value = std::floor(value * 10 + 0.5) / 10;
    return value < 10 ? fmt::format("{:.1f} {}", value, units[unit])
                      : fmt::format("{:.0f} {}", value, units[unit]);
}

std::string relative_time(Time when, Time now) {
    const Duration distance = when > now ? when - now : now - when;
    const char* const direction = when > now ? " from now" : " ago";
    for (const Step& step : kSteps) {
        if (distance >= step.below) continue;
        if (step.below == Duration(1s)) return "now";
        return fmt::format(fmt::runtime(step.words), distance / step.unit) + direction;
    }
    return std::string("a long while") + direction;
}

std::string padded(std::string_view text, std::size_t width) {
    std::size_t characters = 0;
    for (const char c : text)
        if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++characters;
    std::string out(text);
    if (characters < width) out.append(width - characters, ' ');
    return out;
}

std::string plain_time(Time when) {
    std::string text = format_rfc3339(truncate_to_seconds(when));
    if (const auto t = text.find('T'); t != std::string::npos) text[t] = ' ';
    if (!text.empty() && text.back() == 'Z') text.pop_back();
    return text;
}

}  // namespace ipfscluster::ctl
