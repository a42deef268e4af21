// Content defined chunking with a Rabin fingerprint over a window of 16 bytes. The polynomial, the
// window, the seed byte and the order of tests are Kubo's, since they decide where chunks end.
#include <array>
#include <bit>

#include "dag/rolling_chunker.hpp"

namespace ipfscluster::dag {
namespace {

constexpr std::uint64_t kPolynomial = 17437180132763653;  // irreducible, degree 53
constexpr int kDegree = 53;
constexpr std::size_t kWindow = 16;

constexpr std::uint64_t reduce(std::uint64_t value) {
    for (int degree = std::bit_width(value) - 1; degree >= kDegree;
         degree = std::bit_width(value) - 1)
        value ^= kPolynomial << (degree - kDegree);
    return value;
}

struct Tables {
    std::array<std::uint64_t, 256> out{};  // what a byte leaving the window contributes
    std::array<std::uint64_t, 256> mod{};  // reduction of the byte shifted above the degree
};

Tables make_tables() {
    Tables tables;
    for (std::uint64_t byte = 0; byte < 256; ++byte) {
        auto hash = reduce(byte);
        for (std::size_t i = 1; i < kWindow; ++i) hash = reduce(hash << 8);
        tables.out[byte] = hash;
        tables.mod[byte] = reduce(byte << kDegree) | byte << kDegree;
    }
    return tables;
}

const Tables& tables() {
    static const Tables made = make_tables();
    return made;
}

class RabinCutter {
 public:
    explicit RabinCutter(const ChunkerSpec& spec)
        : min_(spec.min_bytes),
          max_(spec.max_bytes),
          mask_(std::bit_floor(std::uint64_t{spec.avg_bytes}) - 1) {
        reset();
    }

    void reset() {
        window_.fill(0);
        at_ = 0;
        digest_ = 0;
        slide(1);
    }

    std::size_t cut(BytesView chunk, std::size_t from) {
        // The fingerprint starts one window before the first place a cut is allowed.
        for (auto i = std::max(from, min_ - kWindow); i < chunk.size(); ++i) {
            slide(static_cast<std::uint8_t>(chunk[i]));
            const auto length = i + 1;
            if (length >= min_ && ((digest_ & mask_) == 0 || length >= max_)) return length;
        }
        return 0;
    }

 private:
    void slide(std::uint8_t byte) {
        digest_ ^= tables_.out[window_[at_]];
        window_[at_] = byte;
        at_ = (at_ + 1) % kWindow;
        const auto index = digest_ >> (kDegree - 8);
        digest_ = (digest_ << 8 | byte) ^ tables_.mod[index];
    }

    const Tables& tables_ = tables();
    std::size_t min_;
    std::size_t max_;
    std::uint64_t mask_;
    std::array<std::uint8_t, kWindow> window_{};
    std::size_t at_ = 0;
    std::uint64_t digest_ = 0;
};

}  // namespace

std::unique_ptr<Chunker> make_rabin_chunker(const ChunkerSpec& spec) {
    return std::make_unique<RollingChunker<RabinCutter>>(RabinCutter(spec));
}

}  // namespace ipfscluster::dag
