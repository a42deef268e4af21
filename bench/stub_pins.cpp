#include "stub_pins.hpp"

#include <algorithm>

namespace ipfscluster::bench {

void StubPins::set(std::vector<bool>& bits, std::uint64_t at) {
    if (at >= bits.size()) bits.resize(std::max<std::uint64_t>(at + 1, bits.size() * 2));
    bits[at] = true;
}

std::optional<StubPins::Mode> StubPins::find(const Cid& cid) const {
    if (const auto item = bench_item(cid)) {
        const auto bits = made_up_.find(item->seed);
        if (bits == made_up_.end()) return std::nullopt;
        if (test(bits->second.recursive, item->index)) return Mode::recursive;
        if (test(bits->second.direct, item->index)) return Mode::direct;
        return std::nullopt;
    }
    const auto found = others_.find(cid);
    return found == others_.end() ? std::nullopt : std::optional<Mode>(found->second);
}

bool StubPins::add(const Cid& cid, Mode mode) {
    const auto held = find(cid);
    if (held == mode) return false;
    if (held) remove(cid);
    if (const auto item = bench_item(cid)) {
        auto& bits = made_up_[item->seed];
        set(mode == Mode::recursive ? bits.recursive : bits.direct, item->index);
    } else {
        others_.insert_or_assign(cid, mode);
    }
    ++size_;
    return true;
}

bool StubPins::remove(const Cid& cid) {
    const auto held = find(cid);
    if (!held) return false;
    if (const auto item = bench_item(cid)) {
        auto& bits = made_up_[item->seed];
        (*held == Mode::recursive ? bits.recursive : bits.direct)[item->index] = false;
    } else {
        others_.erase(cid);
    }
    --size_;
    return true;
}

void StubPins::add_range(std::uint64_t seed, std::uint64_t first, std::uint64_t count) {
    auto& bits = made_up_[seed];
    for (auto i = first; i < first + count; ++i) {
        if (test(bits.recursive, i)) continue;
        if (test(bits.direct, i))
            bits.direct[i] = false;
        else
            ++size_;
        set(bits.recursive, i);
    }
}

std::optional<StubPins::Row> StubPins::next(Cursor& cursor) const {
    for (auto it = made_up_.lower_bound(cursor.seed); it != made_up_.end(); ++it) {
        if (it->first != cursor.seed) cursor.index = 0;
        cursor.seed = it->first;
        const auto& bits = it->second;
        const auto end = std::max(bits.recursive.size(), bits.direct.size());
        while (cursor.index < end) {
            const BenchItem item{cursor.seed, cursor.index++};
            if (test(bits.recursive, item.index)) return Row{bench_cid(item), Mode::recursive};
            if (test(bits.direct, item.index)) return Row{bench_cid(item), Mode::direct};
        }
    }
    const auto other = others_.upper_bound(cursor.after);
    if (other == others_.end()) return std::nullopt;
    cursor.after = other->first;
    return Row{other->first, other->second};
}

}  // namespace ipfscluster::bench
