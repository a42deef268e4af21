// Linked into test programs whose tests are also run with a planted bug: ICL_PLANTED names it.
#include <cstdio>
#include <cstdlib>

#include "support/planted_bugs.hpp"

namespace ipfscluster::test {
namespace {

[[maybe_unused]] const bool kRead = [] {
    const char* name = std::getenv("ICL_PLANTED");
    if (name == nullptr) return false;
    const auto bug = planted_bug_of(name);
    if (!bug) {
        std::fprintf(stderr, "ICL_PLANTED names no planted bug: %s\n", name);
        std::exit(2);
    }
    planted_bug = *bug;
    return true;
}();

}  // namespace
}  // namespace ipfscluster::test
