#pragma once
#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace ipfscluster::dag {

/// The splitmix64 sequence of a seed as little endian words: the files of test/data/cid.
class Content {
 public:
    explicit Content(std::uint64_t seed) : state_(seed) {}

    /// The next `size` bytes.
    Bytes take(std::size_t size) {
        Bytes out(size, '\0');
        std::size_t at = 0;
        while (at < size) {
            if (used_ == 8) {
                state_ += 0x9e3779b97f4a7c15;
                auto z = state_;
                z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
                z = (z ^ z >> 27) * 0x94d049bb133111eb;
                word_ = z ^ z >> 31;
                used_ = 0;
            }
            for (; used_ < 8 && at < size; ++used_)
                out[at++] = static_cast<char>(word_ >> 8 * used_);
        }
        return out;
    }

 private:
    std::uint64_t state_;
    std::uint64_t word_ = 0;
    int used_ = 8;
};

}  // namespace ipfscluster::dag
