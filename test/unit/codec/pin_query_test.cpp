#include "codec/pin_query.hpp"

#include <gtest/gtest.h>

#include "unit/codec/samples.hpp"

namespace ipfscluster::codec {
namespace {

const Time kNow = test::at(1700000000);

Result<PinOptions> parse(std::string_view text) {
    ICL_TRY(const auto query, parse_query(text));
    return parse_pin_options(query, kNow);
}

TEST(PinQuery, reads_every_option) {
    const auto o =
        parse(
            "replication-min=1&replication-max=2&name=a+b%26&mode=direct&shard-size=7&meta-Team="
            "web&meta-=x"
            "&user-allocations=12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg"
            "&expire-in=1h&pin-update=QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"
            "&origins=/ip4/1.2.3.4/tcp/1/p2p/"
            "12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg&other=1")
            .value();
    EXPECT_EQ(o.replication_min, 1);
    EXPECT_EQ(o.replication_max, 2);
    EXPECT_EQ(o.name, "a b&");
    EXPECT_EQ(o.mode, PinMode::direct);
    EXPECT_EQ(o.shard_size, 7U);
    EXPECT_EQ(o.metadata, (std::map<std::string, std::string>{{"Team", "web"}}));
    EXPECT_EQ(o.user_allocations, std::vector<PeerId>{test::peer()});
    EXPECT_EQ(o.expire_at, kNow + std::chrono::hours(1));
    EXPECT_EQ(o.pin_update, test::cid0());
    EXPECT_EQ(o.origins.size(), 1U);
}

TEST(PinQuery, replication_overrides_both_and_the_first_value_counts) {
    const auto o = parse("replication-min=1&replication=3&replication=9").value();
    EXPECT_EQ(o.replication_min, 3);
    EXPECT_EQ(o.replication_max, 3);
}

TEST(PinQuery, expire_at_wins_over_expire_in) {
    EXPECT_EQ(parse("expire-in=1h&expire-at=2030-01-01T00:00:00Z").value().expire_at,
              parse_rfc3339("2030-01-01T00:00:00Z").value());
}

TEST(PinQuery, bad_values_name_their_parameter) {
    for (const char* text :
         {"replication-min=x", "replication-max=1.5", "replication=99999999999", "shard-size=-1",
          "expire-at=tomorrow", "expire-in=10ms", "expire-in=soon", "expire-in=2562047h",
          "pin-update=nonsense", "origins=/ip4/1.2.3.4/tcp/1", "origins=nonsense", "mode=sideways",
          "mode=Direct", "user-allocations=nonsense",
          "user-allocations=12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg,x"}) {
        const auto bad = parse(text);
        ASSERT_FALSE(bad) << text;
        EXPECT_EQ(bad.error().kind, Kind::invalid);
        const std::string_view name =
            std::string_view(text).substr(0, std::string_view(text).find('='));
        EXPECT_NE(bad.error().text.find(name), std::string::npos) << bad.error().text;
    }
    EXPECT_FALSE(parse("name=%zz"));
}

TEST(PinQuery, formatting_and_parsing_are_inverse) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        test::Samples s(seed);
        auto o = s.options();
        for (auto& origin : o.origins) origin = origin.with_peer(test::peer());
        std::erase_if(o.metadata, [](const auto& entry) { return entry.second.empty(); });
        EXPECT_EQ(parse(format_pin_options(o)).value(), o) << seed;
    }
}

}  // namespace
}  // namespace ipfscluster::codec
