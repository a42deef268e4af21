#pragma once
#include <string>
#include <vector>

#include "dag/importer.hpp"

namespace ipfscluster::dag {

/// One line of a test/data/cid/*.vectors file (see the README there).
struct CidVector {
    std::string items;
    std::string options;
    std::string root;
    std::uint64_t size = 0;
    std::string digest;
};
std::vector<CidVector> load_cid_vectors(const std::string& file);

/// What our importer makes of a vector's input. `write_bytes` is how much one write carries.
struct Imported {
    std::string root;
    std::uint64_t size = 0;
    std::string digest;
    std::uint64_t block_bytes = 0;
};
Result<Imported> import_vector(const CidVector& vector, std::size_t write_bytes);

/// The options of a vector, given as Kubo's flags.
ImportRequest to_request(const std::string& flags);

}  // namespace ipfscluster::dag
