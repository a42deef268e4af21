#include "codec/json.hpp"

#include "fuzz.hpp"
#include "unit/codec/samples.hpp"

// Every document a client or a server sends us: what is read and written again is read the same.
namespace ipfscluster::fuzz {
namespace {

template <class T>
void check(BytesView in) {
    const auto value = codec::parse_json<T>(in);
    if (!value) {
        require(!value.error().text.empty(), "a refusal says why");
        return;
    }
    const auto text = codec::to_json(value.value());
    const auto again = codec::parse_json<T>(text);
    require(again.has_value(), "a document is read again");
    require(codec::to_json(again.value()) == text, "a document is written the same");
}

using Check = void (*)(BytesView);
constexpr Check kChecks[] = {
    check<codec::JsonError>,
    check<codec::Version>,
    check<codec::PeerAddBody>,
    check<PinOptions>,
    check<Pin>,
    check<GlobalPinInfo>,
    check<PeerInfo>,
    check<Metric>,
    check<Alert>,
    check<ConnectGraph>,
    check<RepoStat>,
    check<GlobalRepoGc>,
    check<AddedOutput>,
    check<codec::BandwidthByProtocol>,
    check<std::vector<std::string>>,
};
constexpr std::size_t kCheckCount = std::size(kChecks);

template <class T>
void add(std::vector<Bytes>& out, std::size_t index, const T& value) {
    const auto text = codec::to_json(value);
    if (text.size() < 4096) out.push_back(chosen(static_cast<std::uint8_t>(index), text));
}
}  // namespace

std::vector<Bytes> seeds() {
    std::vector<Bytes> out;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        codec::test::Samples some(seed);
        add(out, 3, some.options());
        add(out, 4, some.pin());
        add(out, 5, some.global());
        add(out, 6, some.peer_info());
        add(out, 7, some.metric());
        add(out, 8, Alert{some.metric(), some.time()});
        ConnectGraph graph;
        graph.cluster_id = some.peer();
        graph.cluster_links[some.peer()] = {some.peer()};
        add(out, 9, graph);
        add(out, 12, AddedOutput{"name", some.cid(), 3, 4, {some.peer()}});
    }
    add(out, 0, codec::JsonError{404, "not found"});
    add(out, 10, RepoStat{1, 2});
    add(out, 13, codec::BandwidthByProtocol{{"/x", {1, 2, 0.5, 3}}});
    add(out, 14, std::vector<std::string>{"a", "\xc3\xa9\n\"\\"});
    out.push_back(chosen(14, Bytes(40, '[')));
    out.push_back(chosen(0, R"({"code":1e400,"message":"\ud800"})"));
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
