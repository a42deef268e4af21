#include "base/time.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace ipfscluster {

namespace {

constexpr std::string_view kGoZeroTime = "0001-01-01T00:00:00Z";

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};
// Longer names first, so that "ms" is not read as "m".
constexpr Unit kUnits[] = {{"ns", 1},
                           {"us", 1'000},
                           {"\xc2\xb5s", 1'000},  // U+00B5
                           {"\xce\xbcs", 1'000},  // U+03BC
                           {"ms", 1'000'000},
                           {"s", 1'000'000'000},
                           {"m", 60'000'000'000},
                           {"h", 3'600'000'000'000}};

bool take_digits(std::string_view& in, int count, int& out) {
    if (in.size() < static_cast<std::size_t>(count)) return false;
    out = 0;
    for (int i = 0; i < count; ++i) {
        const char c = in[static_cast<std::size_t>(i)];
        if (c < '0' || c > '9') return false;
        out = out * 10 + (c - '0');
    }
    in.remove_prefix(static_cast<std::size_t>(count));
    return true;
}

bool take_char(std::string_view& in, std::string_view any_of) {
    if (in.empty() || any_of.find(in.front()) == std::string_view::npos) return false;
    in.remove_prefix(1);
    return true;
}

std::string trim_fraction(std::int64_t whole, std::int64_t fraction, int digits,
                          std::string_view unit) {
    if (fraction == 0) return fmt::format("{}{}", whole, unit);
    auto text = fmt::format("{:0{}}", fraction, digits);
    while (text.back() == '0') text.pop_back();
    return fmt::format("{}.{}{}", whole, text, unit);
}

}  // namespace

Result<Duration> parse_go_duration(std::string_view text) {
    const auto bad = [&] {
        return fail(Kind::invalid, fmt::format("\"{}\" is not a duration", text));
    };
    std::string_view in = text;
    bool negative = false;
    if (!in.empty() && (in.front() == '-' || in.front() == '+')) {
        negative = in.front() == '-';
        in.remove_prefix(1);
    }
    if (in == "0") return Duration(0);
    if (in.empty()) return bad();
    // 128 bits hold any sum before the range check.
    __int128 total = 0;
    while (!in.empty()) {
        __int128 whole = 0, scale = 1, fraction = 0;
        bool digits = false;
        while (!in.empty() && in.front() >= '0' && in.front() <= '9') {
            whole = whole * 10 + (in.front() - '0');
            if (whole > INT64_MAX) return bad();
            in.remove_prefix(1);
            digits = true;
        }
        if (!in.empty() && in.front() == '.') {
            in.remove_prefix(1);
            while (!in.empty() && in.front() >= '0' && in.front() <= '9') {
                if (scale < 1'000'000'000'000'000) {
                    fraction = fraction * 10 + (in.front() - '0');
                    scale *= 10;
                }
                in.remove_prefix(1);
                digits = true;
            }
        }
        if (!digits) return bad();
        const Unit* unit = nullptr;
        for (const auto& u : kUnits)
            if (in.starts_with(u.name)) {
                unit = &u;
                break;
            }
        if (unit == nullptr) return bad();
        in.remove_prefix(unit->name.size());
        total += whole * unit->nanoseconds + fraction * unit->nanoseconds / scale;
        if (total > INT64_MAX) return bad();
    }
    const auto value = static_cast<std::int64_t>(total);
    return Duration(negative ? -value : value);
}

std::string format_go_duration(Duration value) {
    std::int64_t ns = value.count();
    if (ns == 0) return "0s";
    std::string sign;
    if (ns < 0) {
        sign = "-";
        ns = -ns;
    }
    if (ns < 1'000) return sign + fmt::format("{}ns", ns);
    if (ns < 1'000'000) return sign + trim_fraction(ns / 1'000, ns % 1'000, 3, "\xc2\xb5s");
    if (ns < 1'000'000'000) return sign + trim_fraction(ns / 1'000'000, ns % 1'000'000, 6, "ms");
    const std::int64_t seconds = ns / 1'000'000'000;
    auto text = trim_fraction(seconds % 60, ns % 1'000'000'000, 9, "s");
    if (seconds >= 3600)
        text = fmt::format("{}h{}m", seconds / 3600, seconds / 60 % 60) + text;
    else if (seconds >= 60)
        text = fmt::format("{}m", seconds / 60) + text;
    return sign + text;
}

Result<Time> parse_rfc3339(std::string_view text) {
    const auto bad = [&] {
        return fail(Kind::invalid, fmt::format("\"{}\" is not an RFC 3339 time", text));
    };
    if (text == kGoZeroTime) return kTimeUnset;
    std::string_view in = text;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!take_digits(in, 4, year) || !take_char(in, "-") || !take_digits(in, 2, month) ||
        !take_char(in, "-") || !take_digits(in, 2, day) || !take_char(in, "Tt ") ||
        !take_digits(in, 2, hour) || !take_char(in, ":") || !take_digits(in, 2, minute) ||
        !take_char(in, ":") || !take_digits(in, 2, second))
        return bad();
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad();
    std::int64_t fraction = 0;
    if (take_char(in, ".,")) {
        std::int64_t unit = 100'000'000;
        int digit = 0;
        bool any = false;
        while (take_digits(in, 1, digit)) {
            fraction += digit * unit;
            unit /= 10;
            any = true;
        }
        if (!any) return bad();
    }
    std::chrono::minutes offset{0};
    if (!take_char(in, "Zz")) {
        const bool minus = !in.empty() && in.front() == '-';
        int oh = 0, om = 0;
        if (!take_char(in, "+-") || !take_digits(in, 2, oh) || !take_char(in, ":") ||
            !take_digits(in, 2, om) || oh > 23 || om > 59)
            return bad();
        offset = std::chrono::hours(oh) + std::chrono::minutes(om);
        if (minus) offset = -offset;
    }
    if (!in.empty()) return bad();
    // sys_time<ns> reaches from 1678 to 2261; Go's zero time and far futures are cut to its ends.
    if (year < 1700) return kTimeUnset;
    if (year > 2260) return Time(Duration(INT64_MAX));
    return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
           std::chrono::minutes(minute) + std::chrono::seconds(second) + Duration(fraction) -
           offset;
}

namespace {

/// The last `width` decimal digits. Years of a 64-bit time in nanoseconds have four.
void append_digits(std::string& out, std::uint64_t value, std::size_t width) {
    const auto at = out.size();
    out.append(width, '0');
    for (auto i = at + width; i > at; value /= 10) out[--i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string format_rfc3339(Time value) {
    if (value == kTimeUnset) return std::string(kGoZeroTime);
    const auto days = std::chrono::floor<std::chrono::days>(value);
    const std::chrono::year_month_day date(days);
    const auto rest = value - days;
    const std::chrono::hh_mm_ss clock(std::chrono::duration_cast<std::chrono::nanoseconds>(rest));
    // By hand: every row of a status list has three of them.
    std::string text;
    text.reserve(sizeof "2006-01-02T15:04:05.123456789Z");
    append_digits(text, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
    text += '-';
    append_digits(text, static_cast<unsigned>(date.month()), 2);
    text += '-';
    append_digits(text, static_cast<unsigned>(date.day()), 2);
    text += 'T';
    append_digits(text, static_cast<std::uint64_t>(clock.hours().count()), 2);
    text += ':';
    append_digits(text, static_cast<std::uint64_t>(clock.minutes().count()), 2);
    text += ':';
    append_digits(text, static_cast<std::uint64_t>(clock.seconds().count()), 2);
    if (const auto ns = clock.subseconds().count(); ns != 0) {
        text += '.';
        append_digits(text, static_cast<std::uint64_t>(ns), 9);
        while (text.back() == '0') text.pop_back();
    }
    text += 'Z';
    return text;
}

}  // namespace ipfscluster
