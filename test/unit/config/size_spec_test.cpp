#include "config/size_spec.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::config {
namespace {

TEST(SizeSpec, reads_bytes_units_and_parts) {
    EXPECT_EQ(SizeSpec::parse("1000").value(), SizeSpec::bytes(1000));
    EXPECT_EQ(SizeSpec::parse("10GB").value(), SizeSpec::bytes(10'000'000'000));
    EXPECT_EQ(SizeSpec::parse("2KiB").value(), SizeSpec::bytes(2048));
    EXPECT_EQ(SizeSpec::parse("90%").value(), SizeSpec::percent(90));
    EXPECT_EQ(SizeSpec::parse("auto").value(), SizeSpec());
    for (const char* text :
         {"", "-1", "GB", "1 GB", "101%", "1XB", "99999999999999999999", "99999999999999TB"})
        EXPECT_FALSE(SizeSpec::parse(text)) << text;
}

TEST(SizeSpec, resolves_against_the_disk) {
    EXPECT_EQ(SizeSpec::percent(90).resolve(1000, 0, 0), 900u);
    EXPECT_EQ(SizeSpec::bytes(5).resolve(1000, 0, 0), 5u);
    EXPECT_EQ(SizeSpec().resolve(100'000, 1000, 2), 2000u);
    EXPECT_EQ(SizeSpec().resolve(10'000, 1000, 2), 1000u);
    EXPECT_EQ(SizeSpec::percent(100).resolve(UINT64_MAX, 0, 0), UINT64_MAX);
}

}  // namespace
}  // namespace ipfscluster::config
