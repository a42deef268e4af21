#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/bytes.hpp"

/// What every fuzz target shares. A target is one source that defines LLVMFuzzerTestOneInput and
/// `seeds`; it is deterministic, keeps nothing between inputs, and aborts when a property fails.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ipfscluster::fuzz {

/// Valid inputs to start from, made by our own encoders.
std::vector<Bytes> seeds();

inline BytesView view(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Aborts with the property's name when it does not hold.
inline void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "property broken: %s\n", property);
    std::abort();
}

/// Removes the first byte, to choose between parsers; 0 when there is none.
inline std::uint8_t take_byte(BytesView& in) {
    if (in.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    return byte;
}
/// A seed for a target that starts with `take_byte`.
inline Bytes chosen(std::uint8_t choice, BytesView rest) {
    return Bytes(1, static_cast<char>(choice)).append(rest);
}

/// Cuts an input into pieces whose lengths follow from its own bytes, so that readers of streams
/// meet every kind of border.
class Pieces {
 public:
    explicit Pieces(BytesView in) : in_(in) {}
    bool empty() const { return in_.empty(); }
    BytesView next() {
        state_ = state_ * 1664525u + 1013904223u + static_cast<std::uint8_t>(in_.front());
        const std::size_t longest = (state_ >> 16) % 4 == 0 ? 1 : 1 + (state_ >> 18) % 700;
        const auto piece = in_.substr(0, longest);
        in_.remove_prefix(piece.size());
        return piece;
    }

 private:
    BytesView in_;
    std::uint32_t state_ = 1;
};

}  // namespace ipfscluster::fuzz
