#pragma once
#include "model/pin.hpp"
#include "model/status.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::ipfsproxy {

/// The pins of the pinset that the peers hold, as far as anybody knows (`PinVerdict::maybe_held`):
/// the pinset alone says what is wanted, and a cluster on top of this one would take that for what
/// it has. Walks the pinset and the peers' status list side by side, one row of each in memory;
/// both are sorted by CID and should be opened at the same moment. Ends with an error when either
/// does: without all reports nobody knows what was left out. Owned by who reads it; one strand.
class HeldPins final : public Source<Pin> {
 public:
    HeldPins(SourcePtr<Pin> pins, SourcePtr<GlobalPinInfo> status)
        : pins_(std::move(pins)), status_(std::move(status)) {}
    Async<std::optional<Pin>> next() override;

 private:
    /// The reports about the pin; none when no peer knows it.
    Async<GlobalPinInfo> reports_of(Cid cid);

    SourcePtr<Pin> pins_;
    SourcePtr<GlobalPinInfo> status_;
    std::optional<GlobalPinInfo> row_;  ///< read, not yet passed
    bool status_ended_ = false;
    std::size_t given_ = 0;
};

}  // namespace ipfscluster::ipfsproxy
