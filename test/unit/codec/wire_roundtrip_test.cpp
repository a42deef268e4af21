#include <gtest/gtest.h>

#include "codec/json.hpp"
#include "unit/codec/samples.hpp"

namespace ipfscluster::codec {
namespace {

// Values are compared by their bytes and by their JSON: together these cover every field.
template <class T>
void expect_round_trip(const T& value) {
    const auto bytes = to_msgpack(value);
    const auto read = from_msgpack<T>(bytes);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(to_msgpack(read.value()), bytes);
    EXPECT_EQ(to_json(read.value()), to_json(value));
    Scanner scanner;
    EXPECT_EQ(*scanner.scan(bytes).value(), bytes.size());
}

TEST(WireRoundTrip, every_struct_survives) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        test::Samples s(seed);
        const auto pin = s.pin();
        expect_round_trip(pin);
        EXPECT_EQ(from_msgpack<Pin>(to_msgpack(pin)).value(), pin) << seed;
        expect_round_trip(s.row());
        expect_round_trip(s.metric());
        expect_round_trip(s.peer_info());
        expect_round_trip(RepoStat{s.number(1U << 30), s.number(1U << 30)});
        expect_round_trip(RepoGc{s.peer(), s.text(), {{s.cid(), s.text()}}, s.text()});
    }
}

TEST(WireRoundTrip, a_pin_with_all_sixteen_fields_has_the_long_map_head) {
    test::Samples s(3);
    Pin pin;
    pin.cid = test::cid0();
    pin.type = PinType::shard;
    pin.allocations = {test::peer()};
    pin.max_depth = 1;
    pin.reference = test::cid0();
    pin.timestamp = test::at(1);
    pin.options = {1,
                   2,
                   "n",
                   PinMode::direct,
                   5,
                   {test::peer()},
                   test::at(9),
                   {{"a", "b"}},
                   test::cid0(),
                   {s.address()}};
    const auto bytes = to_msgpack(pin);
    EXPECT_EQ(hex_encode(bytes.substr(0, 3)), "de0010");
    EXPECT_EQ(from_msgpack<Pin>(bytes).value(), pin);
}

}  // namespace
}  // namespace ipfscluster::codec
