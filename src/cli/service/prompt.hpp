#pragma once
#include <istream>
#include <ostream>
#include <string>

namespace ipfscluster::service {

/// Asks until the answer is y or n, at most three times; an empty line or the end means no, as in
/// the Go program. The question goes to `out`.
bool confirmed(std::istream& in, std::ostream& out, const std::string& question);

}  // namespace ipfscluster::service
