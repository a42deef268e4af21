#include "state/pins_where.hpp"

namespace ipfscluster::state {
namespace {

class PinsWhere final : public Source<Pin> {
 public:
    PinsWhere(SourcePtr<StoredPin> rows, std::function<bool(const Pin&)> wanted)
        : rows_(std::move(rows)), wanted_(std::move(wanted)) {}
    Async<std::optional<Pin>> next() override {
        while (true) {
            ICL_CO_TRY(auto row, co_await rows_->next());
            if (!row) co_return std::optional<Pin>{};
            if (wanted_(row->pin)) co_return std::optional<Pin>(std::move(row->pin));
        }
    }

 private:
    SourcePtr<StoredPin> rows_;
    std::function<bool(const Pin&)> wanted_;
};

}  // namespace

SourcePtr<Pin> pins_where(State& pinset, std::function<bool(const Pin&)> wanted) {
    return std::make_unique<PinsWhere>(pinset.list(), std::move(wanted));
}

}  // namespace ipfscluster::state
