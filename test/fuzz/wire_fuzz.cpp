#include "codec/wire.hpp"

#include "fuzz.hpp"
#include "unit/codec/samples.hpp"

// Every struct peers exchange: what is decoded and encoded again is decoded the same.
namespace ipfscluster::fuzz {
namespace {

template <class T>
void check(BytesView in) {
    const auto value = codec::from_msgpack<T>(in);
    if (!value) return;
    const auto bytes = codec::to_msgpack(value.value());
    const auto again = codec::from_msgpack<T>(bytes);
    require(again.has_value(), "a value is read again");
    require(codec::to_msgpack(again.value()) == bytes, "a value is written the same");
}

using Check = void (*)(BytesView);
constexpr Check kChecks[] = {
    check<bool>,
    check<std::string>,
    check<PeerId>,
    check<Cid>,
    check<Multiaddr>,
    check<Time>,
    check<std::int64_t>,
    check<std::uint64_t>,
    check<codec::Empty>,
    check<codec::Version>,
    check<Pin>,
    check<PinInfo>,
    check<IpfsId>,
    check<PeerInfo>,
    check<Metric>,
    check<NodeWithMeta>,
    check<RepoStat>,
    check<RepoGcKey>,
    check<RepoGc>,
    check<std::vector<PeerId>>,
    check<std::vector<Metric>>,
    check<std::vector<std::string>>,
};
constexpr std::size_t kCheckCount = std::size(kChecks);

/// A seed for the check at `index`.
template <class T>
void add(std::vector<Bytes>& out, std::size_t index, const T& value) {
    const auto bytes = codec::to_msgpack(value);
    if (bytes.size() < 4096) out.push_back(chosen(static_cast<std::uint8_t>(index), bytes));
}
}  // namespace

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        codec::test::Samples some(seed);
        add(out, 2, some.peer());
        add(out, 3, some.cid());
        add(out, 4, some.address());
        add(out, 5, some.time());
        add(out, 10, some.pin());
        add(out, 11, some.row());
        add(out, 13, some.peer_info());
        add(out, 14, some.metric());
        add(out, 15, NodeWithMeta{"data", some.cid(), 4});
        add(out, 18, RepoGc{some.peer(), "name", {{some.cid(), "error"}}, "e"});
        add(out, 19, std::vector<PeerId>{some.peer(), some.peer()});
    }
    add(out, 16, RepoStat{1, 2});
    return out;
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster::fuzz;
    auto in = view(data, size);
    const auto choice = take_byte(in);
    kChecks[choice % kCheckCount](in);
    return 0;
}
