#include "base/varint.hpp"
#include "bitswap/frame.hpp"
#include "coroutine.hpp"

// Bitswap messages: blocks match the CIDs they come with, what is read and written again is read
// the same, and the reader of a stream ends.
namespace ipfscluster::fuzz {
namespace {

Cid cid_of(BytesView data, Codec codec = Codec::raw) {
    return Cid::v1(codec, multihash_digest(HashCode::sha2_256, data).value());
}

void check(const bitswap::Message& message) {
    require(message.wants.size() + message.blocks.size() + message.presences.size() <=
                3 * bitswap::kMessageItemsMax,
            "a message is bounded");
    for (const auto& block : message.blocks)
        require(dag::verify_block(block.cid, block.data).has_value(), "a block matches its CID");
    const auto framed = bitswap::encode_message(message);
    BytesView in = framed;
    require(take_uvarint(in).value() == in.size(), "a length stands before the message");
    const auto again = bitswap::decode_message(in);
    require(again.has_value(), "a message is read again");
    require(again.value().wants == message.wants && again.value().full == message.full &&
                again.value().presences == message.presences &&
                again.value().blocks.size() == message.blocks.size(),
            "a message loses nothing");
}

Async<std::size_t> read_all(World& world, net::Stream& stream) {
    bitswap::FrameReader reader(world, stream);
    for (std::size_t count = 0;; ++count) {
        auto message = co_await reader.next();
        if (!message) co_return fail(message.error());
        if (!message.value()) co_return count;
        check(*message.value());
    }
}
}  // namespace

std::vector<Bytes> seeds() {
    bitswap::Message first;
    first.full = true;
    first.wants = {{cid_of("a"), 7, false, bitswap::WantType::have, true},
                   {cid_of("b", Codec::dag_pb), 1, true, bitswap::WantType::block, false}};
    bitswap::Message second;
    second.blocks = {{cid_of("raw data"), "raw data"},
                     {Cid::v0(multihash_digest(HashCode::sha2_256, "old").value()), "old"}};
    second.presences = {{cid_of("h"), true}, {cid_of("d"), false}};
    second.pending_bytes = 12345;
    const auto one = bitswap::encode_message(first), two = bitswap::encode_message(second);
    return {one, two, one + two, one.substr(1), two.substr(2), Bytes("\xff\xff\xff\xff\x0f", 5)};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    if (const auto message = bitswap::decode_message(in)) fuzz::check(message.value());
    SimWorld world(1);
    fuzz::InputStream stream(in);
    (void)fuzz::run(world, fuzz::read_all(world, stream));
    return 0;
}
