#include "storage/store.hpp"

#include "base/assert.hpp"

namespace ipfscluster::storage {

namespace {
/// What a change costs beside its bytes; keeps batches of many empty values bounded too.
constexpr std::size_t kChangeOverheadBytes = 16;
}  // namespace

std::string_view family_name(Family family) {
    switch (family) {
        case Family::meta:
            return "meta";
        case Family::pins:
            return "pins";
        case Family::pin_index:
            return "pin_index";
        case Family::work:
            return "work";
        case Family::tracker:
            return "tracker";
        case Family::sessions:
            return "sessions";
        case Family::raft_log:
            return "raft_log";
        case Family::raft_meta:
            return "raft_meta";
        case Family::blocks:
            return "blocks";
    }
    ICL_ASSERT(false, "not a column family");
}

void Batch::put(Family family, Bytes key, Bytes value) {
    size_bytes_ += key.size() + value.size() + kChangeOverheadBytes;
    changes_.push_back({Change::Kind::put, family, std::move(key), std::move(value)});
}

void Batch::del(Family family, Bytes key) {
    size_bytes_ += key.size() + kChangeOverheadBytes;
    changes_.push_back({Change::Kind::del, family, std::move(key), {}});
}

void Batch::del_range(Family family, Bytes from, Bytes to) {
    size_bytes_ += from.size() + to.size() + kChangeOverheadBytes;
    changes_.push_back({Change::Kind::del_range, family, std::move(from), std::move(to)});
}

void Batch::clear() {
    changes_.clear();
    size_bytes_ = 0;
}

void Batch::append(Batch other) {
    size_bytes_ += other.size_bytes_;
    changes_.insert(changes_.end(), std::make_move_iterator(other.changes_.begin()),
                    std::make_move_iterator(other.changes_.end()));
}

}  // namespace ipfscluster::storage
