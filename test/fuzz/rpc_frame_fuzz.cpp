#include "rpc/frame.hpp"

#include "coroutine.hpp"
#include "rpc/value_reader.hpp"

// A stream of RPC envelopes: its reader ends, and heads survive being written again.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    const rpc::ServiceId id{"Cluster", "ID"};
    Bytes good = codec::to_msgpack(id) + codec::to_msgpack(codec::Empty{});
    rpc::append_success(good, id);
    good += codec::to_msgpack(std::string("body"));
    return {good, rpc::failure_bytes(id, rpc::ErrorType::authorization, {Kind::denied, "no"}),
            rpc::failure_bytes(id, rpc::ErrorType::method, {Kind::not_found, "absent"}),
            codec::to_msgpack(rpc::ServiceId{std::string(200, 's'), "m"})};
}

namespace {
void check_head(BytesView value) {
    if (const auto id = codec::from_msgpack<rpc::ServiceId>(value)) {
        const auto again = codec::from_msgpack<rpc::ServiceId>(codec::to_msgpack(id.value()));
        require(again && again.value() == id.value(), "a service id is read again");
    }
    if (const auto response = codec::from_msgpack<rpc::Response>(value)) {
        const auto bytes = codec::to_msgpack(response.value());
        const auto again = codec::from_msgpack<rpc::Response>(bytes);
        require(again && codec::to_msgpack(again.value()) == bytes, "a response is read again");
        if (!response.value().error.empty())
            require(!rpc::to_error(response.value()).text.empty(), "a failure says why");
    }
}

Async<std::size_t> read_all(World& world, net::Stream& stream) {
    rpc::ValueReader reader(world, stream, std::chrono::seconds(5));
    std::size_t bytes = 0;
    while (true) {
        auto value = co_await reader.next(rpc::kHeadBytesMax);
        if (!value) co_return fail(value.error());
        if (!value.value()) break;
        require(value.value()->size() <= rpc::kHeadBytesMax, "an envelope keeps the limit");
        bytes += value.value()->size();
        check_head(*value.value());
    }
    co_return bytes;
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    SimWorld world(1);
    fuzz::InputStream stream(in);
    const auto bytes = fuzz::run(world, fuzz::read_all(world, stream));
    if (bytes) fuzz::require(bytes.value() == in.size(), "a clean end leaves nothing unread");
    return 0;
}
