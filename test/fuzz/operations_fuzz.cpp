#include "fuzz.hpp"
#include "state/session_window.hpp"
#include "state/state.hpp"
#include "state/work.hpp"
#include "support/pins.hpp"

// Log entries and rows of the pinset. An entry that is read can be written and read again, and its
// operations may be proposed: otherwise a peer could stop on what another accepted.
namespace ipfscluster::fuzz {
namespace {

using state::LoggedOperation;

std::vector<LoggedOperation> two_operations() {
    LoggedOperation pin;
    pin.id = {Bytes(16, 'o'), 7};
    pin.pin = test::pin_on(test::cid(1), {test::peer(1), test::peer(2)});
    pin.pin.options.name = "a name";
    pin.pin.options.metadata = {{"k", "v"}};
    pin.expected_index = 42;
    LoggedOperation unpin;
    unpin.kind = LoggedOperation::Kind::unpin;
    unpin.id = {Bytes(16, 'o'), 8};
    unpin.pin.cid = test::cid(2);
    unpin.expected_index = kAnyIndex;
    unpin.only_if_expired_by = Time(std::chrono::seconds(1767225600));
    return {pin, unpin};
}

void check_operations(BytesView in) {
    const auto operations = state::decode_operations(in);
    if (!operations) return;
    require(operations.value().size() <= state::kOperationsPerEntryMax, "an entry is bounded");
    const auto bytes = state::encode_operations(operations.value());
    const auto again = state::decode_operations(bytes);
    require(again.has_value(), "an entry is read again");
    require(state::encode_operations(again.value()) == bytes, "an entry is written the same");
}

void check_rows(BytesView in) {
    if (const auto window = state::SessionWindow::decode(in)) {
        auto copy = window.value();
        const auto again = state::SessionWindow::decode(copy.encode());
        require(again && again.value().encode() == copy.encode(), "a session is read again");
        const auto highest = copy.highest();
        if (highest != 0) require(!copy.accept(highest), "the highest number was seen");
        (void)copy.accept(highest + 1);
        (void)copy.accept(highest / 2);
    }
    if (const auto row = state::parse_work_key(in))
        require(state::work_key(row.value()) == in, "a work key is written the same");
}
}  // namespace

std::vector<Bytes> seeds() {
    state::SessionWindow window;
    for (const std::uint64_t sequence : {1, 2, 5, 2000}) (void)window.accept(sequence);
    LoggedOperation fact;
    fact.fact = state::FactKind::cordon;
    fact.id = {Bytes(16, 'o'), 9};
    fact.payload = "a fact";
    fact.level = state::kFeatureLevel;
    auto raised = fact;
    raised.fact = state::FactKind::feature_level;
    // Version 1 had no level.
    auto first = state::encode_operations(two_operations());
    first.erase(1, 1);
    first[0] = 1;
    return {state::encode_operations(two_operations()),
            state::encode_operations({}),
            state::encode_operations({fact, raised}),
            first,
            window.encode(),
            state::work_key({state::WorkLane::retry, 12, test::cid(3)})};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster::fuzz;
    const auto in = view(data, size);
    check_operations(in);
    check_rows(in);
    return 0;
}
