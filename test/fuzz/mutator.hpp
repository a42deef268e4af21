#pragma once
#include <random>
#include <vector>

#include "base/bytes.hpp"

namespace ipfscluster::fuzz {

/// Changes inputs at random, the same for a seed: flips, overwrites, inserts, cuts, repeats,
/// splices and lengths at their borders.
class Mutator {
 public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    Bytes operator()(const std::vector<Bytes>& corpus);

 private:
    std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
    void change(Bytes& text, const std::vector<Bytes>& corpus);
    void put_number(Bytes& text);

    std::mt19937_64 random_;
};

}  // namespace ipfscluster::fuzz
