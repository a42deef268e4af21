#include "base/time.hpp"

#include <gtest/gtest.h>

namespace ipfscluster {
namespace {

using namespace std::chrono_literals;

TEST(GoDuration, reads_and_writes_as_go_does) {
    const std::tuple<const char*, Duration, const char*> table[] = {
        {"5m", 5min, "5m0s"},      {"24h", 24h, "24h0m0s"},
        {"200ms", 200ms, "200ms"}, {"1.5s", 1500ms, "1.5s"},
        {"0", 0s, "0s"},           {"1h30m", 90min, "1h30m0s"},
        {"-2s", -2s, "-2s"},       {"3us", 3us, "3\xc2\xb5s"},
        {"7ns", 7ns, "7ns"},       {"+1m0.25s", 60250ms, "1m0.25s"}};
    for (const auto& [text, value, canonical] : table) {
        ASSERT_TRUE(parse_go_duration(text)) << text;
        EXPECT_EQ(parse_go_duration(text).value(), value) << text;
        EXPECT_EQ(format_go_duration(value), canonical);
    }
    for (const char* bad : {"", "5", "1d", "s", "1.s.", "--1s", "9999999999999h", "1 s"})
        EXPECT_FALSE(parse_go_duration(bad)) << bad;
}

TEST(Rfc3339, reads_and_writes_utc) {
    const auto t = parse_rfc3339("2026-03-01T10:00:00.125+02:00").value();
    EXPECT_EQ(format_rfc3339(t), "2026-03-01T08:00:00.125Z");
    EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z").value(), kTimeUnset);
    EXPECT_EQ(format_rfc3339(kTimeUnset), "0001-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(Time(1700000000s)), "2023-11-14T22:13:20Z");
    for (const char* bad :
         {"", "2026-03-01", "2026-02-30T00:00:00Z", "2026-03-01T25:00:00Z", "2026-03-01T10:00:00",
          "2026-03-01T10:00:00.Z", "2026-03-01T10:00:00Zx"})
        EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

}  // namespace
}  // namespace ipfscluster
