#pragma once
#include "consensus/raft/log_floor.hpp"

namespace ipfscluster::test {

/// The floor under the log of one simulated machine; as durable as its disk.
class MemoryFloorFile final : public raft::FloorFile {
 public:
    Result<std::optional<raft::Floor>> read() override { return floor; }
    Result<> write(const raft::Floor& value) override {
        floor = value;
        return ok();
    }
    Result<> remove() override {
        floor.reset();
        return ok();
    }
    std::optional<raft::Floor> floor;
};

}  // namespace ipfscluster::test
