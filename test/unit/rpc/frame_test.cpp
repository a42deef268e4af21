#include "rpc/frame.hpp"

#include "unit/rpc/fixture.hpp"

namespace ipfscluster::rpc {
namespace {
using test::hex;

const ServiceId kClusterId{"Cluster", "ID"};

TEST(Frame, service_id_and_response_match_go) {
    EXPECT_EQ(hex_encode(codec::to_msgpack(kClusterId)),
              hex_encode(hex("82 a4 4e616d65 a7 436c7573746572 a6 4d6574686f64 a2 4944")));
    Bytes success;
    append_success(success, kClusterId);
    EXPECT_EQ(hex_encode(success),
              hex_encode(
                  hex("81 a753657276696365 82 a44e616d65 a7436c7573746572 a64d6574686f64 a24944")));
}

TEST(Frame, refusal_matches_go) {
    const auto bytes =
        failure_bytes({"Cluster", "Pin"}, ErrorType::authorization,
                      {Kind::denied, "client does not have permissions to call Cluster.Pin"});
    EXPECT_EQ(
        hex_encode(bytes),
        hex_encode(hex("83 a753657276696365 82 a44e616d65 a7436c7573746572 a64d6574686f64 a350696e"
                       "a54572726f72 da0034") +
                   "client does not have permissions to call Cluster.Pin" +
                   hex("a745727254797065 03 c0")));
}

TEST(Frame, an_error_never_has_an_empty_text) {
    EXPECT_EQ(to_response(kClusterId, ErrorType::method, {Kind::timeout, ""}).error, "timeout");
}

TEST(Frame, a_bare_response_is_success) {
    EXPECT_TRUE(codec::from_msgpack<Response>(hex("80")).value().error.empty());
}

TEST(Frame, kinds_survive_between_our_peers_and_are_found_from_go_texts) {
    const Error lost{Kind::conflict, "moved on"};
    const auto sent = codec::to_msgpack(to_response(kClusterId, ErrorType::method, lost));
    EXPECT_EQ(to_error(codec::from_msgpack<Response>(sent).value()), lost);
    EXPECT_EQ(to_error({kClusterId, "x", ErrorType::method, "cancelled"}).kind,
              Kind::unknown_outcome);
    EXPECT_EQ(to_error({kClusterId, "pin is not part of the pinset", ErrorType::method, ""}).kind,
              Kind::not_found);
    EXPECT_EQ(to_error({kClusterId, "anything", ErrorType::method, "no such kind"}).kind,
              Kind::internal);
    EXPECT_EQ(to_error({kClusterId, "rpc: can't find service X", ErrorType::server, ""}).kind,
              Kind::unsupported);
    EXPECT_EQ(to_error({kClusterId, "msgpack decode error [pos 1]: x", ErrorType::server, ""}).kind,
              Kind::invalid);
    EXPECT_EQ(to_error({kClusterId, "no", ErrorType::authorization, ""}).kind, Kind::denied);
}

TEST(Frame, names_that_are_too_long_are_refused) {
    EXPECT_FALSE(
        codec::from_msgpack<ServiceId>(codec::to_msgpack(ServiceId{std::string(300, 'a'), "b"})));
}

}  // namespace
}  // namespace ipfscluster::rpc
